// SPDX-License-Identifier: Apache-2.0
//
// See store.h.
#include "store.h"

#include <string>
#include <utility>
#include <vector>

namespace store_fault {

namespace sdk = cyberbackup::sdk;

namespace {

Rule whole_store(const char* text, Kind kind, int64_t value) {
  Rule rule;
  rule.text = text;
  rule.kind = kind;
  rule.value = value;
  return rule;
}

// The rules that the options stand for.
std::vector<Rule> rules_of(const sdk::Config& config) {
  std::vector<Rule> rules;
  for (const std::string& text : config.list(kRules)) rules.push_back(parse_rule(text));
  if (config.number(kDelay) > 0) {
    Rule delay = parse_rule("any:delay=1us");
    delay.text = "delay";
    delay.value = config.number(kDelay);
    rules.push_back(std::move(delay));
  }
  if (config.is_set(kBudget))
    rules.push_back(whole_store("budget", Kind::budget, config.number(kBudget)));
  if (config.number(kListLag) > 0)
    rules.push_back(whole_store("list_lag", Kind::lag, config.number(kListLag)));
  if (config.number(kListLagTime) > 0)
    rules.push_back(whole_store("list_lag_time", Kind::lag_time, config.number(kListLagTime)));
  return rules;
}

}  // namespace

Store::Store(const sdk::Host& host, const sdk::Config& config)
    : host_(host),
      lower_(host),
      faults_(host, lower_, rules_of(config), static_cast<uint64_t>(config.number(kSeed)),
              config.text(kControl)) {}

void Store::check(const sdk::Config& config) { rules_of(config); }

void Store::stat(std::string_view name, cb_object& out) {
  faults_.meet(Function::stat, name);
  lower_.stat(std::string(name), out);
}

std::unique_ptr<Put> Store::put_begin(std::string_view name, uint64_t hint, uint32_t flags) {
  faults_.meet(Function::put_begin, name);
  const std::string text(name);
  return std::make_unique<Put>(*this, text, lower_.put_begin(text, hint, flags));
}

std::unique_ptr<Get> Store::get_open(std::string_view name, uint64_t offset, uint64_t length) {
  faults_.meet(Function::get_open, name);
  const std::string text(name);
  return std::make_unique<Get>(*this, text, lower_.get_open(text, offset, length));
}

void Store::remove(std::string_view name) {
  const Effect effect = faults_.meet(Function::remove, name);
  const bool coin = (effect.dice & 1) != 0;  // had the crash done it already?
  if (effect.kind != Kind::crash || coin) remove_below(std::string(name));
  if (effect.kind == Kind::crash) faults_.crash(effect);
  if (effect.kind == Kind::unsaid) throw effect.failure();
}

void Store::remove_below(const std::string& name) {
  const Standing standing = faults_.standing();
  const bool lags = standing.lag_lists > 0 || standing.lag_ns > 0;
  cb_object object{};
  const bool known = (standing.budget >= 0 || lags) && lower_.find(name, object);
  lower_.remove(name);
  if (!known) return;
  refresh_budget();
  budget_.give_back(object.length);
  if (lags) lag_.removed(object, host_.monotonic_ns());
}

std::unique_ptr<List> Store::list_open(std::string_view prefix, std::string_view after) {
  faults_.meet(Function::list_open, prefix);
  const std::string start(prefix);
  const std::string from(after);
  ListingLag::View view = lag_.begin(start, from, faults_.standing(), host_.monotonic_ns());
  return std::make_unique<List>(*this, start, lower_.list_open(start, from), std::move(view));
}

void Store::space(cb_space& out) {
  faults_.meet(Function::space, "");
  lower_.space(out);
  refresh_budget();
  out.free = budget_.left(out.free);
}

}  // namespace store_fault
