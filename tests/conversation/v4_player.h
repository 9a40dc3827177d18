// SPDX-License-Identifier: Apache-2.0
//
// Plays steps as clients of protocol v4, over up to two connections at a time, against the real
// session, and remembers what it sent and what was promised. V4Talk judges each answer by itself;
// here is what answers mean: a commit that was acknowledged is whole, what is read is what was put.
// One thread.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "tests/conversation/steps.h"
#include "tests/conversation/v4_talk.h"
#include "tests/conversation/v4_world.h"

namespace cb::conversation {

class V4Player {
 public:
  enum Kind : uint8_t {
    use_line,        // a: which; b: a new one
    hello,           // a, b: versions, c: features
    login,           // a: who, b: what is wrong
    password_login,  // a: what is wrong
    enter,           // a: who: hello and login, all right
    put,             // a: blob, b: mask, c: what is wrong, x: size
    put_more,        // x: bytes
    have,            // x: which, b: and others
    flush,           //
    commit,          // a: snapshot and root, c: variants, x: commit id, y: numbers
    get,             // x: which, a: whose, b: exact
    plain,           // a, b: a request with a number in it, x
    snapshots,       // a: with what
    forget,          // a: snapshot, b: undelete
    slots,           // a: add or remove, b: what is wrong
    retention,       // a: which rules, bytes
    set_device,      // a: who, b: state
    invite,          // a: add, remove, open or join, b: what is wrong
    put_record,      // a: revokes whom, b: what is wrong
    verified,        // x: which, a: whose, b: bad
    sessions,        // a: what
    drill,           // a: what is wrong, x: numbers
    stranger,        // a: enroll, migrate, prove, adopt, replica login
    message,         // a, b: code; bytes are the message
    raw,             // bytes
    spoil,           // x: where in the next frame, c: with what; b: cuts there
    wait,            // a: how long
    at_once,         // a: do requests wait for answers?
    stop_reading,    // a
    close,           //
    end_sending,     //
    back_up,         // b: mask, x: size: all blobs of a snapshot, and the commit
    kinds
  };

  V4Player(InProcessServer& server, const V4World& world, uint64_t number);

  void play(const Step& step);
  // Closes, then checks what must hold.
  void finish();

 private:
  using Account = V4Account;

  void do_line(const Step& step);
  void do_hello(const Step& step);
  void do_login(const Step& step);
  void do_password(const Step& step);
  void do_put(const Step& step);
  void send_blob(repository::StoredBlob blob, const Step& step);
  void send_rest(uint32_t id, ByteView rest, const Step& step);
  void do_have(const Step& step);
  void do_commit(const Step& step);
  void do_get(const Step& step);
  void do_plain(const Step& step);
  void do_wish(const Step& step);
  void do_slots(const Step& step);
  void do_retention(const Step& step);
  void do_device(const Step& step);
  void do_invite(const Step& step);
  void make_invite(const Step& step);
  void do_record(const Step& step);
  void do_verified(const Step& step);
  void do_sessions(const Step& step);
  void do_drill(const Step& step);
  void do_stranger(const Step& step);
  void do_message(const Step& step);
  void do_backup(const Step& step);
  void play_members(const Step& step);
  void play_transport(const Step& step);
  void play_transfer(const Step& step);

  void collect();
  void settle();
  void answered(size_t line, const V4Answered& answer);
  void take_blob(size_t line, const V4Answered& answer);
  void check_blob(size_t line);
  void check_commit(const V4Answered& answer);
  void check_have(const V4Answered& answer);
  void check_snapshots(const V4Answered& answer);

  [[nodiscard]] const server::V4Owner& device(unsigned i) const;
  [[nodiscard]] std::string ids_of(uint16_t which, unsigned others) const;
  [[nodiscard]] uint64_t salt() const { return number_; }
  V4Talk& talk() { return *talks_[current_]; }

  InProcessServer& server_;
  const V4World& world_;
  const V4Account& account_;
  const uint64_t number_;
  std::array<std::unique_ptr<V4Talk>, 2> talks_;
  std::array<std::optional<repository::StoredBlob>, 2> arriving_;
  size_t current_ = 0;
  bool at_once_ = false;
  bool checks_store_ = false;
  bool was_spoilt_ = false;      // somebody sent what this does not know
  bool was_condemned_ = false;   // an owner called copies bad
  bool took_strangers_ = false;  // an id of the stranger's was put here, too
  std::map<repository::BlobId, std::set<identity::Hash>> contents_;
  std::map<uint32_t, size_t> haves_;     // by request: where the stranger's ids begin
  std::set<repository::BlobId> listed_;  // of commits that were acknowledged
  std::optional<server::V4Invited> invited_;
  bool may_join_ = false;  // the invite and the certificate are as they must be
};

}  // namespace cb::conversation
