// SPDX-License-Identifier: Apache-2.0
#include "core/server/legacy_places.h"

#include <algorithm>
#include <chrono>

#include "core/catalog/legacy_source.h"

namespace cb::server {
namespace {

// Nothing when the path climbs.
std::optional<std::vector<std::string_view>> components(std::string_view written) {
  std::vector<std::string_view> found;
  while (!written.empty()) {
    const size_t cut = std::min(written.find_first_of("/\\"), written.size());
    const std::string_view part = written.substr(0, cut);
    written.remove_prefix(std::min(cut + 1, written.size()));
    if (part == "..") return std::nullopt;
    if (!part.empty() && part != ".") found.push_back(part);
  }
  return found;
}

void add(std::vector<std::string>& places, std::string place) {
  if (std::find(places.begin(), places.end(), place) == places.end())
    places.push_back(std::move(place));
}

// Reads times from the front of a text.
class TimeText {
 public:
  explicit TimeText(std::string_view text) : left_(text) {}

  // Exactly `digits` of them; -1 for something else.
  int number(size_t digits) {
    int value = 0;
    for (size_t i = 0; i < digits; ++i) {
      if (i >= left_.size() || left_[i] < '0' || left_[i] > '9') return -1;
      value = value * 10 + (left_[i] - '0');
    }
    left_.remove_prefix(digits);
    return value;
  }
  bool take(std::string_view any_of) {
    if (left_.empty() || any_of.find(left_.front()) == std::string_view::npos) return false;
    taken_ = left_.front();
    left_.remove_prefix(1);
    return true;
  }
  // What follows a decimal point, as nanoseconds.
  int64_t fraction() {
    int64_t value = 0;
    int64_t unit = 100'000'000;
    for (int digit = number(1); digit >= 0; digit = number(1), unit /= 10) value += digit * unit;
    return value;
  }
  [[nodiscard]] char taken() const { return taken_; }
  [[nodiscard]] bool at_end() const { return left_.empty(); }

 private:
  std::string_view left_;
  char taken_ = 0;
};

std::optional<std::chrono::sys_days> day_of(TimeText& text) {
  const int year = text.number(4);
  if (year < 1970 || !text.take("-")) return std::nullopt;
  const int month = text.number(2);
  if (month < 1 || !text.take("-")) return std::nullopt;
  const int day = text.number(2);
  const std::chrono::year_month_day date(std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(std::max(day, 0))));
  if (!date.ok() || year > 2200) return std::nullopt;
  return std::chrono::sys_days(date);
}

// Seconds of the day.
std::optional<int> clock_of(TimeText& text) {
  const int hours = text.number(2);
  if (hours < 0 || hours > 23 || !text.take(":")) return std::nullopt;
  const int minutes = text.number(2);
  if (minutes < 0 || minutes > 59) return std::nullopt;
  const int seconds = text.take(":") ? text.number(2) : 0;
  if (seconds < 0 || seconds > 60) return std::nullopt;
  return (hours * 60 + minutes) * 60 + seconds;
}

// What to take away, in seconds.
std::optional<int> zone_of(TimeText& text) {
  int offset = 0;
  if (text.take("+-")) {
    const int sign = text.taken() == '-' ? -1 : 1;
    const int hours = text.number(2);
    (void)text.take(":");
    const int minutes = text.number(2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
    offset = sign * (hours * 60 + minutes) * 60;
  }
  (void)text.take("Zz");
  return text.at_end() ? std::optional(offset) : std::nullopt;
}

}  // namespace

std::vector<std::string> places_of(std::string_view written, const ClientId& client,
                                   std::string_view name) {
  std::vector<std::string> places;
  const auto parts = components(written);
  for (size_t first = 0; parts && first < parts->size(); ++first) {
    std::string place((*parts)[first]);
    for (size_t i = first + 1; i < parts->size(); ++i) place += "/" + std::string((*parts)[i]);
    // A client's folder is part of the name: without it another client's file could be meant.
    if (first + 1 == parts->size() && first > 0 && client_of_folder((*parts)[first - 1])) break;
    add(places, std::move(place));
  }
  const auto last = components(name);
  if (!last || last->empty()) return places;
  const std::string file(last->back());
  for (const char* folder : kClientFolders)
    for (const std::string& id : {client.hex(), uuid_text(client)})
      add(places, std::string(folder) + "/" + id + "/" + file);
  add(places, std::string(kFlatFolder) + "/" + file);
  return places;
}

std::string folder_of(std::string_view path) {
  const size_t cut = path.rfind('/');
  return cut == std::string_view::npos ? std::string() : std::string(path.substr(0, cut));
}

std::string name_in(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

std::optional<ClientId> client_of_folder(std::string_view folder) {
  if (folder.size() == ClientId::kSize) return std::nullopt;  // raw bytes are no name
  return catalog::parse_source_id(folder);
}

std::string uuid_text(const ClientId& id) {
  std::string text = id.hex();
  for (const size_t at : {8U, 13U, 18U, 23U}) text.insert(at, 1, '-');
  return text;
}

std::optional<int64_t> parse_source_time(std::string_view text) {
  TimeText from(text);
  const auto day = day_of(from);
  if (!day) return std::nullopt;
  std::chrono::nanoseconds time = day->time_since_epoch();
  if (from.take("T ")) {
    const auto clock = clock_of(from);
    if (!clock) return std::nullopt;
    time += std::chrono::seconds(*clock);
    if (from.take(".,")) time += std::chrono::nanoseconds(from.fraction());
  }
  const auto zone = zone_of(from);
  if (!zone) return std::nullopt;
  time -= std::chrono::seconds(*zone);
  return time.count();
}

}  // namespace cb::server
