// SPDX-License-Identifier: Apache-2.0
#include "core/server/v4_guard.h"

#include <algorithm>
#include <boost/asio/ip/address_v6.hpp>

#include "core/server/peer_address.h"

namespace cb::server {
namespace {

using std::chrono::nanoseconds;

// Many people may come from one address.
constexpr uint32_t kTriesOfAddress = 4;  // times those of an account

LockOutSettings lock_out_of(const V4Settings& settings) {
  return {settings.login_tries, settings.login_wait, settings.longest_login_wait};
}

LockOutSettings lock_out_of_address(const V4Settings& settings) {
  LockOutSettings lock_out = lock_out_of(settings);
  lock_out.tries *= kTriesOfAddress;
  return lock_out;
}

}  // namespace

std::string network_of(const std::string& peer) {
  std::string host = without_port(peer);
  if (host.size() < 2 || host.front() != '[') return host;
  host = host.substr(1, host.size() - 2);
  boost::system::error_code wrong;
  const auto address = boost::asio::ip::make_address_v6(host, wrong);
  if (wrong || address.is_v4_mapped()) return host;
  auto bytes = address.to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), uint8_t{0});
  return boost::asio::ip::address_v6(bytes).to_string() + "/64";
}

V4Guard::V4Guard(const os::Clock& clock, const V4Settings& settings)
    : rate_(clock, settings.hellos_per_minute),
      accounts_(clock, lock_out_of(settings)),
      subjects_(clock, lock_out_of(settings)),
      addresses_(clock, lock_out_of_address(settings)),
      most_passwords_(settings.password_checks),
      passwords_(std::make_shared<std::atomic<uint32_t>>(0)) {}

void V4Guard::reconfigure(const V4Settings& settings) {
  rate_.set_rate(settings.hellos_per_minute);
  accounts_.set(lock_out_of(settings));
  subjects_.set(lock_out_of(settings));
  addresses_.set(lock_out_of_address(settings));
  most_passwords_ = settings.password_checks;
}

Error V4Guard::busy(const std::string& subject, nanoseconds wait) {
  ++locked_out_;
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait);
  Error error =
      fail(Code::busy, subject, "failed too often", "try again in " + format_duration(seconds));
  error.retry = Retry::yes;
  return error;
}

Status V4Guard::admit(const std::string& network) {
  if (rate_.allow(network)) return {};
  ++locked_out_;
  return failed(Code::busy, "address " + network, "comes too often", "try again in a minute");
}

Result<V4Guard::Place> V4Guard::begin_password(const std::string& account,
                                               const std::string& network) {
  const nanoseconds wait = std::max(accounts_.wait_of(account), addresses_.wait_of(network));
  if (wait > nanoseconds::zero()) return failed(busy("login of " + account, wait));
  Place place(passwords_);
  if (++*passwords_ > most_passwords_)
    return failed(Code::busy, "login", "too many passwords are checked just now",
                  "try again in a few seconds");
  // Counted before it is looked at, or else many at one time were one.
  accounts_.fail(account);
  addresses_.fail(network);
  return place;
}

void V4Guard::password_was_right(const std::string& account, const std::string& network) {
  accounts_.clear(account);
  addresses_.take_back(network);
}

Error V4Guard::proof_failed(const std::string& subject, const std::string& network, Error why) {
  const nanoseconds wait = std::max(subjects_.wait_of(subject), addresses_.wait_of(network));
  subjects_.fail(subject);
  addresses_.fail(network);
  return wait > nanoseconds::zero() ? busy(subject, wait) : std::move(why);
}

}  // namespace cb::server
