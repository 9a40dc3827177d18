// SPDX-License-Identifier: Apache-2.0
//
// Names that owners give to devices (docs/trust.md, "Names of devices"). They are sealed under a
// key that comes of the root seed: whoever opens a slot with a passphrase or the recovery code
// reads them, and neither the server nor who has all files of a device does.
#pragma once

#include <string>
#include <string_view>

#include "core/plugin/crypto.h"
#include "core/repository/records.h"
#include "core/repository/sealed_stream.h"

namespace cb::repository {

constexpr size_t kMostDeviceName = 100;  // bytes

// Code::invalid for a name that is too long, empty or has control characters.
Status check_device_name(std::string_view name);

// Seals and opens the names of one repository. May be used by several threads.
class DeviceNames {
 public:
  // `root_seed` is that of an owner's keyring; the plugin outlives what is made. Code::invalid when
  // there is none.
  static Result<DeviceNames> make(const plugin::Crypto& crypto, const RepositoryId& repository,
                                  ByteView root_seed);

  // As the certificate has it, of the device that comes by this invite, or that the root key
  // itself certifies. Code::invalid as check_device_name.
  Result<Bytes> seal(const InviteId& invite, std::string_view name) const;
  Result<Bytes> seal(const DeviceId& device, std::string_view name) const;
  // Empty when it has none. Code::auth when no owner sealed it for this invite or device.
  Result<std::string> open(const Certificate& certificate) const;

 private:
  DeviceNames(const RepositoryId& repository, plugin::Key key, const StreamSizes& sizes)
      : repository_(repository), key_(std::move(key)), sizes_(sizes) {}

  Result<Bytes> seal_for(ByteView bearer, std::string_view name) const;

  RepositoryId repository_;
  plugin::Key key_;
  StreamSizes sizes_;
};

}  // namespace cb::repository
