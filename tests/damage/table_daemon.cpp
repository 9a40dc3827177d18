// SPDX-License-Identifier: Apache-2.0
//
// Damage to files of the daemon.
#include "tests/damage/reasons.h"
#include "tests/damage/table.h"

namespace cb::damage {
namespace {

using P = Place;
using K = Kind;
using C = Cure;

constexpr Cell kDaemonCells[] = {
    harmless(P::event, K::bit, kOneLetter),
    seen(P::event, K::zeros, start, C::itself, "$file"),
    seen(P::event, K::noise, start, C::itself, "$file"),
    seen(P::event, K::cut, start, C::itself, "$file"),
    harmless(P::event, K::missing, kLogHasIt),
    seen(P::event, K::swapped, start, C::itself, "$file"),
    seen(P::event, K::doubled, start, C::itself, "$file"),
    cannot_be(P::event, K::old, kNotInOldState),
    stops(P::signing_key, K::bit,
          check | read_check | client | client_check | restore_old | restore_new | backup,
          C::advice, "$file"),
    stops(P::signing_key, K::zeros,
          check | read_check | client | client_check | restore_old | restore_new | backup,
          C::advice, "$file"),
    stops(P::signing_key, K::noise,
          check | read_check | client | client_check | restore_old | restore_new | backup,
          C::advice, "$file"),
    stops(P::signing_key, K::cut, check | read_check | start, C::advice, "$file"),
    stops(P::signing_key, K::swapped,
          check | read_check | client | client_check | restore_old | restore_new | backup,
          C::advice, "$file"),
    stops(P::signing_key, K::doubled, check | read_check | start, C::advice, "$file"),
    cannot_be(P::signing_key, K::old, kNeverChanges),
    stops(P::tls_key, K::bit, start, C::advice, "$file"),
    stops(P::tls_key, K::zeros, start, C::advice, "$file"),
    stops(P::tls_key, K::noise, start, C::advice, "$file"),
    stops(P::tls_key, K::cut, start, C::advice, "$file"),
    stops(P::tls_key, K::swapped, start, C::advice, "$file"),
    harmless(P::tls_key, K::doubled, kFirstCounts),
    cannot_be(P::tls_key, K::old, kNeverChanges),
    stops(P::tls_certificate, K::bit, start, C::advice, "$file"),
    stops(P::tls_certificate, K::zeros, start, C::advice, "$file"),
    stops(P::tls_certificate, K::noise, start, C::advice, "$file"),
    stops(P::tls_certificate, K::cut, start, C::advice, "$file"),
    stops(P::tls_certificate, K::missing, start, C::advice, "$file"),
    stops(P::tls_certificate, K::swapped, start, C::advice, "$file"),
    harmless(P::tls_certificate, K::doubled, kFirstCounts),
    cannot_be(P::tls_certificate, K::old, kNeverChanges),
};

}  // namespace

std::span<const Cell> daemon_cells() { return kDaemonCells; }

}  // namespace cb::damage
