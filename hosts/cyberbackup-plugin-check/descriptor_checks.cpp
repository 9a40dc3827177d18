// SPDX-License-Identifier: Apache-2.0
//
// What a plugin says of itself.
#include <algorithm>
#include <cstring>

#include "core/plugin/descriptor.h"
#include "core/plugin/schema.h"
#include "cyberbackup/transport.h"
#include "hosts/cyberbackup-plugin-check/catalogue.h"
#include "hosts/cyberbackup-plugin-check/subject.h"

namespace cb::check {
namespace {

constexpr plugin::Function kExtension{"extension", plugin::Tag::any};
constexpr size_t kLongestSentence = 200;
constexpr uint32_t kMostOptions = 256;
constexpr uint32_t kKnownFlags = CB_OPTION_REQUIRED | CB_OPTION_ADVANCED | CB_OPTION_DEPRECATED;

// Extensions that headers of this SDK name.
constexpr const char* kKnownExtensions[] = {CB_TRANSPORT_RELOAD};

std::string object_of(const Subject& subject) { return subject.file().filename().string(); }

// Hosts look for the plugin "x" in the file x.so.
Status check_file_name(Subject& subject) {
  CB_ASSIGN(const auto all, subject.descriptors());
  const std::string name = subject.file().stem().string();
  std::string ids;
  for (const cb_descriptor* const one : all) {
    if (one->id == nullptr || name == one->id) return {};
    ids += (ids.empty() ? "" : ", ") + std::string(one->id);
  }
  return found_wrong("the file has the name of none of its plugins (" + ids +
                     "), so no host finds them in it");
}

// A descriptor of another revision of the interface, for newer hosts, may have the same id.
Status check_unique(Subject& subject, const cb_descriptor& own) {
  CB_ASSIGN(const auto all, subject.descriptors());
  const auto same = std::count_if(all.begin(), all.end(), [&](const cb_descriptor* one) {
    return one->id != nullptr && std::string_view(one->id) == own.id &&
           plugin::check_identity(*one, object_of(subject));
  });
  return expect(same == 1, "has " + std::to_string(same) + " plugins with the id " + own.id);
}

Status check_one_line(const char* text, const std::string& what) {
  const std::string_view view = text;
  const bool control = std::any_of(view.begin(), view.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  CB_TRY(expect(!control, what + " has control characters or several lines"));
  return expect(view.size() <= kLongestSentence,
                what + " is longer than " + std::to_string(kLongestSentence) + " bytes");
}

Result<Verdict> ids_well_formed(Subject& subject) {
  CB_ASSIGN(const cb_descriptor* const own, subject.descriptor());
  CB_TRY(plugin::check_identity(*own, object_of(subject)));
  CB_TRY(check_unique(subject, *own));
  CB_TRY(check_file_name(subject));
  CB_TRY(check_one_line(own->version, "its version"));
  CB_TRY(check_one_line(own->vendor, "its vendor"));
  CB_TRY(check_one_line(own->license, "its licence"));
  CB_TRY(check_one_line(own->summary, "its summary"));
  return passed();
}

// The options as this host knows them, one by one.
Result<std::vector<cb_option>> options_of(const cb_descriptor& descriptor) {
  std::vector<cb_option> options;
  if (descriptor.option_count == 0) return options;
  constexpr uint32_t kSize10 = offsetof(cb_option, flags) + sizeof(uint32_t);
  CB_TRY(expect(descriptor.options != nullptr && descriptor.option_size >= kSize10 &&
                    descriptor.option_size % alignof(cb_option) == 0 &&
                    descriptor.option_count <= kMostOptions,
                "its table of options has " + std::to_string(descriptor.option_count) +
                    " entries of " + std::to_string(descriptor.option_size) +
                    " bytes; possible are at most " + std::to_string(kMostOptions) +
                    " of at least " + std::to_string(kSize10)));
  const auto* at = reinterpret_cast<const std::byte*>(descriptor.options);
  for (uint32_t i = 0; i < descriptor.option_count; ++i, at += descriptor.option_size) {
    cb_option& option = options.emplace_back();
    std::memcpy(&option, at, std::min<size_t>(sizeof option, descriptor.option_size));
  }
  return options;
}

Result<Verdict> schema_well_formed(Subject& subject) {
  CB_ASSIGN(const cb_descriptor* const own, subject.descriptor());
  CB_ASSIGN(std::vector<cb_option> options, options_of(*own));
  if (options.empty()) return passed("it has no options");
  // Help and defaults have checks of their own.
  for (cb_option& option : options) {
    option.help = "Help.";
    if (option.type != CB_OPTION_SECRET) option.def = nullptr;
  }
  cb_descriptor copy = *own;
  copy.options = options.data();
  copy.option_size = sizeof(cb_option);
  CB_TRY(plugin::schema_of(copy));
  for (const cb_option& option : options) {
    const std::string key = option.key;
    CB_TRY(expect((option.flags & ~kKnownFlags) == 0, "option " + key + " has unknown flags"));
    CB_TRY(expect(option.min <= option.max, "option " + key + " has a min above its max"));
  }
  return passed();
}

Result<Verdict> options_all_documented(Subject& subject) {
  CB_ASSIGN(const cb_descriptor* const own, subject.descriptor());
  CB_ASSIGN(const std::vector<cb_option> options, options_of(*own));
  std::string unfinished;
  for (const cb_option& option : options) {
    const std::string what = "the help of option " + std::string(option.key);
    CB_TRY(expect(option.help != nullptr && option.help[0] != '\0', what + " is missing"));
    CB_TRY(check_one_line(option.help, what));
    if (!std::string_view(option.help).ends_with('.')) unfinished = what;
  }
  if (!unfinished.empty())
    return warned(unfinished + " is no sentence: it ends without a full stop");
  return passed();
}

Result<Verdict> defaults_valid(Subject& subject) {
  CB_ASSIGN(const cb_descriptor* const own, subject.descriptor());
  CB_ASSIGN(std::vector<cb_option> options, options_of(*own));
  for (cb_option& option : options) {
    option.help = "Help.";
    CB_TRY(expect(option.def == nullptr || (option.flags & CB_OPTION_REQUIRED) == 0,
                  std::string("option ") + option.key + " is required and has a default"));
  }
  cb_descriptor copy = *own;
  copy.options = options.data();
  copy.option_size = sizeof(cb_option);
  CB_TRY(plugin::schema_of(copy));
  return passed();
}

Result<Verdict> capabilities_match_table(Subject& subject) {
  CB_ASSIGN(const cb_descriptor* const own, subject.descriptor());
  CB_TRY(plugin::check_table(*own, object_of(subject)));
  const uint64_t unknown = own->capabilities & ~known_capabilities(own->interface_id);
  CB_TRY(expect(unknown == 0, "declares capabilities that " + std::string(own->interface_id) +
                                  " does not define: bits " +
                                  capability_names(own->interface_id, unknown)));
  return passed();
}

using Extension = const void* (*)(cb_instance*, const char*);

// What `extension` says to each id; an Error names the first that is known but should not be.
Status all_unknown(plugin::Instance& instance, Extension extension,
                   const std::vector<std::string>& ids) {
  for (const std::string& id : ids) {
    const void* const table = instance.gate().query(kExtension, static_cast<const void*>(nullptr),
                                                    extension, instance.handle(), id.c_str());
    CB_TRY(expect(table == nullptr, "gives a table for the extension '" +
                                        plugin::one_line(id.c_str(), 80) + "', which nobody has"));
  }
  return {};
}

Result<Verdict> on_extensions(Subject& subject, const std::vector<std::string>& ids) {
  CB_ASSIGN(const cb_descriptor* const own, subject.descriptor());
  if (own->extension == nullptr) return passed("it has no extensions");
  const auto instance = subject.instance();
  if (!instance) return skipped("needs create-from-defaults, which does not pass");
  CB_TRY(all_unknown(**instance, own->extension, ids));
  return passed();
}

Result<Verdict> unknown_extension_is_null(Subject& subject) {
  return on_extensions(subject, {"cb.nobody-has-this/1", "org.example.unknown/7", "", "/", "cb.",
                                 std::string(5000, 'x')});
}

Result<Verdict> extension_id_with_tail_is_null(Subject& subject) {
  std::vector<std::string> ids;
  for (const std::string known : kKnownExtensions) {
    for (const char* const tail : {"0", "x", " ", "/", "/1", "\n"}) ids.push_back(known + tail);
    ids.push_back(known.substr(0, known.size() - 1));
    ids.push_back(known.substr(0, known.size() - 1) + "2");
    ids.push_back(" " + known);
  }
  return on_extensions(subject, ids);
}

constexpr std::string_view kIds = "ids-well-formed";
constexpr std::string_view kSchema = "schema-well-formed";

Check descriptor_check(std::string_view name, std::string_view sentence,
                       Result<Verdict> (*run)(Subject&), std::string_view after) {
  return {
      .name = name, .sentence = sentence, .group = Group::descriptor, .run = run, .after = after};
}

}  // namespace

std::vector<Check> descriptor_checks() {
  return {
      descriptor_check(kIds,
                       "Id, interface, version, vendor, licence and summary are as they must "
                       "be, and the file has its plugin's name.",
                       ids_well_formed, {}),
      descriptor_check("capabilities-match-table",
                       "The table has every function of what the plugin declares.",
                       capabilities_match_table, kIds),
      descriptor_check(kSchema, "Keys, types, bounds and choices of the options make sense.",
                       schema_well_formed, kIds),
      descriptor_check("defaults-valid", "Every default is a value that its own option accepts.",
                       defaults_valid, kSchema),
      descriptor_check("options-all-documented", "Every option has a sentence that explains it.",
                       options_all_documented, kSchema),
      descriptor_check("unknown-extension-is-null",
                       "For an extension that it does not know, the plugin gives null.",
                       unknown_extension_is_null, "capabilities-match-table"),
      descriptor_check("extension-id-with-tail-is-null",
                       "An id that is nearly that of an extension is unknown.",
                       extension_id_with_tail_is_null, "capabilities-match-table"),
  };
}

}  // namespace cb::check
