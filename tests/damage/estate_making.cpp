// SPDX-License-Identifier: Apache-2.0
//
// How the house comes about, with the real programs.
#include <filesystem>
#include <sstream>
#include <stdexcept>

#include "core/log/capture.h"
#include "core/notify/outbox.h"
#include "tests/damage/estate.h"
#include "tests/folders.h"

namespace cb::damage {
namespace {

namespace fs = std::filesystem;

std::string words_of(const Words& arguments) {
  std::string all;
  for (const std::string& argument : arguments) all += " " + argument;
  return all;
}

void copy_tree(const std::string& from, const std::string& to) {
  fs::create_directories(fs::path(to).parent_path());
  const Ended copied = run({"cp", "-a", from, to});
  if (copied.exit_code != 0) throw std::runtime_error("cannot copy: " + copied.output);
}

}  // namespace

std::string Estate::must_server(Words arguments) {
  const std::string said = words_of(arguments);
  Ended ended = server(std::move(arguments));
  if (ended.exit_code != 0) throw std::runtime_error("cyberbackupd" + said + ": " + ended.output);
  return std::move(ended.output);
}

std::string Estate::must_client(const std::string& device, Words arguments) {
  const std::string said = words_of(arguments);
  Ended ended = client(device, std::move(arguments));
  if (ended.exit_code != 0) throw std::runtime_error(device + ":" + said + ": " + ended.output);
  return std::move(ended.output);
}

void Estate::begin(const std::string& store) {
  make_daemon(store);
  if (!start()) throw std::runtime_error("no daemon: " + daemon_log());
  make_devices();
  make_old_state();
}

void Estate::go_on() {
  make_new_state();
  make_leftovers();
}

void Estate::make_daemon(const std::string& store) {
  for (const char* folder : {"daemon", "strange/daemon"}) {
    const Ended made = run({test::program("cyberbackupd"), "init", in_house(folder), "--listen-v3",
                            "127.0.0.1:1256", "--listen-v4", "127.0.0.1:1257", "--store", store,
                            "--plugins", test::plugins()});
    if (made.exit_code != 0) throw std::runtime_error("init: " + made.output);
  }
  const std::string file = in_house("daemon/cyberbackupd.toml");
  // Tests need no probes; and what waits for this target waits for good.
  std::string text = content_of(file);
  const std::string plugins = "[plugins]\n";
  text.replace(text.find(plugins), plugins.size(),
               plugins + "probe = false\ncheck_owner = false\n");
  write_file(file, text +
                       "\n[upkeep]\nretention = \"off\"\ncollect = \"off\"\ncompact = \"off\"\n"
                       "verify = \"off\"\nwatch = \"off\"\n"
                       "\n[[notify]]\nname = \"nowhere\"\nurl = \"http://127.0.0.1:9/\"\n");
}

void Estate::join(const std::string& device, const std::string& role) {
  fs::create_directories(in_house(device));
  write_file(in_house(device + "/passphrase"), "the passphrase of " + device + "\n");
  std::istringstream lines(must_client("owner", {"--quiet", "device", "invite", "--role", role}));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("cbi1.")) {
      must_client(device, {"enroll", line});
      return;
    }
  throw std::runtime_error("there is no invite");
}

void Estate::make_devices() {
  fs::create_directories(in_house("owner"));
  write_file(in_house("owner/passphrase"), "the passphrase of the owner\n");
  write_file(in_house("password"), "a password\n");
  write_file(in_house("password-2"), "another password\n");
  must_server({"account", "add", "alice"});
  must_client("owner",
              {"enroll", last_line(must_server({"token", "create", "--account", "alice"}))});
  join("writer", "writer");
  join("reader", "reader");
}

void Estate::make_old_state() {
  must_server({"retention", "set", "--account", "alice", "--keep-last", "1000"});
  must_server({"account", "password", "alice", "--password-file", in_house("password")});
  let_settle(sources() + "/tree/same");
  note("first", last_line(must_client("owner", {"--quiet", "backup", sources() + "/tree"})));
  note("writer", last_line(must_client("writer", {"--quiet", "backup", sources() + "/writer"})));
  must_client("owner", {"check", "--read-data"});
  must_client("owner", {"key", "rotate"});
  fs::create_directories(in_house("old-client"));
  must_client("old-client", {"send", sources() + "/v3/note", "--server", "127.0.0.1:1256", "--name",
                             "old", "--quiet"});
  must_client("owner", {"receipts", "export", in_house("witness")});
  if (stop().exit_code != 0) throw std::runtime_error("the daemon did not end well");
  for (const char* part : {"daemon", "owner", "reader", "witness"})
    copy_tree(in_house(part), in_house(std::string("old/") + part));
}

void Estate::make_new_state() {
  if (!start()) throw std::runtime_error("no daemon: " + daemon_log());
  must_server({"retention", "set", "--account", "alice", "--keep-last", "2000"});
  must_server({"account", "password", "alice", "--password-file", in_house("password-2")});
  must_client("owner", {"key", "rotate"});
  let_settle(sources() + "/tree/later");
  note("second", last_line(must_client("owner", {"--quiet", "backup", sources() + "/tree"})));
  must_client("owner", {"forget", noted("second")});
  must_client("owner", {"undelete", noted("second")});
  note("newest", last_line(must_client("owner", {"--quiet", "backup", sources() + "/tree"})));
  must_client("reader", {"snapshots"});
  must_client("old-client", {"send", sources() + "/v3/note", "--server", "127.0.0.1:1256", "--name",
                             "old", "--quiet"});
  must_client("owner", {"receipts", "export", in_house("witness")});
  must_client("owner", {"key", "export", in_house("key.txt")});
}

// What is there for a while only: events that wait, an enrolment that was broken off, and what a
// crash leaves.
void Estate::make_leftovers() {
  must_server({"account", "add", "bob"});
  const std::string token = last_line(must_server({"token", "create", "--account", "bob"}));
  note("token", token);
  if (stop().exit_code != 0) throw std::runtime_error("the daemon did not end well");
  (void)client("owner", {"--reach-timeout", "1s", "--profile", "pending", "enroll", token});
  log::Capture log;
  notify::Outbox outbox(&os::real_file_system(), in_house("daemon/notify"), log);
  fs::create_directories(in_house("daemon/notify"));
  for (const char* id : {"aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"}) {
    notify::KeptParcel kept;
    kept.target = "nowhere";
    kept.parcel.id = id;
    kept.parcel.notice.kind = "job.failed";
    kept.parcel.notice.subject = "job failed";
    if (!outbox.put(kept)) throw std::runtime_error("no event that waits");
  }
  crash();
}

// With changes that only the catalog's log has.
void Estate::crash() {
  for (const char* part : {"daemon", "owner"})
    copy_tree(in_house(part), in_house(std::string("whole/") + part));
  if (!start()) throw std::runtime_error("no daemon: " + daemon_log());
  must_client("owner", {"forget", noted("second")});
  must_client("owner", {"undelete", noted("second")});
  daemon_.kill();
  fs::create_directories(in_house("crashed"));
  for (const char* part : {"daemon", "owner"}) {
    fs::rename(in_house(part), in_house(std::string("crashed/") + part));
    fs::rename(in_house(std::string("whole/") + part), in_house(part));
  }
}

}  // namespace cb::damage
