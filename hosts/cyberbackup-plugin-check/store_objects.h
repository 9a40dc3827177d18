// SPDX-License-Identifier: Apache-2.0
//
// Objects for the checks of stores: their bytes follow from a number, so that any part of them can
// be told, and they cross to the plugin in guarded memory. Functions may run in parallel on one
// store.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/plugin/store.h"
#include "hosts/cyberbackup-plugin-check/check.h"

namespace cb::check {

// Bytes [offset, offset + size) of the endless noise that `number` stands for.
Bytes pattern(uint64_t number, size_t size, uint64_t offset = 0);

// Writes `content` in uneven pieces.
Status write_pieces(plugin::Put& put, ByteView content);
Status put_object(plugin::Store& store, std::string_view name, ByteView content,
                  bool if_absent = false);

// All bytes that a get delivers, read into `step` bytes of room. Fails, too, when the plugin wrote
// outside of that.
Result<Bytes> read_all(plugin::Get& get, size_t step = 64 << 10);
Result<Bytes> get_object(plugin::Store& store, std::string_view name, uint64_t offset = 0,
                         uint64_t length = 0);

// The objects of a listing in its order.
Result<std::vector<plugin::StoredObject>> list_objects(plugin::Store& store,
                                                       std::string_view prefix = {},
                                                       std::string_view after = {});
Result<std::vector<std::string>> list_names(plugin::Store& store, std::string_view prefix = {},
                                            std::string_view after = {});

// Fails unless the object is there with exactly this content.
Status expect_object(plugin::Store& store, const std::string& name, ByteView content);

// `what` ended in `how` instead of an error of this code.
Status wrongly_ended(const std::string& what, const std::string& how, Code wanted);

// Fails unless `came` is an error of this code.
template <typename T>
Status expect_refusal(const Result<T>& came, Code wanted, const std::string& what) {
  if (came) return wrongly_ended(what, "succeeded", wanted);
  if (came.error().code == wanted) return {};
  return wrongly_ended(
      what,
      "failed as " + std::string(name_of(came.error().code)) + " (" + came.error().cause + ")",
      wanted);
}

}  // namespace cb::check
