// SPDX-License-Identifier: Apache-2.0
#include "core/server/settings_tables.h"

#include <filesystem>

#include "core/config/override.h"

namespace cb::server {
namespace {

constexpr const char* kEnvironmentPrefix = "CYBERBACKUPD_";

Status lay_overrides(const SettingsRequest& request, config::Node& root) {
  for (const auto& change :
       config::overrides_from_environment(kEnvironmentPrefix, request.environment)) {
    CB_TRY(config::apply(root, change));
  }
  for (const std::string& text : request.set) {
    CB_ASSIGN(const config::Override change, config::override_from_argument(text));
    CB_TRY(config::apply(root, change));
  }
  return {};
}

// Tables inside `node`: options of plugins, checked once those are loaded.
std::vector<std::string> tables_inside(const config::Node* node) {
  std::vector<std::string> names;
  if (node == nullptr) return names;
  for (const config::Member& member : node->members)
    if (member.value.kind == config::Kind::table) names.push_back(member.key);
  return names;
}

// Only these tables hold options of plugins, or names of the operator's choice; elsewhere a table
// is an unknown key.
std::vector<std::string> others_of(const config::Section& section, const config::Node* node) {
  if (section.name == "plugins") return {"sha256"};
  if (section.name == "log") return {"levels"};
  if (section.name == "replication") return {"source"};
  const bool has_plugins = section.name == "listen" || section.name == "store" ||
                           section.name == "crypto" || section.name == "compress";
  return has_plugins ? tables_inside(node) : std::vector<std::string>{};
}

CheckedTable checked(const config::Section& section, const std::string& name,
                     const config::Node* node, const config::Surroundings& from,
                     config::Problems& problems) {
  return {
      &section, name, node,
      config::check_table(node, name, section.schema, others_of(section, node), from, problems)};
}

// The tables of a section that may be written several times.
std::vector<CheckedTable> check_all(const config::Section& section, const Tables& tables,
                                    config::Problems& problems) {
  const config::Node* all = tables.root.find(section.name);
  if (all == nullptr) return {};
  if (all->kind != config::Kind::array) {
    problems.add(all->at, section.name,
                 "must be written as [[" + section.name + "]], not as " +
                     std::string(config::name_of(all->kind)));
    return {};
  }
  std::vector<CheckedTable> list;
  for (size_t i = 0; i < all->items.size(); ++i)
    list.push_back(checked(section, section.name + "." + std::to_string(i), &all->items[i],
                           tables.from, problems));
  return list;
}

void check_repeated(const config::Section& section, Tables& tables, config::Problems& problems) {
  std::vector<CheckedTable>& into =
      section.name == "listen" ? tables.listen : tables.repeated[section.name];
  into = check_all(section, tables, problems);
  const config::Node* written = tables.root.find(section.name);
  const bool is_none = written == nullptr || written->kind == config::Kind::array;
  if (section.name == "listen" && into.empty() && is_none)
    problems.add(tables.root.at, "listen", "there is no listener",
                 "add a [[listen]] block with an address");
}

}  // namespace

config::Place Tables::place(const CheckedTable& of, const char* key) const {
  if (of.node == nullptr) return root.at;
  const config::Node* found = of.node->find(key);
  return found != nullptr ? found->at : of.node->at;
}

Status read_tables(const SettingsRequest& request, Tables& tables, config::Problems& problems) {
  CB_ASSIGN(tables.root, config::load_document(*request.files, request.file));
  CB_TRY(lay_overrides(request, tables.root));
  const os::Path folder = std::filesystem::absolute(request.file).lexically_normal().parent_path();
  tables.from = config::surroundings(folder);
  tables.from.files = request.files;
  std::vector<std::string> known;
  for (const config::Section& section : settings_sections()) known.push_back(section.name);
  config::check_known_keys(tables.root, "", known, problems);
  for (const config::Section& section : settings_sections()) {
    if (section.name == "replication.source") continue;  // settings_replication.cpp has them
    if (section.repeated)
      check_repeated(section, tables, problems);
    else
      tables.single.emplace(
          section.name,
          checked(section, section.name, tables.root.find(section.name), tables.from, problems));
  }
  return {};
}

}  // namespace cb::server
