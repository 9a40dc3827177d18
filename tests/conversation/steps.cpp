// SPDX-License-Identifier: Apache-2.0
#include "tests/conversation/steps.h"

#include <algorithm>
#include <random>

namespace cb::conversation {
namespace {

constexpr size_t kHead = 8;
constexpr uint8_t kBytesFollow = 0x80;

using Random = std::minstd_rand;
using Steps = std::vector<Step>;

size_t below(Random& random, size_t end) { return (random() >> 4) % end; }

uint8_t small(Random& random) { return static_cast<uint8_t>(below(random, 8)); }

uint16_t number(Random& random) {
  constexpr uint16_t kTelling[] = {0, 1, 2, 7, 15, 16, 17, 255, 256, 4095, 4096, 32768, 65535};
  if (below(random, 2) == 0) return kTelling[below(random, std::size(kTelling))];
  return static_cast<uint16_t>(below(random, 65536));
}

Step made(Random& random, uint8_t kinds) {
  Step step;
  step.kind = static_cast<uint8_t>(below(random, kinds));
  step.a = small(random);
  step.b = small(random);
  step.c = below(random, 2) == 0 ? uint8_t{0} : static_cast<uint8_t>(below(random, 256));
  step.x = number(random);
  step.y = below(random, 2) == 0 ? uint16_t{0} : number(random);
  return step;
}

void change_bytes(Step& step, Random& random) {
  step.has_bytes = true;
  Bytes& bytes = step.bytes;
  const size_t what = below(random, 3);
  if (bytes.empty() || what == 0) {
    const size_t more = 1 + below(random, 24);
    const size_t at = below(random, bytes.size() + 1);
    Bytes added(more);
    for (std::byte& b : added) b = static_cast<std::byte>(below(random, 256));
    bytes.insert(bytes.begin() + static_cast<ptrdiff_t>(at), added.begin(), added.end());
  } else if (what == 1) {
    bytes[below(random, bytes.size())] = static_cast<std::byte>(below(random, 256));
  } else {
    bytes.resize(below(random, bytes.size()));
  }
  if (bytes.size() > kMostStepBytes) bytes.resize(kMostStepBytes);
}

void change_step(Step& step, Random& random, uint8_t kinds) {
  switch (below(random, 8)) {
    case 0:
      step.kind = static_cast<uint8_t>(below(random, kinds));
      break;
    case 1:
      step.a = small(random);
      break;
    case 2:
      step.b = small(random);
      break;
    case 3:
      step.c = static_cast<uint8_t>(below(random, 256));
      break;
    case 4:
      step.x = number(random);
      break;
    case 5:
      step.y = number(random);
      break;
    case 6:
      step.x = static_cast<uint16_t>(step.x + below(random, 5) - 2);
      break;
    default:
      change_bytes(step, random);
  }
}

void move_block(Steps& steps, Random& random) {
  const size_t from = below(random, steps.size());
  const size_t count = 1 + below(random, std::min<size_t>(steps.size() - from, 4));
  const Steps block(steps.begin() + static_cast<ptrdiff_t>(from),
                    steps.begin() + static_cast<ptrdiff_t>(from + count));
  if (below(random, 2) == 0)
    steps.erase(steps.begin() + static_cast<ptrdiff_t>(from),
                steps.begin() + static_cast<ptrdiff_t>(from + count));
  const size_t to = below(random, steps.size() + 1);
  steps.insert(steps.begin() + static_cast<ptrdiff_t>(to), block.begin(), block.end());
}

void change(Steps& steps, Random& random, uint8_t kinds) {
  const size_t what = steps.empty() ? 0 : below(random, 8);
  const size_t at = below(random, steps.size() + (what < 2 ? 1 : 0));
  const auto place = steps.begin() + static_cast<ptrdiff_t>(at);
  if (what < 2)
    steps.insert(place, made(random, kinds));
  else if (what == 2)
    steps.erase(place);
  else if (what == 3)
    steps.insert(place, Step(*place));
  else if (what == 4)
    std::swap(*place, steps[below(random, steps.size())]);
  else if (what == 5)
    move_block(steps, random);
  else
    change_step(*place, random, kinds);
}

// So many steps as fit.
Bytes cut_to(Steps steps, size_t most) {
  if (steps.size() > kMostSteps) steps.resize(kMostSteps);
  Bytes written = write_steps(steps);
  while (written.size() > most && !steps.empty()) {
    steps.pop_back();
    written = write_steps(steps);
  }
  return written;
}

}  // namespace

std::vector<Step> parse_steps(ByteView input) {
  Steps steps;
  while (input.size() >= kHead && steps.size() < kMostSteps) {
    Step step;
    const auto at = [&](size_t i) { return static_cast<uint8_t>(input[i]); };
    step.kind = at(0) & static_cast<uint8_t>(~kBytesFollow);
    step.has_bytes = (at(0) & kBytesFollow) != 0;
    step.a = at(1);
    step.b = at(2);
    step.c = at(3);
    step.x = load_le<uint16_t>(&input[4]);
    step.y = load_le<uint16_t>(&input[6]);
    input = input.subspan(kHead);
    if (step.has_bytes && input.size() >= 2) {
      const size_t said = load_le<uint16_t>(input.data());
      input = input.subspan(2);
      const size_t size = std::min({said, input.size(), kMostStepBytes});
      step.bytes = to_bytes(input.first(size));
      input = input.subspan(size);
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

Bytes write_steps(const std::vector<Step>& steps) {
  Bytes out;
  for (const Step& step : steps) {
    const size_t at = out.size();
    out.resize(at + kHead + (step.has_bytes ? 2 : 0));
    out[at] = static_cast<std::byte>(step.kind | (step.has_bytes ? kBytesFollow : 0));
    out[at + 1] = static_cast<std::byte>(step.a);
    out[at + 2] = static_cast<std::byte>(step.b);
    out[at + 3] = static_cast<std::byte>(step.c);
    store_le<uint16_t>(&out[at + 4], step.x);
    store_le<uint16_t>(&out[at + 6], step.y);
    if (!step.has_bytes) continue;
    store_le<uint16_t>(&out[at + kHead], static_cast<uint16_t>(step.bytes.size()));
    out.insert(out.end(), step.bytes.begin(), step.bytes.end());
  }
  return out;
}

std::string text_of(const Step& step) {
  const auto said = [](const char* name, unsigned value) {
    return std::string(" ") + name + "=" + std::to_string(value);
  };
  std::string text = std::to_string(step.kind) + said("a", step.a) + said("b", step.b) +
                     said("c", step.c) + said("x", step.x) + said("y", step.y);
  if (step.has_bytes) text += " bytes=" + to_hex(step.bytes);
  return text;
}

Bytes mutate_steps(ByteView input, size_t most, uint32_t seed, uint8_t kinds) {
  Random random(seed + 1);
  Steps steps = parse_steps(input);
  for (size_t times = 1 + below(random, 3); times > 0; --times) change(steps, random, kinds);
  return cut_to(std::move(steps), most);
}

Bytes cross_steps(ByteView one, ByteView other, size_t most, uint32_t seed) {
  Random random(seed + 1);
  Steps steps = parse_steps(one);
  const Steps more = parse_steps(other);
  steps.resize(below(random, steps.size() + 1));
  const auto from = static_cast<ptrdiff_t>(below(random, more.size() + 1));
  steps.insert(steps.end(), more.begin() + from, more.end());
  return cut_to(std::move(steps), most);
}

}  // namespace cb::conversation
