// SPDX-License-Identifier: Apache-2.0
//
// bench_floor: the least CPU time that a first backup of a folder needs on this machine, stage by
// stage. Prints "NAME<tab>KEY<tab>VALUE" lines: sizes in bytes, stages in CPU seconds.
#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "bench/floor_line.h"
#include "bench/floor_stages.h"

namespace cb::bench {
namespace {

namespace fs = std::filesystem;

// A pack's size; so much is read before the next stage begins.
constexpr size_t kWindow = 64U << 20;
// Of the pieces that tell what is new: as small as a search for repetitions is worth.
constexpr size_t kNewMean = 8U << 10;
constexpr size_t kBlobMean = 1U << 20;

struct Content {
  Buffer bytes;
  std::vector<size_t> files;  // lengths, of what of them is in `bytes`
};

// Goes through the files of a folder, a window at a time.
class Reader {
 public:
  explicit Reader(const fs::path& folder) {
    for (const auto& entry : fs::recursive_directory_iterator(folder))
      if (entry.is_regular_file() && !entry.is_symlink()) files_.push_back(entry.path());
    std::sort(files_.begin(), files_.end());
  }
  ~Reader() {
    if (fd_ >= 0) ::close(fd_);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // Fills the window's buffer, which is as large as a window; false when there was nothing left.
  bool fill(Content& window, size_t& filled) {
    filled = 0;
    window.files.clear();
    if (fd_ >= 0) window.files.push_back(0);
    while (filled < window.bytes.size() && (fd_ >= 0 || open_next(window))) {
      const ssize_t got = ::read(fd_, window.bytes.data() + filled, window.bytes.size() - filled);
      if (got < 0) give_up("cannot read the data set");
      filled += static_cast<size_t>(got);
      window.files.back() += static_cast<size_t>(got);
      if (got == 0) close_file();
    }
    return filled > 0;
  }

 private:
  bool open_next(Content& window) {
    if (next_ == files_.size()) return false;
    fd_ = ::open(files_[next_++].c_str(), O_RDONLY | O_CLOEXEC);
    if (fd_ < 0) give_up("cannot open a file of the data set");
    window.files.push_back(0);
    return true;
  }
  void close_file() {
    ::close(fd_);
    fd_ = -1;
  }

  std::vector<fs::path> files_;
  size_t next_ = 0;
  int fd_ = -1;
};

struct Hash128Less {
  bool operator()(const XXH128_hash_t& a, const XXH128_hash_t& b) const {
    return XXH128_cmp(&a, &b) < 0;
  }
};

// Everything that was seen so far, by pieces.
class Known {
 public:
  // The pieces of a file that are new, one behind the other.
  void add_new(View file, Buffer& out) {
    for (const size_t length : cut(file, kNewMean)) {
      const View piece = file.first(length);
      if (seen_.insert(XXH3_128bits(piece.data(), piece.size())).second)
        out.insert(out.end(), piece.begin(), piece.end());
      file = file.subspan(length);
    }
  }

 private:
  std::set<XXH128_hash_t, Hash128Less> seen_;
};

// Memory of the stages, touched before the first of them is measured.
struct Room {
  Content window;
  Buffer fresh, packed, sealed;
  Room() {
    window.bytes.resize(kWindow);
    fresh.reserve(kWindow);
    packed.resize(kWindow + 2 * kBlobMean);
    sealed.resize(kWindow + 2 * kBlobMean);
  }
};

struct Round {
  Costs costs;
  uint64_t bytes = 0, fresh = 0, sent = 0;
};

// Small files are bundled, so a blob may hold many of them: cuts and names go over the window.
void run_stages(Room& room, View content, Known& known, int level, Line& line,
                const std::string& pack, Round& round) {
  std::vector<size_t> lengths;
  round.costs.add("cut", [&] { lengths = cut(content, kBlobMean); });
  round.costs.add("pieces", [&] { hash_pieces(content); });
  round.costs.add("id", [&] { name_blobs(content, lengths); });
  room.fresh.clear();
  View rest = content;
  for (const size_t length : room.window.files) {
    known.add_new(rest.first(length), room.fresh);
    rest = rest.subspan(length);
  }
  const std::vector<int> levels = choose_levels(room.fresh, level);
  View packed, sealed;
  round.costs.add("compress", [&] { packed = compress_blobs(room.fresh, levels, room.packed); });
  round.costs.add("seal", [&] { sealed = seal(packed, room.sealed); });
  round.costs.add("tls", [&] { line.send(sealed); });
  round.costs.add("write", [&] { write_durably(pack, sealed); });
  round.bytes += content.size();
  round.fresh += room.fresh.size();
  round.sent += sealed.size();
}

Round run_round(const fs::path& folder, int level, Room& room, Line& line,
                const std::string& pack) {
  Round round;
  Reader reader(folder);
  Known known;
  for (size_t filled = 0;;) {
    bool more = false;
    round.costs.add("read", [&] { more = reader.fill(room.window, filled); });
    if (!more) return round;
    const View content = View(room.window.bytes).first(filled);
    run_stages(room, content, known, level, line, pack, round);
  }
}

void print(const std::string& name, const std::vector<Round>& rounds) {
  const Round& one = rounds.front();
  const auto say = [&name](const char* key, uint64_t value) {
    std::printf("%s\t%s\t%llu\n", name.c_str(), key, static_cast<unsigned long long>(value));
  };
  say("read_bytes", one.bytes);
  say("new_bytes", one.fresh);
  say("sent_bytes", one.sent);
  for (const char* stage : {"read", "cut", "pieces", "id", "compress", "seal", "tls", "write"}) {
    std::vector<double> seconds;
    for (const Round& round : rounds) seconds.push_back(round.costs.seconds().at(stage));
    std::sort(seconds.begin(), seconds.end());
    std::printf("%s\t%s\t%.4f\n", name.c_str(), stage, seconds[seconds.size() / 2]);
  }
}

int run(const fs::path& folder, const fs::path& scratch, int level, int rounds) {
  fs::create_directories(scratch);
  const std::string pack = scratch / "pack";
  Line line;
  Room room;
  run_round(folder, level, room, line, pack);  // so that everything is warm
  std::vector<Round> measured;
  for (int i = 0; i < rounds; ++i) measured.push_back(run_round(folder, level, room, line, pack));
  fs::remove_all(scratch);
  print(folder.filename(), measured);
  return 0;
}

}  // namespace
}  // namespace cb::bench

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: bench_floor FOLDER SCRATCH ZSTD-LEVEL ROUNDS\n");
    return 2;
  }
  return cb::bench::run(argv[1], argv[2], std::atoi(argv[3]), std::max(1, std::atoi(argv[4])));
}
