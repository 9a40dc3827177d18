// SPDX-License-Identifier: Apache-2.0
//
// Who may make which request (docs/trust.md, "Roles"): one table, which the server asks and nothing
// else. Constants and pure functions.
#pragma once

#include <optional>

#include "core/protocol/v4/codes.h"
#include "core/repository/records.h"

namespace cb::v4 {

// What a session has shown so far. A session is exactly one of these.
enum class Standing : uint8_t {
  fresh,    // nothing was said
  greeted,  // the hello was
  replica,  // another server, with a token of the operator's
  person,   // knows the account's password
  reader,   // the rest: a device of this role
  writer,
  owner,
};

enum class Privilege : uint8_t {
  first,     // only as the first request
  stranger,  // after the hello, before any login
  member,    // who is logged in, persons and other servers too
  replica,   // another server alone
  device,    // any device
  opener,    // who may have something that opens a key slot: all but writers
  bringer,   // a device that backs up: writer or owner
  restorer,  // a device that can open: reader or owner
  owner,     // an owner's device
  addition,  // who may bring a device that the root key certified: a person or an owner
};

struct RequestPrivilege {
  Request request;
  Privilege privilege;
};

constexpr RequestPrivilege kPrivileges[] = {
    {Request::hello, Privilege::first},
    {Request::enroll, Privilege::stranger},
    {Request::login, Privilege::stranger},
    {Request::password_login, Privilege::stranger},
    {Request::open_invite, Privilege::stranger},
    {Request::join, Privilege::stranger},
    {Request::migrate, Privilege::stranger},
    {Request::prove_key, Privilege::stranger},
    {Request::adopt, Privilege::stranger},
    {Request::heartbeat, Privilege::member},
    {Request::have, Privilege::device},
    {Request::put, Privilege::bringer},
    {Request::put_more, Privilege::bringer},
    {Request::flush, Privilege::bringer},
    {Request::commit, Privilege::bringer},
    {Request::get, Privilege::device},
    {Request::snapshots, Privilege::device},
    {Request::forget, Privilege::bringer},  // a writer's is a wish on record
    {Request::undelete, Privilege::bringer},
    {Request::slots, Privilege::opener},
    {Request::add_slot, Privilege::owner},
    {Request::remove_slot, Privilege::owner},
    {Request::counts, Privilege::device},
    {Request::devices, Privilege::device},
    {Request::add_invite, Privilege::owner},
    {Request::remove_invite, Privilege::owner},
    {Request::set_device, Privilege::owner},
    {Request::put_record, Privilege::owner},
    {Request::add_device, Privilege::addition},
    {Request::sessions, Privilege::owner},
    {Request::put_sessions, Privilege::owner},
    {Request::chain, Privilege::device},
    {Request::copies, Privilege::owner},
    {Request::verified, Privilege::owner},
    {Request::retention, Privilege::owner},
    {Request::set_retention, Privilege::owner},
    {Request::wanted, Privilege::bringer},
    {Request::signatures, Privilege::bringer},
    {Request::replica_login, Privilege::stranger},
    {Request::replica_accounts, Privilege::replica},
    {Request::replica_records, Privilege::replica},
    {Request::replica_devices, Privilege::replica},
    {Request::replica_chain, Privilege::replica},
    {Request::replica_get, Privilege::replica},
    {Request::drill_result, Privilege::restorer},
};

// Nothing for a request that is not in the table: it is refused.
constexpr std::optional<Privilege> privilege_of(Request request) {
  for (const RequestPrivilege& entry : kPrivileges)
    if (entry.request == request) return entry.privilege;
  return std::nullopt;
}

constexpr bool has_privilege(Standing standing, Privilege privilege) {
  switch (privilege) {
    case Privilege::first:
      return standing == Standing::fresh;
    case Privilege::stranger:
      return standing == Standing::greeted;
    case Privilege::member:
      return standing >= Standing::replica;
    case Privilege::replica:
      return standing == Standing::replica;
    case Privilege::device:
      return standing >= Standing::reader;
    case Privilege::opener:
      return standing >= Standing::person && standing != Standing::writer;
    case Privilege::bringer:
      return standing >= Standing::writer;
    case Privilege::restorer:
      return standing == Standing::reader || standing == Standing::owner;
    case Privilege::owner:
      return standing == Standing::owner;
    case Privilege::addition:
      return standing == Standing::person || standing == Standing::owner;
  }
  return false;
}

// Would it change what a copy of another server's repository has from there? Such is refused
// (docs/replication.md); a device that a person adds is this server's own.
constexpr bool changes_copy(Request request) {
  switch (request) {
    case Request::put:
    case Request::put_more:
    case Request::commit:
    case Request::forget:
    case Request::undelete:
    case Request::add_slot:
    case Request::remove_slot:
    case Request::add_invite:
    case Request::remove_invite:
    case Request::set_device:
    case Request::put_record:
    case Request::put_sessions:
    case Request::verified:
    case Request::set_retention:
      return true;
    default:
      return false;
  }
}

constexpr Standing standing_of(repository::Role role) {
  switch (role) {
    case repository::Role::owner:
      return Standing::owner;
    case repository::Role::writer:
      return Standing::writer;
    case repository::Role::reader:
      return Standing::reader;
  }
  return Standing::greeted;
}

}  // namespace cb::v4
