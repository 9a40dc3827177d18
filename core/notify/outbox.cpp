// SPDX-License-Identifier: Apache-2.0
#include "core/notify/outbox.h"

#include <algorithm>
#include <charconv>

#include "core/report/json.h"

namespace cb::notify {
namespace {

using report::Json;
using report::number_of;
using report::text_of;

constexpr const char* kEnding = ".json";
constexpr uint64_t kLongestFile = 512 * 1024;

Json json_of_held(const HeldBack& held) {
  return {{"count", held.count},
          {"subjects", held.subjects},
          {"accounts", held.accounts},
          {"severity", static_cast<int>(held.severity)},
          {"newest_ns", held.newest_ns}};
}

Json json_of_kept(const KeptParcel& kept) {
  const Notice& notice = kept.parcel.notice;
  return {{"target", kept.target},
          {"since_ns", kept.since_ns},
          {"id", kept.parcel.id},
          {"server", kept.parcel.server},
          {"kind", notice.kind},
          {"account", notice.account},
          {"source", notice.source},
          {"device", notice.device},
          {"subject", notice.subject},
          {"text", notice.text},
          {"severity", static_cast<int>(notice.severity)},
          {"when_ns", notice.when_ns},
          {"held", json_of_held(kept.parcel.held)}};
}

Severity severity_in(const Json& json) {
  const int64_t number = number_of(json, "severity", static_cast<int>(Severity::alarm));
  return number == 0 ? Severity::info : number == 1 ? Severity::warning : Severity::alarm;
}

std::vector<std::string> texts_in(const Json& json, const char* key) {
  std::vector<std::string> all;
  const auto found = json.find(key);
  if (found == json.end() || !found->is_array()) return all;
  for (const Json& one : *found)
    if (one.is_string()) all.push_back(one.get<std::string>());
  return all;
}

HeldBack held_of(const Json& json) {
  HeldBack held;
  held.count = static_cast<uint64_t>(std::max<int64_t>(0, number_of(json, "count", 0)));
  held.subjects = texts_in(json, "subjects");
  held.accounts = texts_in(json, "accounts");
  held.severity = severity_in(json);
  held.newest_ns = number_of(json, "newest_ns", 0);
  return held;
}

KeptParcel kept_of(const Json& json) {
  KeptParcel kept;
  kept.target = text_of(json, "target");
  kept.since_ns = number_of(json, "since_ns", 0);
  kept.parcel.id = text_of(json, "id");
  kept.parcel.server = text_of(json, "server");
  kept.parcel.notice =
      cleaned({text_of(json, "kind"), text_of(json, "account"), text_of(json, "source"),
               text_of(json, "device"), text_of(json, "subject"), text_of(json, "text"),
               severity_in(json), number_of(json, "when_ns", 0)});
  if (const auto held = json.find("held"); held != json.end() && held->is_object())
    kept.parcel.held = held_of(*held);
  return kept;
}

// Ids end with a number that grows.
uint64_t number_in(const std::string& id) {
  uint64_t number = 0;
  const char* const begin = id.data() + id.rfind('-') + 1;
  (void)std::from_chars(begin, id.data() + id.size(), number);
  return number;
}

bool came_before(const KeptParcel& one, const KeptParcel& other) {
  if (one.since_ns != other.since_ns) return one.since_ns < other.since_ns;
  return number_in(one.parcel.id) < number_in(other.parcel.id);
}

}  // namespace

os::Path Outbox::file_of(const std::string& id) const { return folder_ / (id + kEnding); }

std::vector<KeptParcel> Outbox::load() {
  std::vector<KeptParcel> all;
  if (!is_there()) return all;
  auto names = files_->list(folder_);
  if (!names && names.error().code == Code::not_found) return all;
  if (!names) {
    log_.error("notify.not-read", {{"error", names.error().text()}});
    return all;
  }
  for (const std::string& name : *names) {
    auto kept = read(name);
    if (kept) {
      all.push_back(std::move(*kept));
      continue;
    }
    log_.error("notify.not-read", {{"file", name}, {"error", kept.error().text()}});
    (void)files_->remove(folder_ / name);
  }
  std::sort(all.begin(), all.end(), came_before);
  return all;
}

Result<KeptParcel> Outbox::read(const std::string& name) {
  CB_ASSIGN(const Bytes bytes, os::read_file(*files_, folder_ / name, kLongestFile));
  CB_ASSIGN(const Json json, report::parse_json(as_text(bytes)));
  if (!json.is_object()) return failed(Code::corrupt, name, "is no notice");
  KeptParcel kept = kept_of(json);
  // Of a crash while it was written, or put there by somebody: not what this class writes.
  if (kept.target.empty() || name != kept.parcel.id + kEnding)
    return failed(Code::corrupt, name, "is no notice");
  return kept;
}

bool Outbox::put(const KeptParcel& kept) {
  if (!is_there()) return false;
  const std::string text = report::json_line(json_of_kept(kept));
  const auto write = [&] {
    return os::write_file_atomically(*files_, file_of(kept.parcel.id), as_bytes(text));
  };
  Status done = write();
  if (!done && done.error().code == Code::not_found) {
    done = files_->make_folders(folder_);
    if (done) done = write();
  }
  if (!done && !is_failing_)
    log_.error("notify.not-kept", {{"target", kept.target}, {"error", done.error().text()}});
  is_failing_ = !done;
  return done.has_value();
}

void Outbox::remove(const std::string& id) {
  if (!is_there()) return;
  const Status done = files_->remove(file_of(id));
  if (!done && done.error().code != Code::not_found)
    log_.error("notify.not-kept", {{"file", id + kEnding}, {"error", done.error().text()}});
}

}  // namespace cb::notify
