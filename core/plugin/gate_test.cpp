// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <stdexcept>
#include <thread>
#include <vector>

#include "core/log/capture.h"

namespace cb::plugin {
namespace {

using testing::HasSubstr;

// A clock that the plugin's functions themselves push on.
class Pushed final : public os::Clock {
 public:
  [[nodiscard]] std::chrono::nanoseconds wall() const override { return monotonic(); }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override {
    return std::chrono::nanoseconds(now_.load());
  }
  void push(std::chrono::nanoseconds by) { now_ += by.count(); }

 private:
  std::atomic<int64_t> now_{1000};
};

constexpr Function kIo{"read", Tag::io, kMayWant | kMayEnd};
constexpr Function kBlocking{"stat", Tag::blocking};

// Functions as a plugin might have them. What they do is told by the argument.
cb_status returns(cb_status status) { return status; }
cb_status explains(cb_status status, cb_error* error) {
  error->status = status;
  error->os_errno = 28;
  error->flags = CB_ERROR_RETRY;
  std::strcpy(error->message, "disk one:\nfull \x01 up\n");
  return status;
}
cb_status overlong(cb_error* error) {
  std::memset(error->message, 'x', sizeof error->message);
  return CB_E_IO;
}
cb_status throws(const char* what) { throw std::runtime_error(what); }
cb_status takes(Pushed* clock, int64_t ms) {
  clock->push(std::chrono::milliseconds(ms));
  return CB_OK;
}
void ends(int* count) { ++*count; }
int32_t answers(int32_t value) { return value; }
int32_t fails_to_answer(int32_t value) { throw value; }

class Gates : public testing::Test {
 protected:
  Pushed clock_;
  log::Capture log_;
  Gate gate_{"example", &log_, clock_};
};

TEST_F(Gates, ok_and_the_positives_of_a_function_pass) {
  EXPECT_EQ(gate_.call(kIo, returns, CB_OK).value(), CB_OK);
  EXPECT_EQ(gate_.call(kIo, returns, CB_WANT_READ).value(), CB_WANT_READ);
  EXPECT_EQ(gate_.call(kIo, returns, CB_END).value(), CB_END);
  EXPECT_FALSE(gate_.quarantined());
}

TEST_F(Gates, every_listed_failure_becomes_the_code_of_the_same_number) {
  for (cb_status status = CB_E_INTERNAL; status < 0; ++status) {
    const auto done = gate_.call(kBlocking, returns, status);
    ASSERT_FALSE(done);
    EXPECT_EQ(static_cast<cb_status>(done.error().code), status);
    EXPECT_EQ(done.error().object, "example");
    EXPECT_FALSE(done.error().cause.empty());
  }
  EXPECT_FALSE(gate_.quarantined());
  EXPECT_EQ(gate_.counters().failures, 18U);
}

TEST_F(Gates, every_other_status_quarantines) {
  for (const cb_status status : {1, 2, 3, 4, 5, 1000, -19, -1000, INT32_MAX, INT32_MIN}) {
    Gate gate("example", &log_, clock_);
    const auto done = gate.call(kBlocking, returns, status);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::internal);
    EXPECT_THAT(done.error().cause, HasSubstr("status " + std::to_string(status)));
    EXPECT_TRUE(gate.quarantined());
  }
}

TEST_F(Gates, the_words_of_the_plugin_are_kept_on_one_line) {
  const auto done = gate_.call(kBlocking, explains, CB_E_NO_SPACE);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().cause, "disk one: full   up");
  EXPECT_EQ(done.error().os_errno, 28);
  EXPECT_EQ(done.error().retry, Retry::yes);
}

TEST_F(Gates, a_message_without_end_is_cut) {
  EXPECT_EQ(gate_.call(kBlocking, overlong).error().cause, std::string(496, 'x'));
}

TEST_F(Gates, after_an_exception_only_enders_are_entered) {
  const auto done = gate_.call(kBlocking, throws, "no tape");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::internal);
  EXPECT_THAT(gate_.reason(), HasSubstr("stat threw an exception: no tape"));
  EXPECT_EQ(gate_.call(kIo, returns, CB_OK).error().code, Code::state);
  EXPECT_EQ(gate_.query(kIo, int32_t{-1}, answers, 7), -1);
  int ended = 0;
  gate_.end(kBlocking, ends, &ended);
  EXPECT_EQ(ended, 1);
  EXPECT_EQ(log_.count("event=plugin.quarantined plugin=example function=stat"), 1U);
}

TEST_F(Gates, a_query_that_throws_gives_the_fallback) {
  EXPECT_EQ(gate_.query(kIo, int32_t{-1}, answers, 7), 7);
  EXPECT_EQ(gate_.query(kIo, int32_t{-1}, fails_to_answer, 7), -1);
  EXPECT_TRUE(gate_.quarantined());
}

TEST_F(Gates, a_slow_io_call_is_warned_about_but_not_every_time) {
  gate_.call(kIo, takes, &clock_, int64_t{20});
  EXPECT_EQ(log_.count("event=plugin.slow"), 0U);
  gate_.call(kIo, takes, &clock_, int64_t{21});
  EXPECT_EQ(log_.count("event=plugin.slow plugin=example function=read"), 1U) << log_.text();
  for (int i = 0; i < 5; ++i) gate_.call(kIo, takes, &clock_, int64_t{21});
  EXPECT_EQ(log_.count("event=plugin.slow"), 1U);
  clock_.push(std::chrono::seconds(10));
  gate_.call(kIo, takes, &clock_, int64_t{30});
  EXPECT_EQ(log_.count("event=plugin.slow"), 2U);
  EXPECT_TRUE(log_.contains("unreported=5")) << log_.text();
  EXPECT_EQ(gate_.counters().slow_calls, 7U);
  EXPECT_EQ(gate_.counters().slowest_io, std::chrono::milliseconds(30));
  EXPECT_FALSE(gate_.unhealthy());
}

TEST_F(Gates, an_io_call_that_stops_its_thread_makes_the_instance_unhealthy) {
  gate_.call(kIo, takes, &clock_, int64_t{2001});
  EXPECT_TRUE(gate_.unhealthy());
  EXPECT_FALSE(gate_.quarantined());
  EXPECT_THAT(gate_.reason(), HasSubstr("read blocked for 2"));
}

TEST_F(Gates, a_blocking_call_may_take_its_time) {
  gate_.call(kBlocking, takes, &clock_, int64_t{60000});
  EXPECT_EQ(gate_.counters().slow_calls, 0U);
  EXPECT_FALSE(gate_.unhealthy());
}

// What the crumb says while a call runs, and in one that runs inside of it.
cb_status looks(Gate* inner, std::vector<std::string>* seen) {
  seen->push_back(std::string(current_crumb.plugin) + ":" + current_crumb.function);
  if (inner != nullptr) {
    inner->call(kBlocking, looks, static_cast<Gate*>(nullptr), seen);
    seen->push_back(std::string(current_crumb.plugin) + ":" + current_crumb.function);
  }
  return CB_OK;
}

TEST_F(Gates, the_crumb_names_plugin_and_function_of_the_innermost_call) {
  Gate inner("below", nullptr, clock_);
  std::vector<std::string> seen;
  EXPECT_EQ(current_crumb.plugin, nullptr);
  gate_.call(kIo, looks, &inner, &seen);
  EXPECT_THAT(seen, testing::ElementsAre("example:read", "below:stat", "example:read"));
  EXPECT_EQ(current_crumb.plugin, nullptr);
}

TEST_F(Gates, the_crumb_is_taken_up_after_an_exception) {
  gate_.call(kIo, throws, "x");
  EXPECT_EQ(current_crumb.plugin, nullptr);
}

TEST_F(Gates, threads_may_share_a_gate_and_one_of_them_quarantines_for_all) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 1000; ++i)
        static_cast<void>(gate_.call(kIo, returns, t == 3 && i == 500 ? 77 : CB_OK));
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(gate_.quarantined());
  EXPECT_EQ(gate_.counters().violations, 1U);
  EXPECT_EQ(log_.count("event=plugin.quarantined"), 1U);
}

}  // namespace
}  // namespace cb::plugin
