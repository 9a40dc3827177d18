// SPDX-License-Identifier: Apache-2.0
//
// What every compressor must do.
#include "hosts/cyberbackup-plugin-check/compress_checks.h"

#include "cyberbackup/compress.h"
#include "hosts/cyberbackup-plugin-check/catalogue.h"

namespace cb::check {
namespace {

constexpr Applies kAll = {.interface_id = CB_COMPRESS_INTERFACE};
constexpr Applies kStreamCodecs = {.interface_id = CB_COMPRESS_INTERFACE,
                                   .with = CB_COMPRESS_STREAM};

Check compress_check(std::string_view name, std::string_view sentence,
                     Result<Verdict> (*run)(Subject&), Applies applies = kAll,
                     bool fuzzes = false) {
  return {.name = name,
          .sentence = sentence,
          .group = Group::compress,
          .run = run,
          .applies = applies,
          .timeout = std::chrono::seconds(60),
          .after = {},
          .fuzzes = fuzzes};
}

}  // namespace

std::vector<Check> compress_checks() {
  return {
      compress_check("round-trip",
                     "What was compressed comes back: nothing, zeros, noise, text, 64 MiB.",
                     compress_round_trip),
      compress_check("bound-is-true", "The room that bound() names is enough; less is refused.",
                     compress_bound_is_true),
      compress_check("bomb-stops-at-cap",
                     "What would become more than its room is refused, within the room.",
                     compress_bomb_stops_at_cap),
      compress_check("truncated", "A frame cut short is corrupt, wherever it was cut.",
                     compress_truncated),
      compress_check("garbage", "Rubbish and damage are refused as corrupt or beyond a limit.",
                     compress_garbage, kAll, true),
      compress_check("concatenated-frames", "Frames in a row are one text.",
                     compress_concatenated_frames),
      compress_check("stream-equals-one-shot",
                     "A stream reads what one shot wrote, and the other way.",
                     compress_stream_equals_one_shot, kStreamCodecs),
      compress_check("one-byte-windows", "A stream needs no more than a byte at a time.",
                     compress_one_byte_windows, kStreamCodecs),
      compress_check("flush-is-readable", "After a flush all that went in can be read.",
                     compress_flush_is_readable, kStreamCodecs),
      compress_check("reset-reuse", "A reset makes a codec as new, whatever it was doing.",
                     compress_reset_reuse, kStreamCodecs),
      compress_check("unknown-ops", "Directions and ops that nobody knows are refused.",
                     compress_unknown_ops, kStreamCodecs),
  };
}

}  // namespace cb::check
