// SPDX-License-Identifier: Apache-2.0
#include "tests/year/year_source.h"

#include "tests/suites/store_subject.h"

namespace cb::year {
namespace {

constexpr uint64_t kSharedPieces = 60;  // documents that several sources of an account have
constexpr size_t kFewestFiles = 3, kMostFiles = 9;
constexpr const char* kImage = "var/disk.img";

}  // namespace

uint64_t Dice::draw() {
  uint64_t x = state_ += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

Bytes content_of(uint64_t piece) {
  return test::pattern(piece, 0, static_cast<size_t>(150 + piece % 701));
}

Source::Source(uint64_t seed, size_t source, size_t of_account, repository::Viewer viewer,
               uint64_t pieces_of_image)
    : number(source), account(of_account), device(viewer), dice_(seed * 1009 + source) {
  hash.bytes.fill(static_cast<std::byte>(source + 1));
  for (size_t i = 0; i < kFewestFiles; ++i) add_file();
  if (source % 5 != 0) return;
  for (uint64_t i = 0; i < pieces_of_image; ++i) files_[kImage].push_back(new_piece());
}

std::string Source::name() const { return "source " + std::to_string(number); }

uint64_t Source::new_piece() {
  if (dice_.one_in(6)) return 1 + dice_.below(kSharedPieces);
  return kSharedPieces + 1 + dice_.draw() / 2;
}

void Source::add_file() {
  const uint64_t which = next_file_++;
  auto& pieces = files_["home/" + std::to_string(which % 4) + "/" + std::to_string(which) + ".txt"];
  for (uint64_t i = 1 + dice_.below(3); i > 0; --i) pieces.push_back(new_piece());
}

void Source::work() {
  const bool is_upgrade = dice_.one_in(40);
  for (auto& [path, pieces] : files_) {
    const bool is_touched = is_upgrade || path == kImage || dice_.one_in(5);
    for (uint64_t i = is_touched ? 1 + dice_.below(2) : 0; i > 0; --i)
      pieces[dice_.below(pieces.size())] = new_piece();
  }
  if (dice_.one_in(6) && files_.size() < kMostFiles) add_file();
  if (!dice_.one_in(8) || files_.size() <= kFewestFiles) return;
  const auto goes = std::next(files_.begin(), static_cast<ptrdiff_t>(dice_.below(files_.size())));
  if (goes->first != kImage) files_.erase(goes);
}

}  // namespace cb::year
