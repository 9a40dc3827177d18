// SPDX-License-Identifier: Apache-2.0
#include "bench/floor_stages.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <random>

namespace cb::bench {
namespace {

constexpr size_t kPiece = 4U << 10;
constexpr size_t kBlob = 1U << 20;
constexpr size_t kChunk = 64U << 10;
constexpr size_t kTag = 16;

std::array<uint64_t, 256> make_gear() {
  std::mt19937_64 random(1);
  std::array<uint64_t, 256> gear{};
  for (uint64_t& word : gear) word = random();
  return gear;
}

size_t next_cut(View content, size_t mean) {
  static const std::array<uint64_t, 256> gear = make_gear();
  const size_t end = std::min(content.size(), 8 * mean);
  const uint64_t mask = ~uint64_t{0} << (64 - std::countr_zero(mean));
  uint64_t hash = 0;
  for (size_t at = mean / 8; at < end; ++at) {
    hash = (hash << 1) + gear[content[at]];
    if ((hash & mask) == 0) [[unlikely]]
      return at + 1;
  }
  return end;
}

size_t compress(View blob, std::span<unsigned char> out, int level) {
  static const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(),
                                                                            &ZSTD_freeCCtx);
  const size_t size =
      ZSTD_compressCCtx(context.get(), out.data(), out.size(), blob.data(), blob.size(), level);
  if (ZSTD_isError(size) != 0) give_up(ZSTD_getErrorName(size));
  return size;
}

// Keeps the compiler from dropping what nobody looks at.
void use(const void* result) { asm volatile("" : : "r"(result) : "memory"); }

}  // namespace

void give_up(std::string_view what) {
  std::fprintf(stderr, "bench_floor: %.*s\n", static_cast<int>(what.size()), what.data());
  std::exit(1);
}

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

std::vector<size_t> cut(View content, size_t mean) {
  std::vector<size_t> lengths;
  while (!content.empty()) {
    lengths.push_back(next_cut(content, mean));
    content = content.subspan(lengths.back());
  }
  return lengths;
}

void hash_pieces(View content) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  for (size_t at = 0; at < content.size(); at += kPiece) {
    const View piece = content.subspan(at, std::min(kPiece, content.size() - at));
    unsigned char digest[32];
    if (EVP_DigestInit_ex(context.get(), sha256, nullptr) != 1 ||
        EVP_DigestUpdate(context.get(), piece.data(), piece.size()) != 1 ||
        EVP_DigestFinal_ex(context.get(), digest, nullptr) != 1)
      give_up("SHA-256 failed");
    use(digest);
    const XXH128_hash_t sum = XXH3_128bits(piece.data(), piece.size());
    use(&sum);
  }
  EVP_MD_free(sha256);
}

void name_blobs(View content, std::span<const size_t> lengths) {
  const std::array<unsigned char, 32> key{};
  for (const size_t length : lengths) {
    unsigned char id[32];
    unsigned int size = sizeof id;
    if (HMAC(EVP_sha256(), key.data(), key.size(), content.data(), length, id, &size) == nullptr)
      give_up("HMAC-SHA-256 failed");
    use(id);
    content = content.subspan(length);
  }
}

std::vector<int> choose_levels(View content, int level) {
  std::vector<int> levels;
  Buffer out(ZSTD_compressBound(kBlob));
  for (size_t at = 0; at < content.size(); at += kBlob) {
    const View blob = content.subspan(at, std::min(kBlob, content.size() - at));
    levels.push_back(compress(blob, out, 1) <= compress(blob, out, level) ? 1 : level);
  }
  return levels;
}

View compress_blobs(View content, std::span<const int> levels, Buffer& out) {
  size_t written = 0;
  for (size_t at = 0; at < content.size(); at += kBlob) {
    const View blob = content.subspan(at, std::min(kBlob, content.size() - at));
    const size_t size = compress(blob, std::span(out).subspan(written), levels[at / kBlob]);
    if (size >= blob.size()) std::copy(blob.begin(), blob.end(), out.begin() + written);
    written += std::min(size, blob.size());
  }
  return View(out).first(written);
}

View seal(View content, Buffer& out) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
      EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  const std::array<unsigned char, 32> key{};
  std::array<unsigned char, 12> nonce{};
  size_t written = 0;
  bool good =
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), nullptr) == 1;
  for (size_t at = 0; good && at < content.size(); at += kChunk) {
    const size_t size = std::min(kChunk, content.size() - at);
    int length = 0;
    ++nonce[at / kChunk % nonce.size()];
    good = EVP_EncryptInit_ex(context.get(), nullptr, nullptr, nullptr, nonce.data()) == 1 &&
           EVP_EncryptUpdate(context.get(), out.data() + written, &length, content.data() + at,
                             static_cast<int>(size)) == 1 &&
           EVP_EncryptFinal_ex(context.get(), out.data() + written, &length) == 1 &&
           EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTag,
                               out.data() + written + size) == 1;
    written += size + kTag;
  }
  if (!good) give_up("AES-256-GCM failed");
  return View(out).first(written);
}

void write_durably(const std::string& file, View content) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  while (fd >= 0 && !content.empty()) {
    const ssize_t written = ::write(fd, content.data(), std::min(kBlob, content.size()));
    if (written <= 0) break;
    content = content.subspan(static_cast<size_t>(written));
  }
  if (fd < 0 || !content.empty() || ::fsync(fd) != 0 || ::close(fd) != 0)
    give_up("cannot write " + file);
}

}  // namespace cb::bench
