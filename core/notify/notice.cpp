// SPDX-License-Identifier: Apache-2.0
#include "core/notify/notice.h"

#include <algorithm>

#include "core/report/shown_text.h"
#include "core/report/utc_text.h"

namespace cb::notify {
namespace {

constexpr size_t kLongestName = 256;
constexpr size_t kLongestSubject = 300;
constexpr size_t kLongestText = 16 * 1024;
constexpr size_t kSubjectsTold = 5;
constexpr size_t kAccountsTold = 50;

// Cut between two characters.
std::string cut(std::string text, size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0U) == 0x80U) --most;
  text.resize(most);
  return text + "...";
}

std::string line_of(const std::string& text, size_t most) {
  return cut(report::shown_text(text), most);
}

std::string lines_of(const std::string& text) {
  std::string all;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    if (at > 0) all += '\n';
    all += report::shown_text(std::string_view(text).substr(at, end - at));
    at = end + 1;
  }
  return cut(std::move(all), kLongestText);
}

// "account alice, source 12ab/34cd": what is known of whom it is about.
std::string details_of(const Notice& notice) {
  std::string all;
  const auto add = [&all](const char* name, const std::string& value) {
    if (!value.empty()) all += (all.empty() ? "" : ", ") + std::string(name) + " " + value;
  };
  add("account", notice.account);
  add("source", notice.source);
  add("device", notice.device);
  return all;
}

}  // namespace

const char* name_of(Severity severity) {
  switch (severity) {
    case Severity::info:
      return "info";
    case Severity::warning:
      return "warning";
    case Severity::alarm:
      return "alarm";
  }
  return "alarm";
}

Notice cleaned(const Notice& notice) {
  Notice clean = notice;
  for (std::string* name : {&clean.kind, &clean.account, &clean.source, &clean.device})
    *name = line_of(*name, kLongestName);
  clean.subject = line_of(clean.subject, kLongestSubject);
  clean.text = lines_of(clean.text);
  return clean;
}

void HeldBack::name(const std::string& account, const std::string& subject) {
  const bool is_named = std::find(accounts.begin(), accounts.end(), account) != accounts.end();
  if (subjects.size() >= (is_named ? kSubjectsTold : kAccountsTold)) return;
  subjects.push_back(subject);
  accounts.resize(subjects.size() - 1);
  accounts.push_back(account);
}

void HeldBack::add(const Notice& notice) {
  ++count;
  name(notice.account, notice.subject);
  severity = std::max(severity, notice.severity);
  newest_ns = std::max(newest_ns, notice.when_ns);
}

void HeldBack::add(const HeldBack& more) {
  count += more.count;
  for (size_t i = 0; i < more.subjects.size(); ++i)
    name(i < more.accounts.size() ? more.accounts[i] : std::string(), more.subjects[i]);
  severity = std::max(severity, more.severity);
  newest_ns = std::max(newest_ns, more.newest_ns);
}

std::string Parcel::whole_text() const {
  if (held.count == 0) return notice.text;
  std::string text =
      notice.text + "\n\n" + std::to_string(held.count) + " more of this kind were held back:";
  for (const std::string& subject : held.subjects) text += "\n- " + subject;
  if (held.count > held.subjects.size()) text += "\n- ...";
  return text;
}

Values Parcel::values() const {
  return {{"account", notice.account},
          {"details", details_of(notice)},
          {"device", notice.device},
          {"held", std::to_string(held.count)},
          {"id", id},
          {"kind", notice.kind},
          {"server", server},
          {"severity", name_of(notice.severity)},
          {"source", notice.source},
          {"subject", notice.subject},
          {"text", whole_text()},
          {"when", report::utc_text(notice.when_ns)}};
}

const std::vector<std::string>& placeholder_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, value] : Parcel{}.values()) all.push_back(name);
    return all;
  }();
  return names;
}

}  // namespace cb::notify
