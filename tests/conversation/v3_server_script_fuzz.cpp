// SPDX-License-Identifier: Apache-2.0
//
// The client's real v3 engine, which sends two files, against a server that answers as the input
// says: it ends with a report, and says of no file that it was confirmed unless the server had said
// its right checksum and acknowledged it.
#include <filesystem>
#include <fstream>

#include "core/client/v3_identity.h"
#include "core/client/v3_sender.h"
#include "core/plugin/registry.h"
#include "core/protocol/v3/cksum.h"
#include "tests/conversation/fuzz_steps.h"
#include "tests/conversation/invariant.h"
#include "tests/conversation/v3_script.h"
#include "tests/conversation/virtual_time.h"

using namespace cb;
using namespace cb::conversation;
using namespace std::chrono_literals;

namespace {

namespace fs = std::filesystem;

constexpr const char* kUser = "Alice Test";

// What all inputs share: plugins, keys, two files.
class Sender {
 public:
  Sender()
      : home_(scratch_folder("v3-script")),
        registry_(services(), load_options()),
        transport_(log_, {[this](FarEnd& far) {
                            far.answerer = std::make_unique<V3Script>(files_, script_);
                          },
                          {}}) {
    must(registry_.load("crypto-legacy"));
    suites_.emplace(client::V3Suites{suite("sha256"), suite("sha1")});
    stack_.emplace(must(stream::Stack::make({transport_.transport()})));
    make_keys();
    make_file("one.txt", 100);
    make_file("two.bin", 5000);
  }
  ~Sender() {
    std::error_code ignored;
    fs::remove_all(home_, ignored);
  }

  void run(uint8_t what, std::vector<Step> steps) {
    script_ = std::make_shared<Script>(std::move(steps));
    files_.said_right.clear();
    files_.acknowledged = 0;
    const bool is_known = what % 4 != 1;
    fs::remove_all(home_ / "identity");
    client::V3IdentityFolder identity(os::real_file_system(), home_ / "identity");
    // A client without its files would make a key pair, which takes longer than all else.
    must(identity.save(is_known ? kUser : "somebody else", files_.client, private_key_));
    client::V3Sender sender(parts(), settings(what), {});
    const auto report = sender.run(paths_, false);
    if (!report) return;
    for (const client::V3FileReport& file : report->files) check(file);
  }

 private:
  static plugin::HostServices services() {
    static FuzzLog log;
    plugin::HostServices services;
    services.log = &log;
    services.clock = &os::system_clock();
    services.random = [](const std::string&) -> os::Random& { return os::system_random(); };
    return services;
  }
  static plugin::LoadOptions load_options() {
    plugin::LoadOptions options;
    options.folder = plugin_folder();
    options.check_owner = false;
    options.probe_unknown = false;
    return options;
  }

  plugin::Crypto suite(const char* hash) {
    const config::Schema* schema = must(registry_.schema("crypto-legacy"));
    return must(registry_.make_crypto("crypto-legacy",
                                      must(config::values_from(*schema, {{"oaep_hash", hash}}))));
  }

  void make_keys() {
    const plugin::KeyPair pair = must(suites_->sha256.pair_new());
    private_key_ = must(pair.private_form());
    const plugin::KeyPair half = must(suites_->sha256.import_public(must(pair.public_half())));
    const Bytes wrapped = must(half.encapsulate({})).cipher;
    std::copy(wrapped.begin(), wrapped.end(), files_.wrapped_key.begin());
    files_.client.bytes.fill(std::byte{0x21});
  }

  void make_file(const std::string& name, size_t size) {
    std::string content(size, 'x');
    for (size_t i = 0; i < size; ++i) content[i] = static_cast<char>(i * i >> 3);
    std::ofstream(home_ / name, std::ios::binary) << content;
    files_.checksums[name] = v3::cksum_of(as_bytes(content));
    paths_.push_back(home_ / name);
  }

  client::V3Sender::Parts parts() {
    client::V3Sender::Parts parts;
    parts.stack = &*stack_;
    parts.suites = &*suites_;
    parts.files = &os::real_file_system();
    parts.clock = &clock_;
    parts.random = &os::system_random();
    parts.identity_folder = home_ / "identity";
    return parts;
  }

  static client::V3SendSettings settings(uint8_t what) {
    client::V3SendSettings settings;
    settings.server = {"127.0.0.1", 1256};
    settings.user_name = kUser;
    settings.piece_size = what % 8 < 4 ? 1024 : 1024 * 1024;
    settings.backoff.first = 1ms;
    settings.backoff.most = 2ms;
    return settings;
  }

  void check(const client::V3FileReport& file) {
    if (file.outcome != client::V3Outcome::confirmed) return;
    require(files_.said_right[file.file.filename()],
            "a file is confirmed whose checksum was wrong");
    require(files_.acknowledged > 0, "a file is confirmed that was not acknowledged");
  }

  const fs::path home_;
  FuzzLog log_;
  VirtualClock clock_;
  ScriptedFiles files_;
  std::shared_ptr<Script> script_;
  plugin::Registry registry_;
  MemoryTransport transport_;
  std::optional<client::V3Suites> suites_;
  std::optional<stream::Stack> stack_;
  Secret private_key_;
  std::vector<os::Path> paths_;
};

}  // namespace

CB_FUZZ_STEPS(1, V3Script::kinds)

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Impatience impatience(progress(), 20s);
  static Sender sender;
  if (size == 0) return 0;
  sender.run(data[0], parse_steps(view_of(data, size).subspan(1)));
  forward_no_more();
  return 0;
}
