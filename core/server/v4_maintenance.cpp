// SPDX-License-Identifier: Apache-2.0
//
// What a v4 session may do while the store is read-only or offline.
#include "core/server/v4_session.h"

namespace cb::server {
namespace {

using v4::Request;

// What is not among these changes what the store has, or tells of it.
bool only_reads(Request code) {
  switch (code) {
    case Request::login:
    case Request::password_login:
    case Request::open_invite:
    case Request::migrate:
    case Request::prove_key:
    case Request::have:
    case Request::flush:
    case Request::get:
    case Request::snapshots:
    case Request::slots:
    case Request::counts:
    case Request::devices:
    case Request::sessions:
    case Request::chain:
    case Request::copies:
    case Request::wanted:
    case Request::signatures:
    case Request::retention:
    case Request::replica_login:
    case Request::replica_accounts:
    case Request::replica_records:
    case Request::replica_devices:
    case Request::replica_chain:
    case Request::drill_result:
      return true;
    default:
      return false;
  }
}

}  // namespace

// A session in the middle of a backup may go on with all that it does, for as long as the operator
// gave.
Status V4Session::admit(Request code) {
  Maintenance* const store = shared_.parts.maintenance;
  // The rest of a blob does not count: its begin was admitted, or is dropped.
  if (store == nullptr || code == Request::hello || code == Request::heartbeat ||
      code == Request::put_more)
    return {};
  if (backup_) return backup_->may_go_on();
  const auto end = [this] { connection_->cancel(); };
  if (code == Request::get || code == Request::replica_get) {
    CB_ASSIGN(Maintenance::Ticket ticket, store->begin(Maintenance::Work::reading, end));
    reading_.emplace(std::move(ticket));
    return {};
  }
  if (only_reads(code)) return store->may_read();
  if (code != Request::put && code != Request::commit) return store->may_write();
  CB_ASSIGN(Maintenance::Ticket ticket, store->begin(Maintenance::Work::backup, end));
  backup_.emplace(std::move(ticket));
  return {};
}

stream::Task<void> V4Session::turn_away(const Frame& frame, const Error& why) {
  if (frame.code == Request::put) co_return co_await puts_.deny(frame.request_id, why);
  if (is_in()) co_return co_await fail_request(frame.request_id, why, false);
  shared_.parts.log->info("v4.turned-away", {{"peer", peer_}, {"why", why.text()}});
  (void)co_await end_with(frame.request_id, why);
  co_return failed(Code::closed, peer_, "was turned away");
}

}  // namespace cb::server
