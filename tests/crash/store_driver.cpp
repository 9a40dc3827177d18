// SPDX-License-Identifier: Apache-2.0
//
// store_driver PLUGIN FOLDER MODE SEED: a process that uses a store beside the test that started
// it, or until that kills it. Lines on its standard output tell what it does.
//
//   churn   several threads put, replace, abort and remove objects until killed; see churn_line
//   hold    begins an object "held", says "ready", commits it when a line arrives, says "done"
//   leave   begins objects, says "ready" and waits to be killed
//   put     puts "child/0" to "child/49", removing every fifth again, and ends
//   absent  puts "raced/N" for N of 0 to 49 if absent, saying "won N" for those it made
#include <unistd.h>

#include <cstdio>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/crash/churn.h"
#include "tests/suites/store_subject.h"

namespace cb::test {
namespace {

void say(const std::string& line) {
  const std::string whole = line + "\n";
  if (::write(STDOUT_FILENO, whole.data(), whole.size()) < 0) ::_exit(3);
}

template <typename T>
T value(Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "%s\n", result.error().text().c_str());
  ::_exit(1);
}

void must(const Status& status) {
  if (status) return;
  std::fprintf(stderr, "%s\n", status.error().text().c_str());
  ::_exit(1);
}

uint64_t random_size(std::mt19937_64& random) {
  constexpr uint64_t kLimits[] = {1, 100, 5000, 70'000, 300'000, 1'200'000};
  return random() % kLimits[random() % std::size(kLimits)];
}

void churn(plugin::Store& store, uint64_t thread, uint64_t seed) {
  std::mt19937_64 random(seed * 1000 + thread);
  std::vector<plugin::Put> open_beside;
  for (uint64_t step = 0;; ++step) {
    const std::string name = "churn/" + std::to_string(thread) + "-" + std::to_string(random() % 6);
    const ChurnObject object{seed * 1'000'000 + thread * 100'000 + step + 1, random_size(random)};
    const uint64_t choice = random() % 10;
    if (choice == 0) {
      say(churn_line("removing", name, {}));
      const Status removed = store.remove(name);
      if (!removed && removed.error().code != Code::not_found) must(removed);
      say(churn_line("removed", name, {}));
    } else if (choice < 3) {
      open_beside.push_back(value(store.put_begin(name)));
      must(write_pattern(open_beside.back(), object.seed, 0, object.size));
      if (open_beside.size() > 3) open_beside.erase(open_beside.begin());
    } else {
      plugin::Put put = value(store.put_begin(name));
      must(write_pattern(put, object.seed, 0, object.size));
      say(churn_line("committing", name, object));
      must(put.commit());
      say(churn_line("committed", name, object));
    }
  }
}

void churn_for_ever(plugin::Store& store, uint64_t seed) {
  std::vector<std::thread> threads;
  for (uint64_t thread = 0; thread < 3; ++thread)
    threads.emplace_back([&store, thread, seed] { churn(store, thread, seed); });
  say("ready");
  for (std::thread& thread : threads) thread.join();
}

void hold(plugin::Store& store) {
  plugin::Put put = value(store.put_begin("held"));
  must(write_pattern(put, 77, 0, 900'000));
  say("ready");
  std::getchar();
  must(put.commit());
  say("done");
}

void leave(plugin::Store& store, uint64_t seed) {
  std::vector<plugin::Put> puts;
  for (uint64_t i = 0; i < 5; ++i) {
    puts.push_back(value(store.put_begin("left/" + std::to_string(i))));
    must(write_pattern(puts.back(), seed, 0, i * 300'000));
  }
  say("ready");
  std::getchar();
}

void put_some(plugin::Store& store) {
  for (uint64_t i = 0; i < 50; ++i) {
    const std::string name = "child/" + std::to_string(i);
    must(put(store, name, i, 1000 * i));
    if (i % 5 == 0) must(store.remove(name));
  }
}

void put_if_absent(plugin::Store& store, uint64_t seed) {
  for (uint64_t i = 0; i < 50; ++i) {
    const Status done = put(store, "raced/" + std::to_string(i), seed, 1000, true);
    if (done)
      say("won " + std::to_string(i));
    else if (done.error().code != Code::exists)
      must(done);
  }
}

int run(const std::string& plugin, const std::string& folder, const std::string& mode,
        uint64_t seed) {
  Subject subject(plugin, folder);
  plugin::Store store = value(subject.open());
  if (mode == "churn")
    churn_for_ever(store, seed);
  else if (mode == "hold")
    hold(store);
  else if (mode == "leave")
    leave(store, seed);
  else if (mode == "put")
    put_some(store);
  else if (mode == "absent")
    put_if_absent(store, seed);
  else
    return 2;
  return 0;
}

}  // namespace
}  // namespace cb::test

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  return cb::test::run(argv[1], argv[2], argv[3], std::stoull(argv[4]));
}
