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
  person,   // knows the account's password
  reader,   // the rest: a device of this role
  writer,
  owner,
};

enum class Privilege : uint8_t {
  first,     // only as the first request
  stranger,  // after the hello, before any login
  member,    // who is logged in, persons too
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
      return standing >= Standing::person;
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
