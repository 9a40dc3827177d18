// SPDX-License-Identifier: Apache-2.0
#include "core/repository/device_name.h"

#include <algorithm>

#include "core/repository/record_writer.h"
#include "core/repository/signatures.h"

namespace cb::repository {
namespace {

constexpr size_t kMostSealed = 1024;  // bytes; names are shorter by far

// `bearer` is the id of the invite, or of the device where the root key certified it: so nobody
// gives one device's name to another.
Bytes place_of(const RepositoryId& repository, ByteView bearer) {
  RecordWriter out;
  out.fixed(as_bytes("cyberbackup/device-name/2"));
  out.fixed(repository.view());
  out.fixed(bearer);
  return out.take();
}

}  // namespace

Status check_device_name(std::string_view name) {
  const bool plain = !name.empty() && name.size() <= kMostDeviceName &&
                     std::none_of(name.begin(), name.end(), [](char c) {
                       return c == '\x7f' || static_cast<unsigned char>(c) < ' ';
                     });
  if (plain) return {};
  return failed(Code::invalid, "device name '" + std::string(name) + "'",
                "is empty, longer than 100 bytes, or has control characters", "choose another");
}

Result<DeviceNames> DeviceNames::make(const plugin::Crypto& crypto, const RepositoryId& repository,
                                      ByteView root_seed) {
  if (root_seed.empty())
    return failed(Code::invalid, "names of devices", "are opened with an owner's keys alone");
  CB_ASSIGN(const plugin::Key root, crypto.import_key(root_seed));
  CB_ASSIGN(plugin::Key key, root.derive("device-name", repository.view()));
  CB_ASSIGN(const StreamSizes sizes, stream_sizes(crypto));
  return DeviceNames(repository, std::move(key), sizes);
}

Result<Bytes> DeviceNames::seal(const InviteId& invite, std::string_view name) const {
  return seal_for(invite.view(), name);
}

Result<Bytes> DeviceNames::seal(const DeviceId& device, std::string_view name) const {
  return seal_for(device.view(), name);
}

Result<Bytes> DeviceNames::seal_for(ByteView bearer, std::string_view name) const {
  CB_TRY(check_device_name(name));
  return seal_stream(key_, sizes_, place_of(repository_, bearer), {{}, as_bytes(name)});
}

Result<std::string> DeviceNames::open(const Certificate& certificate) const {
  const Bytes& sealed = certificate.name;
  if (sealed.empty()) return std::string();
  if (sealed.size() > kMostSealed)
    return failed(Code::auth, "device name", "is longer than any that an owner gives");
  const DeviceId device = device_of(certificate.device);
  const Bytes place =
      place_of(repository_, certificate.invite ? certificate.invite->id.view() : device.view());
  Bytes plain(sealed.size());
  CB_ASSIGN(const size_t size, open_stream(key_, sizes_, place, sealed, plain));
  return std::string(as_text(ByteView(plain).first(size)));
}

}  // namespace cb::repository
