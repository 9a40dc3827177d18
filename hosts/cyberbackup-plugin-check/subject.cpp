// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup-plugin-check/subject.h"

#include <algorithm>

#include "core/config/check.h"
#include "core/os/process.h"
#include "core/plugin/descriptor.h"
#include "core/plugin/scan.h"
#include "core/plugin/schema.h"
#include "cyberbackup/store.h"
#include "hosts/cyberbackup-plugin-check/check.h"

namespace cb::check {
namespace {

constexpr plugin::Function kDescriptors{"descriptors", plugin::Tag::setup};
constexpr uint32_t kMostDescriptors = 64;
constexpr const char* kScratchWord = "{scratch}";

// FNV-1a: each check gets random data of its own, whichever checks run beside it.
uint64_t seed_of(uint64_t seed, std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325U ^ seed;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

void draw(std::mt19937_64& engine, ByteSpan out) {
  while (!out.empty()) {
    const uint64_t word = engine();
    const size_t size = std::min(out.size(), sizeof word);
    std::memcpy(out.data(), &word, size);
    out = out.subspan(size);
  }
}

config::Node text_node(config::Kind kind, std::string text) {
  config::Node node;
  node.kind = kind;
  node.text = std::move(text);
  node.at.file = "the checker";
  return node;
}

void put(config::Node& table, const std::string& key, config::Node value) {
  if (config::Node* const there = table.find(key); there != nullptr) {
    *there = std::move(value);
    return;
  }
  const config::Place at = value.at;
  table.members.push_back({key, at, std::move(value)});
}

void fill_in_scratch(config::Node& node, const std::string& scratch) {
  for (size_t at = node.text.find(kScratchWord); at != std::string::npos;
       at = node.text.find(kScratchWord, at + scratch.size()))
    node.text.replace(at, std::string_view(kScratchWord).size(), scratch);
  for (config::Node& item : node.items) fill_in_scratch(item, scratch);
  for (config::Member& member : node.members) fill_in_scratch(member.value, scratch);
}

// What is written for a required option that nobody wrote.
std::string fitting_text(const config::Option& option, const os::Path& scratch) {
  const bool bounded = option.min < option.max;
  const int64_t number = bounded && option.min > std::numeric_limits<int64_t>::min()
                             ? std::max<int64_t>(option.min, 1)
                             : 1;
  switch (option.type) {
    case config::Type::boolean:
      return "false";
    case config::Type::integer:
    case config::Type::size:
      return std::to_string(number);
    case config::Type::duration:
      return std::to_string(number) + "ns";
    case config::Type::path:
      return (scratch / option.key).string();
    case config::Type::choice:
      return option.choices.front();
    case config::Type::list:
      return "[]";
    default:
      return std::string(static_cast<size_t>(std::clamp<int64_t>(number, 8, 64)), 'x');
  }
}

std::string printable(const char* text) {
  return text == nullptr ? std::string("(none)") : plugin::one_line(text, 64);
}

}  // namespace

Status SeededRandom::fill(ByteSpan out) {
  const std::lock_guard lock(mutex_);
  draw(engine_, out);
  return {};
}

Subject::Subject(Settings settings, os::Path scratch, std::string name, uint32_t index)
    : settings_(std::move(settings)),
      scratch_(std::move(scratch)),
      name_(std::move(name)),
      index_(index),
      fuzz_until_(std::chrono::steady_clock::now() + settings_.fuzz),
      random_(seed_of(settings_.seed, name_)),
      host_random_(seed_of(settings_.seed, name_ + " host")) {
  services_.log = &log_;
  services_.random = [this](const std::string&) -> os::Random& { return host_random_; };
  services_.host_name = "cyberbackup-plugin-check";
  services_.host_version = "1";
}

Subject::~Subject() {
  others_.clear();
  if (initialised_) module_->deinit(*gate_);
}

Bytes Subject::random_bytes(size_t size) {
  Bytes bytes(size);
  draw(random_, bytes);
  return bytes;
}

Result<plugin::Module*> Subject::module() {
  if (module_ != nullptr) return module_;
  CB_ASSIGN(plugin::PluginFile file, plugin::PluginFile::open(settings_.file));
  CB_TRY(plugin::scan(file.content(), file.object()));
  CB_ASSIGN(module_, plugin::Module::load(std::move(file), false));
  return module_;
}

Result<std::vector<const cb_descriptor*>> Subject::descriptors() {
  CB_ASSIGN(plugin::Module* const module, this->module());
  if (!initialised_) {
    const std::string id = settings_.file.stem().string();
    host_ = std::make_unique<plugin::HostTable>(services_, id);
    gate_ = std::make_unique<plugin::Gate>(id, &log_, os::system_clock());
    CB_TRY(module->init(*gate_, *host_->table(), settings_.file.parent_path().string()));
    initialised_ = true;
  }
  uint32_t count = 0;
  const cb_descriptor* const* const list =
      gate_->query(kDescriptors, static_cast<const cb_descriptor* const*>(nullptr),
                   module->entry().descriptors, &count);
  if (list == nullptr || count == 0 || count > kMostDescriptors)
    return found_wrong("its entry gives " + std::to_string(list == nullptr ? 0 : count) +
                       " descriptors; 1 to " + std::to_string(kMostDescriptors) + " are possible");
  std::vector<const cb_descriptor*> all(list, list + count);
  if (std::find(all.begin(), all.end(), nullptr) != all.end())
    return found_wrong("its entry gives a null descriptor");
  return all;
}

Result<const cb_descriptor*> Subject::descriptor() {
  CB_ASSIGN(const auto all, descriptors());
  if (index_ >= all.size())
    return found_wrong("its entry gave more descriptors when it was asked before");
  return all[index_];
}

Result<const cb_descriptor*> Subject::checked_descriptor() {
  CB_ASSIGN(const cb_descriptor* const found, descriptor());
  CB_TRY(plugin::check_descriptor(*found, "plugin " + settings_.file.string()));
  return found;
}

Result<config::Schema> Subject::schema() {
  CB_ASSIGN(const cb_descriptor* const found, checked_descriptor());
  return plugin::schema_of(*found);
}

// The plugin's part of --config: the table of its id, or all that is not in a table of its own.
Result<config::Node> Subject::written_in_file() {
  if (settings_.config.empty()) return config::Node{};
  CB_ASSIGN(config::Node all, config::load_document(os::real_file_system(), settings_.config));
  fill_in_scratch(all, scratch_.string());
  CB_ASSIGN(const cb_descriptor* const found, checked_descriptor());
  const config::Node* const own = all.find(section_.empty() ? found->id : section_);
  if (own != nullptr && own->kind == config::Kind::table) return *own;
  if (!section_.empty()) return config::Node{};
  std::erase_if(all.members, [](const config::Member& member) {
    return member.value.kind == config::Kind::table && member.value.find("file") == nullptr &&
           member.value.find("env") == nullptr;
  });
  return all;
}

// `text` as the option's value; null: something that the option accepts.
Result<config::Node> Subject::fitting(const config::Option& option, const std::string* text) {
  const std::string value = text != nullptr ? *text : fitting_text(option, scratch_);
  if (option.type != config::Type::secret) return text_node(config::Kind::loose, value);
  const os::Path path = scratch_ / ("secret-" + std::to_string(++secrets_));
  CB_TRY(os::write_file_atomically(os::real_file_system(), path, as_bytes(value)));
  config::Node table;
  put(table, "file", text_node(config::Kind::text, path.string()));
  return table;
}

Result<config::Node> Subject::table_of(const config::Schema& schema, const Written& written) {
  CB_ASSIGN(config::Node table, written_in_file());
  for (const config::Option& option : schema) {
    const auto given = written.find(option.key);
    if (given != written.end()) {
      CB_ASSIGN(config::Node value, fitting(option, &given->second));
      put(table, option.key, std::move(value));
    } else if (option.required && !option.def && table.find(option.key) == nullptr) {
      CB_ASSIGN(config::Node value, fitting(option, nullptr));
      put(table, option.key, std::move(value));
    }
  }
  for (const auto& [key, text] : written)
    if (table.find(key) == nullptr) put(table, key, text_node(config::Kind::loose, text));
  return table;
}

Result<config::Values> Subject::values(const Written& written) {
  CB_ASSIGN(const config::Schema schema, this->schema());
  CB_ASSIGN(const config::Node table, table_of(schema, written));
  const os::Path folder = settings_.config.empty()
                              ? scratch_
                              : std::filesystem::absolute(settings_.config).parent_path();
  config::Problems problems;
  config::Values values =
      config::check_table(&table, "", schema, {}, config::surroundings(folder), problems);
  if (problems.has_errors()) return failed(problems.error("options (--config gives others)"));
  return values;
}

Result<std::shared_ptr<plugin::Instance>> Subject::instance(
    const Written& written, std::shared_ptr<plugin::Instance> below) {
  CB_ASSIGN(const cb_descriptor* const found, checked_descriptor());
  CB_ASSIGN(const config::Schema schema, this->schema());
  CB_ASSIGN(const config::Values values, this->values(written));
  const bool filters = std::string_view(found->interface_id) == CB_STORE_INTERFACE &&
                       (found->capabilities & CB_STORE_FILTER) != 0;
  if (filters && below == nullptr) {
    CB_ASSIGN(Subject* const other, this->other(settings_.below));
    CB_ASSIGN(below, other->instance());
  }
  return plugin::Instance::make(*found, schema, values, services_, std::move(below));
}

Result<Subject*> Subject::other(const std::string& id) {
  if (const auto known = others_.find(id); known != others_.end()) return known->second.get();
  const os::Path program = os::program_folder();
  const std::vector<os::Path> places = {
      id, settings_.file.parent_path() / (id + ".so"),
      program.parent_path() / "plugins" / (id + ".so"),
      program.parent_path() / "lib" / "cyberbackup" / "plugins" / (id + ".so")};
  const auto place = std::find_if(places.begin(), places.end(), [](const os::Path& path) {
    return path.has_parent_path() && std::filesystem::is_regular_file(path);
  });
  if (place == places.end())
    return failed(
        Code::not_found, "plugin " + id, "is needed for this check, but is not installed",
        "install it beside " + settings_.file.string() + ", or name another with --below");
  Settings settings = settings_;
  settings.file = std::filesystem::absolute(*place);
  const os::Path scratch = scratch_ / ("other-" + std::to_string(others_.size()));
  CB_TRY(os::real_file_system().make_folders(scratch));
  auto made = std::make_unique<Subject>(settings, scratch, name_ + " " + id, 0);
  made->section_ = id == settings_.below ? "below" : place->stem().string();
  return others_.emplace(id, std::move(made)).first->second.get();
}

std::string Subject::broken_contract() {
  for (const auto& [id, other] : others_)
    if (std::string line = other->broken_contract(); !line.empty()) return line;
  for (const std::string& line : log_.lines())
    if (line.find("event=plugin.quarantined") != std::string::npos) return line;
  return {};
}

Result<std::vector<Surveyed>> survey(Subject& subject) {
  CB_ASSIGN(const auto descriptors, subject.descriptors());
  std::vector<Surveyed> found;
  for (const cb_descriptor* const descriptor : descriptors) {
    Surveyed& one = found.emplace_back();
    one.index = static_cast<uint32_t>(found.size() - 1);
    one.id = printable(descriptor->id);
    one.interface_id = printable(descriptor->interface_id);
    one.capabilities = descriptor->capabilities;
  }
  return found;
}

}  // namespace cb::check
