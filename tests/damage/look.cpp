// SPDX-License-Identifier: Apache-2.0
#include "tests/damage/look.h"

#include <sys/mount.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <stdexcept>

namespace cb::damage {
namespace {

namespace fs = std::filesystem;

constexpr char kField = '\x1f';
constexpr char kItem = '\x1e';

bool is_of_device(Place place) { return place >= Place::profile; }
bool is_of_v3(Place place) { return place >= Place::v3_pack && place <= Place::v3_slot; }
bool is_cache(Place place) { return place >= Place::scan_cache && place <= Place::fine_index; }

class Visit {
 public:
  Visit(Estate& estate, Place place, const Target* target, Kind kind)
      : estate_(estate), place_(place), target_(target), kind_(kind) {}

  Observed run();

 private:
  void see_server();
  void see_daemon();
  void see_snapshots();
  void see_device();
  void cure_by_itself();
  void cure_by_order();
  void cure_server();
  void rebuild();
  void cure_device();
  bool follows_advice();
  void bring_in(const std::string& reason);
  void put_back(const std::string& name, const std::string& content);
  void back_up_changed();

  Ended take(Looker looker, const std::string& what, Ended ended);
  void tell(const std::string& what, const Ended& ended);
  void broken(const std::string& what) { seen_.broken.push_back(what); }
  [[nodiscard]] bool saw(uint32_t lookers) const { return (seen_.seen_by & lookers) != 0; }
  void judge(const std::string& what, const Ended& ended);

  bool start();
  void stop();
  [[nodiscard]] std::string trouble_in_log() const;
  // Restores, and compares all that came; was it all?
  bool restores(Looker looker, const std::string& snapshot, const std::string& expected);
  bool backs_up();
  // Is everything as if nothing had been?
  bool is_whole();
  // Who reads: a reader for what is a reader's alone, and the owner after a backup of its own.
  [[nodiscard]] std::string reading_device() const {
    return place_ == Place::reader_key && !is_after_backup_ ? "reader" : "owner";
  }
  Ended client(Words arguments) { return estate_.client(reading_device(), std::move(arguments)); }

  Estate& estate_;
  const Place place_;
  const Target* const target_;
  const Kind kind_;
  Observed seen_;
  int restored_ = 0;
  bool started_ = false;
  bool is_after_backup_ = false;
  std::string kept_;  // the file before the damage, and its twin
  std::string kept_twin_;
};

void Visit::tell(const std::string& what, const Ended& ended) {
  seen_.transcript +=
      "--- " + what + ": exit " + std::to_string(ended.exit_code) + "\n" + ended.output;
}

// What holds whatever happens.
void Visit::judge(const std::string& what, const Ended& ended) {
  if (ended.hung) broken(what + " hangs");
  if (!ended.hung && ended.crashed())
    broken(what + " crashes: exit " + std::to_string(ended.exit_code));
  if (ended.exit_code != 0 && ended.output.empty()) broken(what + " fails and says nothing");
}

Ended Visit::take(Looker looker, const std::string& what, Ended ended) {
  tell(what, ended);
  judge(what, ended);
  if (ended.exit_code != 0) {
    seen_.seen_by |= looker;
    seen_.said += ended.output;
  }
  return ended;
}

std::string Visit::trouble_in_log() const {
  std::istringstream lines(estate_.daemon_log());
  std::string trouble;
  for (std::string line; std::getline(lines, line);) {
    const bool is_loud =
        line.find(" error ") != std::string::npos || line.find(" warn ") != std::string::npos ||
        line.find(" warning ") != std::string::npos || line.starts_with("cyberbackupd: ");
    // That target is nowhere, this machine may be busy, and the daemon is root here.
    const bool is_known = line.find("event=plugin.slow") != std::string::npos ||
                          line.find("event=confinement.root") != std::string::npos ||
                          (line.find("event=notify.") != std::string::npos &&
                           line.find("event=notify.not-read") == std::string::npos);
    if (is_loud && !is_known) trouble += line + "\n";
  }
  return trouble;
}

bool Visit::start() {
  started_ = estate_.start();
  Ended ended;
  ended.exit_code = started_ ? 0 : 1;
  ended.output = started_ ? trouble_in_log() : estate_.daemon_log();
  tell("serve", ended);
  if (!started_ && ended.output.find("start.failed") == std::string::npos &&
      ended.output.find("cyberbackupd:") == std::string::npos)
    broken("the daemon ends without a word");
  if (!started_ || !ended.output.empty()) {
    seen_.seen_by |= Looker::start;
    seen_.said += ended.output;
  }
  return started_;
}

void Visit::stop() {
  if (!estate_.is_running()) return;
  const Ended ended = estate_.stop();
  if (ended.exit_code != 0)
    broken("the daemon ends with " + std::to_string(ended.exit_code) + ": " + ended.output);
}

bool Visit::restores(Looker looker, const std::string& snapshot, const std::string& expected) {
  const std::string target = estate_.in_house("restored-" + std::to_string(++restored_));
  const std::string what = "restore " + fs::path(expected).filename().string();
  const Ended ended =
      take(looker, what,
           client({"restore", snapshot + ":" + estate_.sources() + "/tree", "--target", target}));
  bool is_all = ended.exit_code == 0;
  for (const auto& entry : fs::recursive_directory_iterator(expected)) {
    if (!entry.is_regular_file()) continue;
    const fs::path below = entry.path().lexically_relative(expected);
    const fs::path there = fs::path(target) / below;
    if (!fs::exists(there)) {
      is_all = false;
      if (ended.exit_code == 0) broken(what + " leaves out " + below.string());
      continue;
    }
    if (content_of(there.string()) != content_of(entry.path().string()))
      broken(what + " writes other bytes to " + below.string());
  }
  std::error_code trouble;
  fs::remove_all(target, trouble);
  return is_all;
}

void Visit::see_snapshots() {
  take(Looker::client, "status", client({"status"}));
  if (is_of_v3(place_) || place_ == Place::event) return;
  take(Looker::client_check, "client check --read-data", client({"check", "--read-data"}));
  restores(Looker::restore_old, estate_.noted("first"), estate_.sources() + "-first");
  restores(Looker::restore_new, estate_.noted("newest"), estate_.sources() + "/tree");
}

void Visit::see_server() {
  take(Looker::check, "check", estate_.server({"check"}));
  take(Looker::read_check, "check --read-data", estate_.server({"check", "--read-data"}));
  if (place_ >= Place::catalog && place_ <= Place::audit_record)
    take(Looker::audit, "audit verify", estate_.server({"audit", "verify"}));
  if (place_ <= Place::snapshot_blob || place_ == Place::store_file)
    take(Looker::rescue, "rescue check",
         estate_.rescue(
             {"check", estate_.in_house("daemon"), "--key", estate_.in_house("key.txt")}));
  if (is_of_v3(place_) || place_ == Place::server_key) {
    const std::string to = estate_.in_house("exported");
    const Ended exported =
        take(Looker::legacy, "legacy export",
             estate_.server({"legacy", "export", "--client", "old", "--to", to}));
    if (exported.exit_code == 0 &&
        content_of(to + "/note") != content_of(estate_.sources() + "/v3/note"))
      broken("legacy export writes other bytes");
    fs::remove_all(to);
  }
}

void Visit::see_daemon() {
  if (!start()) return;
  see_snapshots();
}

bool Visit::backs_up() {
  if (is_of_v3(place_)) {
    const Ended sent =
        take(Looker::backup, "send",
             estate_.client("old-client", {"send", estate_.sources() + "/v3/note", "--server",
                                           "127.0.0.1:1256", "--name", "old", "--quiet"}));
    return sent.exit_code == 0;
  }
  const Ended ended =
      take(Looker::backup, "backup",
           estate_.client("owner", {"--quiet", "backup", estate_.sources() + "/tree"}));
  if (ended.exit_code != 0) return false;
  Observed before = seen_;
  is_after_backup_ = true;
  const bool is_all =
      restores(Looker::restore_new, last_line(ended.output), estate_.sources() + "/tree");
  is_after_backup_ = false;
  // What was seen before is not to be mixed up with what comes after.
  before.transcript = seen_.transcript;
  before.broken = seen_.broken;
  seen_ = std::move(before);
  return is_all;
}

bool Visit::is_whole() {
  if (!estate_.is_running()) return false;
  Observed before = seen_;
  seen_.seen_by = nobody;
  take(Looker::read_check, "check --read-data", estate_.server({"check", "--read-data"}));
  if (place_ >= Place::catalog && place_ <= Place::audit_record)
    take(Looker::audit, "audit verify", estate_.server({"audit", "verify"}));
  if (!is_of_v3(place_))
    take(Looker::client_check, "client check --read-data", client({"check", "--read-data"}));
  const bool is_clean = seen_.seen_by == nobody;
  before.transcript = seen_.transcript;
  before.broken = seen_.broken;
  seen_ = std::move(before);
  return is_clean;
}

// Is everything well after the command that the messages name?
bool Visit::follows_advice() {
  if (seen_.said.find("`cyberbackup key rotate`") == std::string::npos || !start()) return false;
  tell("key rotate", client({"key", "rotate"}));
  const bool is_well = is_whole();
  if (is_well) seen_.cure = Cure::advice;
  stop();
  return is_well;
}

// What the daemon and its clients do by themselves, one after the other.
void Visit::cure_by_itself() {
  if (seen_.seen_by != nobody && is_whole()) seen_.cure = Cure::itself;
  const bool is_cured = seen_.cure == Cure::itself;
  take(Looker::verify, "job run verify", estate_.server({"job", "run", "verify"}));
  const bool is_damaged = seen_.seen_by != nobody && !is_cured;
  if (is_damaged) seen_.cure = is_whole() ? Cure::verify : Cure::nothing;
  if (!backs_up()) seen_.next = Next::after_cure;
  if (seen_.cure != Cure::nothing && seen_.next == Next::after_cure)
    broken("what the next backup saved does not restore");
}

// What somebody tells them to do.
void Visit::cure_by_order() {
  if (seen_.cure == Cure::nothing && seen_.next == Next::fine && is_whole())
    seen_.cure = Cure::backup;
  if (seen_.cure != Cure::nothing) return;
  tell("job run compact", estate_.server({"job", "run", "compact"}));
  if (is_whole()) seen_.cure = Cure::compact;
}

void Visit::cure_server() {
  if (started_) {
    cure_by_itself();
    cure_by_order();
    stop();
  } else {
    seen_.next = Next::after_cure;
    seen_.cure = Cure::nothing;
  }
  const bool is_of_store = place_ == Place::store_layout || place_ == Place::store_file;
  if (seen_.cure == Cure::nothing && place_ == Place::server_key)
    return bring_in("the key is brought back");
  if (!started_ && is_of_store) return bring_in("the store is brought back");
  if (seen_.cure == Cure::nothing && !follows_advice()) rebuild();
}

void Visit::rebuild() {
  Observed before = seen_;
  take(Looker::nobody, "rebuild-catalog", estate_.server({"rebuild-catalog"}));
  const bool is_started = start();
  const bool is_whole_now = is_started && is_whole();
  const bool is_fine = is_started && backs_up();
  const bool is_whole_then = is_fine && (is_whole_now || is_whole());
  stop();
  before.transcript = seen_.transcript;
  before.broken = seen_.broken;
  seen_ = std::move(before);
  if (is_whole_then) seen_.cure = Cure::rebuild;
  if (is_fine || seen_.next == Next::fine) return;
  bring_in("what the rebuilt catalog cannot make well is brought back");
}

void Visit::put_back(const std::string& name, const std::string& content) {
  const std::string file = estate_.in_house(name);
  write_file(file, content);
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
}

// The damaged thing as it was: then all has to be well.
void Visit::bring_in(const std::string& reason) {
  if (target_ == nullptr || target_->is_object) {
    broken("no backup is possible any more: " + reason);
    return;
  }
  put_back(target_->name, kept_);
  if (!target_->twin.empty()) put_back(target_->twin, kept_twin_);
  if (target_->name.starts_with("daemon/") && !estate_.is_running() && !start()) {
    broken("the daemon does not start although the file is back");
    return;
  }
  Observed before = seen_;
  const bool is_fine = backs_up() && is_whole();
  before.transcript = seen_.transcript;
  before.broken = seen_.broken;
  seen_ = std::move(before);
  if (!is_fine) broken("it is not well again although the file is back");
  seen_.cure = Cure::advice;
  stop();
}

void Visit::see_device() {
  if (!start()) throw std::runtime_error("no daemon: " + estate_.daemon_log());
  if (place_ == Place::pending) {
    take(Looker::use, "enroll",
         estate_.client("owner", {"--profile", "pending", "enroll", estate_.noted("token")}));
    return;
  }
  if (place_ == Place::witness) {
    take(Looker::use, "check --against",
         estate_.client("owner", {"check", "--against", estate_.in_house("witness")}));
    return;
  }
  if (place_ == Place::key_file) {
    take(Looker::rescue, "rescue check",
         estate_.rescue(
             {"check", estate_.in_house("daemon"), "--key", estate_.in_house("key.txt")}));
    return;
  }
  see_snapshots();
  if (place_ == Place::history)
    take(Looker::use, "check --against",
         estate_.client("owner", {"check", "--against", estate_.in_house("old/witness")}));
}

// Every page of another stripe is another one, at the same place.
void Visit::back_up_changed() {
  const std::string changed = estate_.in_house("changed");
  fs::copy(estate_.sources() + "/tree", changed, fs::copy_options::recursive);
  std::string big = content_of(changed + "/big");
  for (size_t at = 9 * 4096; at + 4096 < big.size(); at += 16 * 4096) big[at] ^= 1;
  write_file(changed + "/big", big);
  if (::mount(changed.c_str(), (estate_.sources() + "/tree").c_str(), nullptr, MS_BIND, nullptr) !=
      0)
    throw std::runtime_error("cannot show other sources");
  if (!backs_up()) broken("changed files are not saved");
}

void Visit::cure_device() {
  const bool is_fine = backs_up();
  if (is_cache(place_)) back_up_changed();
  if (seen_.seen_by == nobody) return stop();
  Observed before = seen_;
  seen_.seen_by = nobody;
  const bool is_well = is_fine && place_ < Place::pending && is_whole();
  before.transcript = seen_.transcript;
  before.broken = seen_.broken;
  seen_ = std::move(before);
  if (is_well) {
    seen_.cure = Cure::itself;
    return stop();
  }
  if (!is_fine) seen_.next = Next::after_cure;
  bring_in("the file is brought back");
  stop();
}

Observed Visit::run() {
  if (target_ != nullptr && !target_->is_object) {
    kept_ = content_of(estate_.in_house(target_->name));
    if (!target_->twin.empty()) kept_twin_ = content_of(estate_.in_house(target_->twin));
  }
  if (target_ != nullptr && !damage(estate_, *target_, kind_))
    throw std::runtime_error("there is no such damage");
  if (is_of_device(place_)) {
    see_device();
    cure_device();
  } else {
    see_server();
    see_daemon();
    cure_server();
  }
  return std::move(seen_);
}

}  // namespace

Observed look(Estate& estate, Place place, const Target& target, Kind kind) {
  return Visit(estate, place, &target, kind).run();
}

Observed look_at_whole(Estate& estate) {
  return Visit(estate, Place::server_key, nullptr, Kind::bit).run();
}

std::string Observed::text() const {
  std::string all = std::to_string(seen_by) + kField + std::to_string(static_cast<int>(cure)) +
                    kField + std::to_string(static_cast<int>(next)) + kField + said + kField;
  for (const std::string& one : broken) all += one + kItem;
  return all + kField + transcript;
}

Observed Observed::of(const std::string& text) {
  std::vector<std::string> fields;
  std::istringstream in(text);
  for (std::string field; fields.size() < 5 && std::getline(in, field, kField);)
    fields.push_back(field);
  if (fields.size() < 5) throw std::runtime_error("nothing was observed: " + text);
  Observed observed;
  observed.seen_by = static_cast<uint32_t>(std::stoul(fields[0]));
  observed.cure = static_cast<Cure>(std::stoi(fields[1]));
  observed.next = static_cast<Next>(std::stoi(fields[2]));
  observed.said = fields[3];
  std::istringstream items(fields[4]);
  for (std::string item; std::getline(items, item, kItem);) observed.broken.push_back(item);
  std::getline(in, observed.transcript, '\0');
  return observed;
}

}  // namespace cb::damage
