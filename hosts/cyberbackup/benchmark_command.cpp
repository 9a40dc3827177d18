// SPDX-License-Identifier: Apache-2.0
//
// `cyberbackup benchmark`: how fast this machine does what a backup does to every byte.
#include <cstdio>
#include <functional>

#include "core/base/units.h"
#include "core/identity/signing.h"
#include "core/report/json.h"
#include "core/report/table.h"
#include "core/repository/cutter.h"
#include "hosts/cyberbackup/commands.h"

namespace cb {
namespace {

using repository::BlobKind;
using std::chrono::steady_clock;

constexpr const char* kBenchmarkExample =
    "Example:\n"
    "  cyberbackup benchmark\n"
    "\n"
    "Each step runs on one thread over generated data of which half shrinks; a backup uses all\n"
    "cores. Copying memory and SHA-256 stand beside it, to compare machines by.";

constexpr size_t kData = 64 * kMiB;
constexpr size_t kPiece = kMiB;
constexpr std::chrono::milliseconds kLeast{600};  // for one step

struct Step {
  std::string name;
  double rate = 0;  // bytes of content in a second
};

// Text-like and random pieces in turns: xorshift, of which the first uses four bits a byte.
Bytes make_data() {
  Bytes data(kData);
  uint64_t state = 0x9e3779b97f4a7c15;
  for (size_t i = 0; i < data.size(); i += 8) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    const bool shrinks = i / kPiece % 2 == 0;
    store_le<uint64_t>(&data[i], shrinks ? state & 0x0f0f0f0f0f0f0f0f : state);
  }
  return data;
}

// A repository that is nobody's.
struct Keys {
  repository::RepositoryRecord record;
  std::optional<repository::WriteKeys> write;
  std::unique_ptr<repository::SessionSealer> sealer;
  std::unique_ptr<repository::Opener> opener;
};

Result<Keys> make_keys(const repository::Suite& suite) {
  os::Random& random = os::system_random();
  Keys keys;
  CB_ASSIGN(auto fresh, repository::make_repository(*suite.crypto, random, {}));
  keys.record = std::move(fresh.record);
  CB_ASSIGN(const auto signing, identity::SigningKey::make(random));
  CB_ASSIGN(keys.write, repository::WriteKeys::make(*suite.crypto, keys.record.id,
                                                    fresh.keyring.write_key.view()));
  repository::SessionId session;
  CB_TRY(random.fill(session.bytes));
  CB_ASSIGN(keys.sealer,
            repository::SessionSealer::begin(
                suite, keys.record, session, {identity::device_id_of(signing.public_key())},
                [&signing](ByteView message) { return signing.sign(message); }));
  CB_ASSIGN(keys.opener, repository::Opener::make(suite, keys.record.id, fresh.keyring));
  CB_TRY(keys.opener->learn(session, keys.sealer->record().stored));
  return keys;
}

// Repeats `round`, which goes over all of the data once, until the time is worth a figure.
Result<Step> measure(const std::string& name, const std::function<Status()>& round) {
  const auto begin = steady_clock::now();
  uint64_t bytes = 0;
  std::chrono::duration<double> spent{};
  do {
    CB_TRY(round());
    bytes += kData;
    spent = steady_clock::now() - begin;
  } while (spent < kLeast);
  return Step{name, static_cast<double>(bytes) / spent.count()};
}

Status for_each_piece(const Bytes& data, const std::function<Status(ByteView)>& visit) {
  for (size_t at = 0; at < data.size(); at += kPiece)
    CB_TRY(visit(ByteView(data).subspan(at, kPiece)));
  return {};
}

Result<std::vector<repository::StoredBlob>> seal_all(const Keys& keys, const Bytes& data) {
  std::vector<repository::StoredBlob> sealed;
  CB_TRY(for_each_piece(data, [&](ByteView piece) -> Status {
    CB_ASSIGN(const auto id, keys.write->id_of(BlobKind::data, {}, piece));
    CB_ASSIGN(auto blob, keys.sealer->seal(BlobKind::data, id, {}, piece, false));
    sealed.push_back(std::move(blob));
    return {};
  }));
  return sealed;
}

Status cut_all(const repository::Cutter& cutter, const Bytes& data) {
  for (ByteView rest = data; !rest.empty();) rest = rest.subspan(cutter.cut(rest));
  return {};
}

Status name_all(const Keys& keys, const Bytes& data) {
  return for_each_piece(data, [&](ByteView piece) -> Status {
    CB_TRY(keys.write->id_of(BlobKind::data, {}, piece));
    return {};
  });
}

Status compress_all(const plugin::Compress& compress, const Bytes& data, Bytes& out) {
  return for_each_piece(data, [&](ByteView piece) -> Status {
    CB_TRY(compress.compress(piece, out));
    return {};
  });
}

Status open_all(const Keys& keys, const std::vector<repository::StoredBlob>& sealed) {
  for (const repository::StoredBlob& blob : sealed) CB_TRY(keys.opener->open(blob));
  return {};
}

Status hash_all(const Bytes& data) {
  return for_each_piece(data, [](ByteView piece) -> Status {
    (void)identity::sha256(piece);
    return {};
  });
}

Result<std::vector<Step>> measure_all(const repository::Suite& suite) {
  const Bytes data = make_data();
  CB_ASSIGN(const Keys keys, make_keys(suite));
  CB_ASSIGN(const size_t bound, suite.compress->bound(kPiece));
  CB_ASSIGN(const auto sealed, seal_all(keys, data));
  const repository::Cutter cutter(keys.write->gear(), keys.record.cutting);
  Bytes out(bound);
  Bytes copy(data.size());
  const std::vector<std::pair<std::string, std::function<Status()>>> rounds = {
      {"cut", [&] { return cut_all(cutter, data); }},
      {"id", [&] { return name_all(keys, data); }},
      {"compress", [&] { return compress_all(*suite.compress, data, out); }},
      {"id, compress, seal",
       [&]() -> Status {
         CB_TRY(seal_all(keys, data));
         return {};
       }},
      {"open, verify id", [&] { return open_all(keys, sealed); }},
      {"(copy memory)",
       [&]() -> Status {
         std::copy(data.begin(), data.end(), copy.begin());
         return {};
       }},
      {"(SHA-256)", [&] { return hash_all(data); }}};
  std::vector<Step> steps;
  for (const auto& [name, round] : rounds) {
    CB_ASSIGN(Step step, measure(name, round));
    steps.push_back(std::move(step));
  }
  return steps;
}

Status run_benchmark(const CommonOptions& options) {
  CB_ASSIGN(const auto place, Workplace::open(options));
  CB_ASSIGN(const auto steps, measure_all(place->suite()));
  report::Json json = report::Json::object();
  report::Table table({{"STEP"}, {"MB/s", true}});
  for (const Step& step : steps) {
    const auto megabytes = static_cast<uint64_t>(step.rate / 1e6);
    json[step.name] = megabytes;
    table.add({step.name, std::to_string(megabytes)});
  }
  const std::string text =
      options.json ? report::json_line({{"megabytes_per_second", json}}) + "\n" : table.text();
  std::fwrite(text.data(), 1, text.size(), stdout);
  return {};
}

}  // namespace

void add_benchmark_command(CLI::App& app, CommonOptions& options, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("benchmark", "Measure what a backup does to every byte, here");
  command->footer(kBenchmarkExample);
  command->callback([&options, &exit_code] {
    const Status done = run_benchmark(options);
    if (!done) exit_code = report_failure(options, done.error());
  });
}

}  // namespace cb
