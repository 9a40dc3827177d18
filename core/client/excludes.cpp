// SPDX-License-Identifier: Apache-2.0
#include "core/client/excludes.h"

#include <algorithm>
#include <array>
#include <optional>

namespace cb::client {
namespace {

struct NamedClass {
  std::string_view name;
  bool (*holds)(unsigned char);
};

bool is_upper(unsigned char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(unsigned char c) { return c >= 'a' && c <= 'z'; }
bool is_alpha(unsigned char c) { return is_upper(c) || is_lower(c); }
bool is_digit(unsigned char c) { return c >= '0' && c <= '9'; }
bool is_alnum(unsigned char c) { return is_alpha(c) || is_digit(c); }
bool is_graph(unsigned char c) { return c > 32 && c < 127; }

// ASCII whatever the locale, so that a profile means the same everywhere.
constexpr std::array<NamedClass, 12> kClasses = {{
    {"alnum", is_alnum},
    {"alpha", is_alpha},
    {"blank", [](unsigned char c) { return c == ' ' || c == '\t'; }},
    {"cntrl", [](unsigned char c) { return c < 32 || c == 127; }},
    {"digit", is_digit},
    {"graph", is_graph},
    {"lower", is_lower},
    {"print", [](unsigned char c) { return c == 32 || is_graph(c); }},
    {"punct", [](unsigned char c) { return is_graph(c) && !is_alnum(c); }},
    {"space", [](unsigned char c) { return c == ' ' || (c >= 9 && c <= 13); }},
    {"upper", is_upper},
    {"xdigit",
     [](unsigned char c) {
       return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
     }},
}};

// What stands between brackets, read as wildmatch reads it.
class ClassReader {
 public:
  // `at` is behind the opening bracket.
  ClassReader(std::string_view pattern, size_t at) : pattern_(pattern), at_(at) {}

  // False when the class has no end or a name that nobody knows.
  bool read() {
    const bool negated = at_ < pattern_.size() && (pattern_[at_] == '!' || pattern_[at_] == '^');
    if (negated) ++at_;
    for (bool first = true;; first = false) {
      if (at_ >= pattern_.size()) return false;
      if (pattern_[at_] == ']' && !first) break;
      if (!read_member()) return false;
    }
    ++at_;
    if (negated) members_.flip();
    return true;
  }
  [[nodiscard]] size_t end() const { return at_; }
  [[nodiscard]] const std::bitset<256>& members() const { return members_; }

 private:
  [[nodiscard]] char peek(size_t ahead) const {
    return at_ + ahead < pattern_.size() ? pattern_[at_ + ahead] : '\0';
  }

  bool read_member() {
    if (peek(0) == '-' && previous_ && peek(1) != '\0' && peek(1) != ']') return read_range();
    if (peek(0) == '[' && peek(1) == ':') {
      const size_t end = pattern_.find(']', at_ + 2);
      if (end == std::string_view::npos) return false;
      if (end > at_ + 2 && pattern_[end - 1] == ':') return read_named(end);
    }
    const std::optional<unsigned char> byte = read_byte();
    if (!byte) return false;
    members_.set(*byte);
    previous_ = byte;
    return true;
  }

  bool read_range() {
    ++at_;
    const std::optional<unsigned char> last = read_byte();
    if (!last) return false;
    for (unsigned c = *previous_; c <= *last; ++c) members_.set(c);
    previous_.reset();
    return true;
  }

  bool read_named(size_t end) {
    const std::string_view name = pattern_.substr(at_ + 2, end - 1 - (at_ + 2));
    const auto known = std::find_if(kClasses.begin(), kClasses.end(),
                                    [&](const NamedClass& one) { return one.name == name; });
    if (known == kClasses.end()) return false;
    for (unsigned c = 0; c < 256; ++c)
      if (known->holds(static_cast<unsigned char>(c))) members_.set(c);
    at_ = end + 1;
    previous_.reset();
    return true;
  }

  std::optional<unsigned char> read_byte() {
    if (peek(0) == '\\') ++at_;
    if (at_ >= pattern_.size()) return std::nullopt;
    return static_cast<unsigned char>(pattern_[at_++]);
  }

  std::string_view pattern_;
  size_t at_;
  std::bitset<256> members_;
  std::optional<unsigned char> previous_;  // what a range may begin with
};

// Spaces at the end count only behind a backslash.
std::string_view without_trailing_spaces(std::string_view line) {
  size_t keep = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\') ++i;
    if (i >= line.size()) return line;
    if (line[i] != ' ' || (i > 0 && line[i - 1] == '\\')) keep = i + 1;
  }
  return line.substr(0, keep);
}

std::vector<std::string_view> parts_of(std::string_view path) {
  std::vector<std::string_view> parts;
  for (size_t start = 0, end = 0; start <= path.size(); start = end + 1) {
    end = std::min(path.find('/', start), path.size());
    parts.push_back(path.substr(start, end - start));
  }
  return parts;
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

}  // namespace

struct Excludes::Compiler {
  Excludes& out;

  // False when the pattern can match nothing.
  bool add(std::string_view line) {
    Rule rule;
    rule.given = line;
    if (line.starts_with('!')) {
      rule.negated = true;
      line.remove_prefix(1);
    }
    if (line.ends_with('/')) {
      rule.folders_only = true;
      line.remove_suffix(1);
    }
    rule.base_name = line.find('/') == std::string_view::npos;
    if (line.starts_with('/')) line.remove_prefix(1);
    if (!tokenize(line, rule) || has_empty_segment(rule)) return false;
    finish(rule);
    out.rules_.push_back(std::move(rule));
    return true;
  }

  bool tokenize(std::string_view line, Rule& rule) {
    rule.segments.emplace_back();
    for (size_t i = 0; i < line.size();) {
      const char c = line[i];
      std::vector<Token>& tokens = rule.segments.back().tokens;
      if (c == '[') {
        ClassReader reader(line, i + 1);
        if (!reader.read() || out.sets_.size() > UINT16_MAX) return false;
        tokens.push_back({Token::one_of, 0, static_cast<uint16_t>(out.sets_.size())});
        out.sets_.push_back(reader.members());
        i = reader.end();
        continue;
      }
      if (c == '\\' && ++i == line.size()) return false;
      if (line[i] == '/') {
        rule.segments.emplace_back();
      } else if (c == '*') {
        tokens.push_back({Token::star, 0, 0});
      } else {
        tokens.push_back({c == '?' ? Token::any : Token::literal, line[i], 0});
      }
      ++i;
    }
    return true;
  }

  static bool has_empty_segment(const Rule& rule) {
    return std::any_of(rule.segments.begin(), rule.segments.end(),
                       [](const Segment& segment) { return segment.tokens.empty(); });
  }

  static bool all_stars(const Segment& segment) {
    return segment.tokens.size() >= 2 &&
           std::all_of(segment.tokens.begin(), segment.tokens.end(),
                       [](const Token& token) { return token.kind == Token::star; });
  }

  static void finish(Rule& rule) {
    rule.plain = true;
    for (Segment& segment : rule.segments) {
      segment.any_depth = !rule.base_name && all_stars(segment);
      if (&segment != &rule.segments.front()) rule.text += '/';
      for (const Token& token : segment.tokens) {
        rule.plain = rule.plain && token.kind == Token::literal;
        rule.text += token.byte;
      }
    }
    if (rule.plain) return;
    rule.text.clear();
    const std::vector<Token>& last = rule.segments.back().tokens;
    for (auto it = last.rbegin(); it != last.rend() && it->kind == Token::literal; ++it)
      rule.text.insert(rule.text.begin(), it->byte);
  }
};

Result<Excludes> Excludes::compile(const std::vector<std::string>& patterns) {
  Excludes out;
  Compiler compiler{out};
  for (const std::string& pattern : patterns) {
    std::string_view line = pattern;
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = without_trailing_spaces(line);
    if (line.empty() || line.starts_with('#')) continue;
    if (line.find('\0') != std::string_view::npos || !compiler.add(line))
      return failed(Code::invalid, "exclude pattern '" + pattern + "'", "can match no path",
                    "look for an open bracket, an empty component or a backslash at the end");
  }
  return out;
}

bool Excludes::match(std::string_view path, bool is_folder) const {
  const size_t slash = path.rfind('/');
  const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule)
    if ((is_folder || !rule->folders_only) && matches(*rule, path, name)) return !rule->negated;
  return false;
}

bool Excludes::matches(const Rule& rule, std::string_view path, std::string_view name) const {
  if (rule.plain) return (rule.base_name ? name : path) == rule.text;
  if (!ends_with(name, rule.text)) return false;
  return rule.base_name ? match_name(rule.segments.front(), name) : match_path(rule, path);
}

std::vector<std::string> Excludes::beside(const std::vector<std::string>& sources) const {
  std::vector<std::string> result;
  for (const Rule& rule : rules_) {
    const bool meets = std::any_of(sources.begin(), sources.end(), [&](const std::string& source) {
      return may_meet(rule, source);
    });
    if (!meets) result.push_back(rule.given);
  }
  return result;
}

// As far as both go, component by component.
bool Excludes::may_meet(const Rule& rule, std::string_view source) const {
  if (rule.base_name || source.empty()) return true;
  const std::vector<std::string_view> parts = parts_of(source);
  for (size_t i = 0; i < std::min(parts.size(), rule.segments.size()); ++i) {
    if (rule.segments[i].any_depth) return true;
    if (!match_name(rule.segments[i], parts[i])) return false;
  }
  return true;
}

bool Excludes::match_path(const Rule& rule, std::string_view path) const {
  const std::vector<std::string_view> parts = parts_of(path);
  const std::vector<Segment>& segments = rule.segments;
  size_t s = 0;
  size_t p = 0;
  std::optional<std::pair<size_t, size_t>> again;  // segment behind the last "**", part to try next
  while (p < parts.size()) {
    if (s < segments.size() && segments[s].any_depth) {
      if (++s == segments.size()) return true;
      again = {s, p + 1};
    } else if (s < segments.size() && match_name(segments[s], parts[p])) {
      ++s;
      ++p;
    } else if (again) {
      s = again->first;
      p = again->second++;
    } else {
      return false;
    }
  }
  return s == segments.size();
}

bool Excludes::match_byte(const Token& token, char byte) const {
  switch (token.kind) {
    case Token::literal:
      return token.byte == byte;
    case Token::one_of:
      return sets_[token.set].test(static_cast<unsigned char>(byte));
    default:
      return true;
  }
}

bool Excludes::match_name(const Segment& segment, std::string_view name) const {
  const std::vector<Token>& tokens = segment.tokens;
  size_t t = 0;
  size_t n = 0;
  std::optional<std::pair<size_t, size_t>> again;  // token behind the last star, byte to try next
  while (n < name.size()) {
    if (t < tokens.size() && tokens[t].kind == Token::star) {
      again = {++t, n + 1};
    } else if (t < tokens.size() && match_byte(tokens[t], name[n])) {
      ++t;
      ++n;
    } else if (again) {
      t = again->first;
      n = again->second++;
    } else {
      return false;
    }
  }
  while (t < tokens.size() && tokens[t].kind == Token::star) ++t;
  return t == tokens.size();
}

}  // namespace cb::client
