// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup-plugin-check/life_failure_checks.h"

#include <algorithm>

#include "cyberbackup/crypto.h"
#include "hosts/cyberbackup-plugin-check/allocator.h"
#include "hosts/cyberbackup-plugin-check/exercise.h"
#include "hosts/cyberbackup-plugin-check/process_state.h"

namespace cb::check {
namespace {

constexpr std::string_view kCanary = "canary-secret-5b1f0c2e9d";

// --- options -----------------------------------------------------------------------------------

// Paths that are there but not what an option may want. Nothing outside of the scratch folder: a
// plugin may write where it is told to.
Result<std::vector<std::string>> odd_paths(const os::Path& scratch) {
  os::FileSystem& files = os::real_file_system();
  const os::Path file = scratch / "a-file";
  const os::Path folder = scratch / "a-folder";
  CB_TRY(os::write_file_atomically(files, file, as_bytes("neither key nor database\n")));
  CB_TRY(files.make_folders(folder));
  return std::vector<std::string>{file.string(), folder.string(), (file / "below").string(),
                                  (scratch / std::string(300, 'p')).string()};
}

// Values that the host lets pass but that an author may not have thought of.
Result<std::vector<std::string>> odd_values(const config::Option& option, const os::Path& scratch) {
  using Values = std::vector<std::string>;
  const bool bounded = option.min < option.max;
  const std::string unit = option.type == config::Type::duration ? "ns" : "";
  switch (option.type) {
    case config::Type::boolean:
      return Values{"true", "false"};
    case config::Type::integer:
    case config::Type::size:
    case config::Type::duration:
      if (bounded)
        return Values{std::to_string(option.min) + unit, std::to_string(option.max) + unit};
      return Values{"0" + unit, "1" + unit,
                    std::to_string(std::numeric_limits<int64_t>::max()) + unit};
    case config::Type::choice:
      return option.choices;
    case config::Type::path:
      return odd_paths(scratch);
    case config::Type::list:
      return Values{"[]", R"([""])", R"(["x", "x", "\u00e4"])"};
    default:
      return Values{"", "x", std::string(4000, 'x'), "%s%n", "\xff\xfe"};
  }
}

Status one_line_of_why(const Used& used, const std::string& with) {
  const char* const message = used.came.error.message;
  const size_t length = ::strnlen(message, sizeof used.came.error.message);
  CB_TRY(expect(length < sizeof used.came.error.message,
                "its message does not end within cb_error.message, with " + with));
  CB_TRY(expect(length > 0, "fails without a message, with " + with));
  const bool one_line = std::none_of(message, message + length,
                                     [](char c) { return static_cast<unsigned char>(c) < 0x20; });
  return expect(one_line, "its message has several lines or control characters, with " + with);
}

Status create_with_odd(Subject& subject, const std::string& key, const std::string& value) {
  const auto raw = RawPlugin::make(subject, {{key, value}});
  if (!raw) return {};  // the host refuses it already
  const std::string with = key + " = " + plugin::one_line(value.c_str(), 60);
  cb_instance* instance = nullptr;
  const Used used = created(**raw, (*raw)->host(), instance);
  CB_TRY(expect(used.is_clean(), used.text() + ", with " + with));
  if (used.came.status < CB_OK) return one_line_of_why(used, with);
  return (*raw)->destroy(instance);
}

Result<Verdict> bad_config_is_an_error(Subject& subject) {
  CB_ASSIGN(const config::Schema schema, subject.schema());
  for (const config::Option& option : schema) {
    CB_ASSIGN(const auto values, odd_values(option, subject.scratch()));
    for (const std::string& value : values) CB_TRY(create_with_odd(subject, option.key, value));
  }
  return schema.empty() ? passed("it has no options") : passed();
}

// --- randomness --------------------------------------------------------------------------------

// Works until the n-th call (from 1) and fails from then on.
class FailingRandom final : public os::Random {
 public:
  explicit FailingRandom(uint64_t nth) : left_(nth) {}
  Status fill(ByteSpan out) override {
    if (left_ > 1) {
      --left_;
      return below_.fill(out);
    }
    failed_ = true;
    return failed(Code::io, "random source", "fails on purpose");
  }
  [[nodiscard]] bool did_fail() const { return failed_; }

 private:
  SeededRandom below_{1};
  uint64_t left_;
  bool failed_ = false;
};

// With a source that always fails, two headers must not be the same: that repeats a nonce.
Status headers_differ(const RawPlugin& raw, cb_instance* instance) {
  const cb_descriptor& descriptor = raw.descriptor();
  if (std::string_view(descriptor.interface_id) != CB_CRYPTO_INTERFACE ||
      (descriptor.capabilities & CB_CRYPTO_STREAM) == 0)
    return {};
  const auto& ops = *static_cast<const cb_crypto_ops*>(descriptor.ops);
  cb_crypto_props props{};
  props.size = sizeof props;
  if (ops.props(instance, &props) != CB_OK || props.header_size == 0) return {};
  const Bytes raw_key(props.key_size, std::byte{7});
  cb_key* key = nullptr;
  if (ops.key_import(instance, raw_key.data(), raw_key.size(), &key, nullptr) != CB_OK) return {};
  std::vector<Bytes> headers;
  for (int i = 0; i < 2; ++i) {
    Bytes header(props.header_size);
    size_t size = 0;
    cb_seal* seal = nullptr;
    if (ops.seal_begin(key, "", 0, header.data(), header.size(), &size, &seal, nullptr) == CB_OK)
      headers.push_back(header);
    ops.seal_free(seal);
  }
  ops.key_free(key);
  return expect(headers.size() < 2 || headers[0] != headers[1],
                "seals two objects with the same header when the random source fails");
}

Result<Verdict> random_fails_cleanly(Subject& subject) {
  constexpr uint64_t kMostCalls = 1000;
  CB_TRY(subject.descriptor());  // init is over before the source fails
  for (uint64_t nth = 1; nth < kMostCalls; ++nth) {
    FailingRandom random(nth);
    subject.services().random = [&](const std::string&) -> os::Random& { return random; };
    CB_ASSIGN(const auto raw, RawPlugin::make(subject));
    cb_instance* instance = nullptr;
    Used used = created(*raw, raw->host(), instance);
    Status differ;
    if (used.ok()) {
      used = exercise(raw->descriptor(), instance);
      if (nth == 1) differ = headers_differ(*raw, instance);
      CB_TRY(raw->destroy(instance));
    }
    CB_TRY(differ);
    CB_TRY(expect(used.is_clean(),
                  "when the " + std::to_string(nth) + "th call of random fails, " + used.text()));
    if (!random.did_fail())
      return passed(nth == 1 ? "it takes no randomness from the host" : std::string());
  }
  return passed();
}

// --- secrets -----------------------------------------------------------------------------------

bool tells_canary(const std::string& text) {
  return text.find(kCanary) != std::string::npos ||
         text.find(to_hex(as_bytes(kCanary))) != std::string::npos ||
         text.find(to_base64(as_bytes(kCanary)).substr(0, 30)) != std::string::npos;
}

// Imports keys made of the canary, of a right and of a wrong size.
std::string words_about_keys(const RawPlugin& raw, cb_instance* instance) {
  if (std::string_view(raw.descriptor().interface_id) != CB_CRYPTO_INTERFACE) return {};
  const auto& ops = *static_cast<const cb_crypto_ops*>(raw.descriptor().ops);
  cb_crypto_props props{};
  props.size = sizeof props;
  if (ops.props(instance, &props) != CB_OK) return {};
  std::string words;
  for (const size_t size : {size_t{props.key_size}, size_t{props.key_size} + 1, size_t{5}}) {
    Bytes secret(size);
    for (size_t i = 0; i < size; ++i)
      secret[i] = static_cast<std::byte>(kCanary[i % kCanary.size()]);
    cb_key* key = nullptr;
    const Came came =
        call(ops.key_import, instance, static_cast<const void*>(secret.data()), size, &key);
    words += came.text() + "\n";
    ops.key_free(key);
  }
  return words;
}

Result<Verdict> log_has_no_secret(Subject& subject) {
  CB_ASSIGN(const config::Schema schema, subject.schema());
  CB_ASSIGN(const cb_descriptor* const descriptor, subject.checked_descriptor());
  Written written;
  for (const config::Option& option : schema)
    if (option.type == config::Type::secret) written[option.key] = kCanary;
  if (written.empty() && std::string_view(descriptor->interface_id) != CB_CRYPTO_INTERFACE)
    return passed("it is told no secrets");
  Output output((subject.scratch() / "said").string());
  const auto raw = RawPlugin::make(subject, written);
  if (!raw) return skipped("its secrets do not take " + std::string(kCanary) + " as a value");
  cb_instance* instance = nullptr;
  Used used = created(**raw, (*raw)->host(), instance);
  std::string words = used.text();
  if (used.ok()) {
    words += exercise((*raw)->descriptor(), instance).text();
    words += words_about_keys(**raw, instance);
    CB_TRY((*raw)->destroy(instance));
  }
  CB_TRY(expect(!tells_canary(output.take()), "prints a secret to stdout or stderr"));
  CB_TRY(expect(!tells_canary(subject.log().text()), "writes a secret into the log"));
  CB_TRY(expect(!tells_canary(words), "puts a secret into an error message"));
  return passed();
}

// --- memory ------------------------------------------------------------------------------------

struct Attempt {
  Used used;
  bool failed = false;  // an allocation did
};

Attempt with_failure(const RawPlugin& raw, uint64_t nth, bool whole) {
  cb_instance* instance = nullptr;
  FailingAllocation failing(nth);
  Used used = created(raw, raw.host(), instance);
  if (used.ok() && whole) used = exercise(raw.descriptor(), instance);
  failing.stop();
  if (instance != nullptr && used.broken == nullptr && !raw.destroy(instance))
    used.broken = "was followed by a destroy that threw";
  return {std::move(used), failing.did_fail()};
}

Result<Verdict> allocation_failures(Subject& subject) {
  if (!allocator_counts()) return skipped("a sanitizer's allocator cannot be made to fail");
  subject.services().log = nullptr;
  CB_ASSIGN(const auto raw, RawPlugin::make(subject));
  // What stands below a filter is not under check.
  const bool whole = raw->host().service(raw->host().ctx, CB_STORE_LOWER) == nullptr;
  const Used first = create_and_exercise(*raw);
  CB_TRY(expect(first.is_clean(), first.text()));
  const size_t descriptors = descriptor_count();
  uint64_t nth = 1;
  while (true) {
    const Attempt attempt = with_failure(*raw, nth, whole);
    const std::string when = "when allocation " + std::to_string(nth) + " fails, ";
    CB_TRY(expect(attempt.used.is_clean(), when + attempt.used.text()));
    if (!attempt.failed) break;
    nth += 1 + nth / 50;  // every one up to 50, then ever fewer
  }
  CB_TRY(expect(descriptor_count() <= descriptors, "leaves descriptors open when memory runs out"));
  return passed();
}

}  // namespace

std::vector<Check> life_failure_checks() {
  return {
      life_check("bad-config-is-an-error",
                 "Odd values of options work or are refused with one line that says why.",
                 bad_config_is_an_error, std::chrono::seconds(60)),
      life_check("random-fails-cleanly",
                 "When the host has no randomness, calls fail; nothing is made without it.",
                 random_fails_cleanly, std::chrono::seconds(60)),
      life_check("log-has-no-secret", "No secret appears in the log or in an error message.",
                 log_has_no_secret, std::chrono::seconds(20)),
      life_check("allocation-failures", "When memory runs out, calls fail and nothing breaks.",
                 allocation_failures, std::chrono::seconds(300)),
  };
}

}  // namespace cb::check
