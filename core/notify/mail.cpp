// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "core/base/utf8.h"
#include "core/notify/sending.h"

namespace cb::notify {
namespace {

// An encoded word is at most 75 characters long (RFC 2047), so 45 bytes of text fit one.
constexpr size_t kBytesOfWord = 42;
constexpr size_t kLongestPlainSubject = 60;
constexpr size_t kBytesOfLine = 57;  // 76 characters of base64

bool is_plain(const std::string& text) {
  return text.find("=?") == std::string::npos &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < '\x7f'; });
}

// Words of whole characters, folded one on a line.
std::string encoded_words(const std::string& text) {
  std::string words, part;
  const auto end_word = [&] {
    words += (words.empty() ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?") + to_base64(as_bytes(part)) + "?=";
    part.clear();
  };
  for (std::string_view rest = text; !rest.empty();) {
    const size_t size = std::max<size_t>(1, first_character(rest).size);
    if (part.size() + size > kBytesOfWord) end_word();
    part += rest.substr(0, size);
    rest.remove_prefix(size);
  }
  end_word();
  return words;
}

std::string date_text(int64_t when_ns) {
  constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto seconds = static_cast<time_t>(when_ns / 1'000'000'000);
  std::tm time{};
  if (::gmtime_r(&seconds, &time) == nullptr) return "Thu, 01 Jan 1970 00:00:00 +0000";
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%s, %02d %s %d %02d:%02d:%02d +0000",
                kDays.at(static_cast<size_t>(time.tm_wday)), time.tm_mday,
                kMonths.at(static_cast<size_t>(time.tm_mon)), time.tm_year + 1900, time.tm_hour,
                time.tm_min, time.tm_sec);
  return text.data();
}

std::string folded_list(const std::vector<std::string>& addresses) {
  std::string all;
  for (const std::string& address : addresses) all += (all.empty() ? "" : ",\r\n ") + address;
  return all;
}

}  // namespace

std::string text_of(const Mail& mail) {
  const std::string subject = on_one_line(mail.subject);
  const bool is_short = subject.size() <= kLongestPlainSubject && is_plain(subject);
  std::string text = "Date: " + date_text(mail.now_ns) + "\r\nFrom: " + mail.from +
                     "\r\nTo: " + folded_list(mail.to) +
                     "\r\nSubject: " + (is_short ? subject : encoded_words(subject)) +
                     "\r\nMessage-ID: <" + mail.id + mail.from.substr(mail.from.rfind('@')) +
                     ">\r\nX-CyberBackup-Kind: " + (is_plain(mail.kind) ? mail.kind : "other") +
                     "\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0"
                     "\r\nContent-Type: text/plain; charset=utf-8"
                     "\r\nContent-Transfer-Encoding: base64\r\n\r\n";
  // Base64 has no line that is too long, begins with a dot or holds what a relay would change.
  const ByteView body = as_bytes(mail.body);
  for (size_t at = 0; at < body.size(); at += kBytesOfLine)
    text += to_base64(body.subspan(at, std::min(kBytesOfLine, body.size() - at))) + "\r\n";
  return text;
}

}  // namespace cb::notify
