// SPDX-License-Identifier: Apache-2.0
//
// ShrinkProbe: guesses cheaply whether a frame is worth compressing, so that pictures, archives and
// encrypted files cost little. A wrong guess costs space or time, never content. For one thread at
// a time.
#pragma once

#include "core/base/bytes.h"

namespace cb::repository {

class ShrinkProbe {
 public:
  // True when compression should be tried on this frame: its bytes are not spread evenly, or it is
  // the one of sixteen even-looking frames that is tried all the same, since repetition shrinks
  // too.
  bool worth_trying(ByteView frame);

  // What came of a try.
  void tried(bool shrank);

 private:
  unsigned skip_ = 0;   // even-looking frames still to pass over
  unsigned trust_ = 0;  // even-looking frames still to be tried after one that shrank
};

// Are the sampled bytes of `frame` spread as evenly as those of random data?
bool looks_random(ByteView frame);

}  // namespace cb::repository
