// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/descriptor.h"

#include <cstdio>
#include <cstring>
#include <iterator>
#include <span>
#include <string_view>

#include "core/plugin/schema.h"
#include "cyberbackup/compress.h"
#include "cyberbackup/crypto.h"
#include "cyberbackup/store.h"
#include "cyberbackup/transport.h"

namespace cb::plugin {
namespace {

constexpr const char* kTellAuthor = "report this to the plugin's author";

// One function of an interface's table and the capability that stands for it; 0 = always there.
struct Slot {
  const char* name;
  uint32_t offset;
  uint64_t capability;
};

struct Interface {
  const char* id;
  uint32_t size_1_0;  // of the table
  std::span<const Slot> slots;
};

#define CB_SLOT(ops, member, capability) \
  Slot { #member, offsetof(ops, member), capability }

constexpr Slot kStoreSlots[] = {
    CB_SLOT(cb_store_ops, stat, 0),      CB_SLOT(cb_store_ops, put_begin, 0),
    CB_SLOT(cb_store_ops, put_write, 0), CB_SLOT(cb_store_ops, put_commit, 0),
    CB_SLOT(cb_store_ops, put_abort, 0), CB_SLOT(cb_store_ops, get_open, 0),
    CB_SLOT(cb_store_ops, get_read, 0),  CB_SLOT(cb_store_ops, get_close, 0),
    CB_SLOT(cb_store_ops, remove, 0),    CB_SLOT(cb_store_ops, list_open, 0),
    CB_SLOT(cb_store_ops, list_next, 0), CB_SLOT(cb_store_ops, list_close, 0),
};

constexpr Slot kCryptoSlots[] = {
    CB_SLOT(cb_crypto_ops, props, 0),
    CB_SLOT(cb_crypto_ops, key_import, 0),
    CB_SLOT(cb_crypto_ops, key_free, 0),
    CB_SLOT(cb_crypto_ops, pair_new, CB_CRYPTO_KEM),
    CB_SLOT(cb_crypto_ops, pair_import_private, CB_CRYPTO_KEM),
    CB_SLOT(cb_crypto_ops, pair_import_public, CB_CRYPTO_KEM),
    CB_SLOT(cb_crypto_ops, pair_public, CB_CRYPTO_KEM),
    CB_SLOT(cb_crypto_ops, pair_private, CB_CRYPTO_KEM),
    CB_SLOT(cb_crypto_ops, pair_free, CB_CRYPTO_KEM),
    CB_SLOT(cb_crypto_ops, encapsulate, CB_CRYPTO_KEM),
    CB_SLOT(cb_crypto_ops, decapsulate, CB_CRYPTO_KEM),
    CB_SLOT(cb_crypto_ops, seal_begin, CB_CRYPTO_STREAM),
    CB_SLOT(cb_crypto_ops, seal_chunk, CB_CRYPTO_STREAM),
    CB_SLOT(cb_crypto_ops, seal_free, CB_CRYPTO_STREAM),
    CB_SLOT(cb_crypto_ops, open_begin, CB_CRYPTO_STREAM),
    CB_SLOT(cb_crypto_ops, open_chunk, CB_CRYPTO_STREAM),
    CB_SLOT(cb_crypto_ops, open_free, CB_CRYPTO_STREAM),
    CB_SLOT(cb_crypto_ops, keyed_id, CB_CRYPTO_KEYED_ID),
    CB_SLOT(cb_crypto_ops, key_wrap, CB_CRYPTO_KEY_WRAP),
    CB_SLOT(cb_crypto_ops, key_unwrap, CB_CRYPTO_KEY_WRAP),
    CB_SLOT(cb_crypto_ops, key_derive, CB_CRYPTO_KEY_DERIVE),
};

constexpr Slot kCompressSlots[] = {
    CB_SLOT(cb_compress_ops, bound, 0),
    CB_SLOT(cb_compress_ops, compress, 0),
    CB_SLOT(cb_compress_ops, decompress, 0),
    CB_SLOT(cb_compress_ops, codec_new, CB_COMPRESS_STREAM),
    CB_SLOT(cb_compress_ops, codec_run, CB_COMPRESS_STREAM),
    CB_SLOT(cb_compress_ops, codec_reset, CB_COMPRESS_STREAM),
    CB_SLOT(cb_compress_ops, codec_free, CB_COMPRESS_STREAM),
};

constexpr Slot kTransportSlots[] = {
    CB_SLOT(cb_transport_ops, handshake, 0),
    CB_SLOT(cb_transport_ops, read, 0),
    CB_SLOT(cb_transport_ops, write, 0),
    CB_SLOT(cb_transport_ops, shutdown, 0),
    CB_SLOT(cb_transport_ops, fd, 0),
    CB_SLOT(cb_transport_ops, info, 0),
    CB_SLOT(cb_transport_ops, close, 0),
    CB_SLOT(cb_transport_ops, connect, CB_TRANSPORT_ROOT),
    CB_SLOT(cb_transport_ops, wrap, CB_TRANSPORT_FILTER),
    CB_SLOT(cb_transport_ops, listen, CB_TRANSPORT_LISTEN),
    CB_SLOT(cb_transport_ops, accept, CB_TRANSPORT_LISTEN),
    CB_SLOT(cb_transport_ops, listener_fd, CB_TRANSPORT_LISTEN),
    CB_SLOT(cb_transport_ops, listener_close, CB_TRANSPORT_LISTEN),
    CB_SLOT(cb_transport_ops, listener_port, CB_TRANSPORT_LISTEN),
};

#undef CB_SLOT

// The sizes of 1.0, which never change: offset and size of the last member there was.
template <typename T>
constexpr uint32_t end_of(size_t offset) {
  return static_cast<uint32_t>(offset + sizeof(T));
}
constexpr uint32_t kEntrySize = end_of<void*>(offsetof(cb_entry, descriptors));
constexpr uint32_t kDescriptorSize = end_of<void*>(offsetof(cb_descriptor, extension));

constexpr Interface kInterfaces[] = {
    {CB_STORE_INTERFACE, end_of<void*>(offsetof(cb_store_ops, space)), kStoreSlots},
    {CB_CRYPTO_INTERFACE, end_of<void*>(offsetof(cb_crypto_ops, open_free)), kCryptoSlots},
    {CB_COMPRESS_INTERFACE, end_of<void*>(offsetof(cb_compress_ops, codec_free)), kCompressSlots},
    {CB_TRANSPORT_INTERFACE, end_of<void*>(offsetof(cb_transport_ops, close)), kTransportSlots},
};

std::string hex32(uint32_t value) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%08x", value);
  return text;
}

bool has_slot(const std::byte* table, uint32_t table_size, const Slot& slot) {
  if (table_size < slot.offset + sizeof(void*)) return false;
  const void* function = nullptr;
  std::memcpy(&function, table + slot.offset, sizeof function);
  return function != nullptr;
}

std::string named(const cb_descriptor& descriptor, const std::string& object) {
  return object + ", id " + descriptor.id;
}

// All of a claimed set, and all or none of an unclaimed one.
Status check_sets(const cb_descriptor& descriptor, const Interface& interface,
                  const std::string& object) {
  const auto* table = static_cast<const std::byte*>(descriptor.ops);
  uint32_t table_size = 0;
  std::memcpy(&table_size, table, sizeof table_size);
  if (table_size < interface.size_1_0)
    return failed(Code::invalid, named(descriptor, object),
                  std::string("its table for ") + interface.id + " has size " +
                      std::to_string(table_size) + "; 1.0 has " +
                      std::to_string(interface.size_1_0),
                  kTellAuthor);
  for (const Slot& slot : interface.slots) {
    const bool wanted = slot.capability == 0 || (descriptor.capabilities & slot.capability) != 0;
    if (wanted && !has_slot(table, table_size, slot))
      return failed(Code::invalid, named(descriptor, object),
                    std::string("its table for ") + interface.id + " lacks " + slot.name +
                        (slot.capability == 0 ? ", which every plugin of this kind has"
                                              : ", which capability bit " +
                                                    std::to_string(slot.capability) + " promises"),
                    kTellAuthor);
  }
  return {};
}

Status check_kinds(const cb_descriptor& descriptor, const std::string& object) {
  if (std::string_view(descriptor.interface_id) != CB_TRANSPORT_INTERFACE) return {};
  const uint64_t has = descriptor.capabilities;
  const bool root = (has & CB_TRANSPORT_ROOT) != 0;
  const bool filter = (has & CB_TRANSPORT_FILTER) != 0;
  if (root == filter)
    return failed(Code::invalid, named(descriptor, object),
                  root ? "claims to be both ROOT and FILTER" : "claims neither ROOT nor FILTER",
                  kTellAuthor);
  if (filter && (has & CB_TRANSPORT_LISTEN) != 0)
    return failed(Code::invalid, named(descriptor, object),
                  "claims LISTEN as a FILTER; only a ROOT listens", kTellAuthor);
  return {};
}

Status check_texts(const cb_descriptor& descriptor, const std::string& object) {
  const struct {
    const char* name;
    const char* text;
  } texts[] = {{"interface_id", descriptor.interface_id},
               {"version", descriptor.version},
               {"vendor", descriptor.vendor},
               {"license", descriptor.license},
               {"summary", descriptor.summary},
               {"status", descriptor.status},
               {"posture", descriptor.posture}};
  for (const auto& [name, text] : texts)
    if (text == nullptr || text[0] == '\0')
      return failed(Code::invalid, named(descriptor, object),
                    std::string("its descriptor has no ") + name, kTellAuthor);
  const std::string_view status = descriptor.status;
  if (status != "wip" && status != "alpha" && status != "stable")
    return failed(Code::invalid, named(descriptor, object),
                  "has status '" + std::string(status) + "'; possible are wip, alpha and stable",
                  kTellAuthor);
  const std::string_view posture = descriptor.posture;
  if (posture != "untrusted-peer" && posture != "trusted-peer")
    return failed(
        Code::invalid, named(descriptor, object),
        "has posture '" + std::string(posture) + "'; possible are untrusted-peer and trusted-peer",
        kTellAuthor);
  return {};
}

Result<const Interface*> interface_of(const cb_descriptor& descriptor, const std::string& object) {
  std::string known;
  for (const Interface& interface : kInterfaces) {
    if (std::string_view(interface.id) == descriptor.interface_id) return &interface;
    known += (known.empty() ? "" : ", ") + std::string(interface.id);
  }
  return failed(
      Code::unsupported, named(descriptor, object),
      std::string("is for interface ") + descriptor.interface_id + "; this host knows " + known,
      "install a host that knows it, or take the plugin out of the list");
}

}  // namespace

Status check_entry(const cb_entry& entry, const std::string& object) {
  if (entry.magic != CB_ENTRY_MAGIC)
    return failed(Code::corrupt, object,
                  "its entry has magic " + hex32(entry.magic) + ", not " + hex32(CB_ENTRY_MAGIC),
                  "it is damaged or no CyberBackup plugin: install it again");
  if (entry.size < kEntrySize)
    return failed(Code::invalid, object,
                  "its entry has size " + std::to_string(entry.size) + "; 1.0 has " +
                      std::to_string(kEntrySize),
                  kTellAuthor);
  if (entry.needs_minor > CB_ABI_MINOR)
    return failed(Code::unsupported, object,
                  "needs plugin ABI 1." + std::to_string(entry.needs_minor) + "; this host has 1." +
                      std::to_string(CB_ABI_MINOR),
                  "install a newer host, or an older build of the plugin");
  if (!CB_HAS(&entry, cb_entry, descriptors))
    return failed(Code::invalid, object, "its entry has no descriptors function", kTellAuthor);
  return {};
}

Status check_identity(const cb_descriptor& descriptor, const std::string& object) {
  if (descriptor.size < kDescriptorSize)
    return failed(Code::invalid, object,
                  "a descriptor has size " + std::to_string(descriptor.size) + "; 1.0 has " +
                      std::to_string(kDescriptorSize),
                  kTellAuthor);
  if (descriptor.id == nullptr || !is_plugin_id(descriptor.id))
    return failed(Code::invalid, object,
                  descriptor.id == nullptr
                      ? "a descriptor has no id"
                      : "has the id '" + std::string(descriptor.id, strnlen(descriptor.id, 64)) +
                            "', which is not of the form [a-z0-9-]{1,32}",
                  kTellAuthor);
  CB_TRY(check_texts(descriptor, object));
  CB_TRY(interface_of(descriptor, object));
  return {};
}

Status check_table(const cb_descriptor& descriptor, const std::string& object) {
  CB_ASSIGN(const Interface* interface, interface_of(descriptor, object));
  if (descriptor.ops == nullptr || descriptor.create == nullptr || descriptor.destroy == nullptr)
    return failed(Code::invalid, named(descriptor, object),
                  "its descriptor lacks ops, create or destroy", kTellAuthor);
  CB_TRY(check_kinds(descriptor, object));
  return check_sets(descriptor, *interface, object);
}

Status check_descriptor(const cb_descriptor& descriptor, const std::string& object) {
  CB_TRY(check_identity(descriptor, object));
  return check_table(descriptor, object);
}

}  // namespace cb::plugin
