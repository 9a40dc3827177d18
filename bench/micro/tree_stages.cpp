// SPDX-License-Identifier: Apache-2.0
//
// What happens to every file on the client: it is found, and written into the tree of the snapshot.
#include <fstream>

#include "bench/micro/stage.h"
#include "bench/micro/workshop.h"
#include "core/client/scanner.h"
#include "core/os/account_names.h"
#include "core/repository/tree.h"

namespace cb::bench {
namespace {

namespace fs = std::filesystem;
using repository::Entry;

constexpr uint64_t kScanned = 2000;
constexpr uint64_t kBuilt = 5000;
constexpr uint64_t kFolderOf = 50;  // files

// "prefix00123", so that the order of names is that of numbers.
std::string numbered(const std::string& prefix, uint64_t number) {
  std::string digits = std::to_string(number);
  return prefix + std::string(5 - std::min<size_t>(5, digits.size()), '0') + digits;
}

Stage scan() {
  auto folder = std::make_shared<TemporaryFolder>();
  for (uint64_t i = 0; i < kScanned; ++i) {
    const fs::path at = folder->path() / numbered("d", i / kFolderOf);
    if (i % kFolderOf == 0) fs::create_directory(at);
    std::ofstream(at / numbered("f", i)) << i;
  }
  return {0, kScanned, [folder] {
            client::ScanRequest request;
            request.paths = {folder->path().string()};
            request.threads = 1;
            os::AccountNames names;
            client::Scanner::Parts parts{&os::real_tree(), &names,
                                         [](const std::string&, const Error&) {}};
            const auto scanner = must(client::Scanner::open(parts, request));
            while (must(scanner->next())) {
            }
            if (scanner->counts().files != kScanned) throw std::runtime_error("files are missing");
          }};
}

std::vector<Entry> make_entries() {
  std::vector<Entry> entries;
  for (uint64_t i = 0; i < kBuilt; ++i) {
    Entry entry;
    entry.path = "home/user/" + numbered("d", i / kFolderOf) + "/" + numbered("file", i) + ".txt";
    entry.mode = 0644;
    entry.uid = entry.gid = 1000;
    entry.user = entry.group = "user";
    entry.mtime_ns = static_cast<int64_t>(1'700'000'000'000'000'000 + i * 123'456'789);
    entry.size = 1 + i % 8192;
    repository::Extent extent;
    extent.length = entry.size;
    store_le<uint64_t>(extent.blob.bytes.data(), 1 + i / 200);
    extent.offset = i % 200 * 8192;
    entry.extents = {extent};
    entries.push_back(std::move(entry));
  }
  return entries;
}

Stage build_tree() {
  auto entries = std::make_shared<const std::vector<Entry>>(make_entries());
  return {0, kBuilt, [entries] {
            uint64_t nodes = 0;
            repository::TreeBuilder builder(
                1, [&](const repository::EncodedNode&) -> Result<repository::BlobId> {
                  repository::BlobId id;
                  store_le<uint64_t>(id.bytes.data(), ++nodes);
                  return id;
                });
            for (const Entry& entry : *entries) must(builder.add(entry));
            must(builder.finish());
          }};
}

}  // namespace

std::vector<StageMaker> tree_stages() { return {{"scan", scan}, {"tree", build_tree}}; }

}  // namespace cb::bench
