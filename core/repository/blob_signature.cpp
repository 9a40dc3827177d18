// SPDX-License-Identifier: Apache-2.0
#include "core/repository/blob_signature.h"

#include <algorithm>

#include "core/repository/record_reader.h"
#include "core/repository/record_writer.h"
#include "core/repository/signatures.h"

namespace cb::repository {
namespace {

constexpr uint64_t kBlobSignatureVersion = 1;
constexpr size_t kMarkSize = 6;             // bytes; the rest of a mark is zero
constexpr size_t kMostPieces = 128 * 1024;  // of a patch of short ones; they fit a blob's limit

void write_unsigned_pieces(RecordWriter& to, const BlobSignature& signature) {
  to.uint(kBlobSignatureVersion);
  to.list(signature.runs, [&to](const BlobSignature::Run& run) {
    to.uint(run.count);
    to.uint(run.length);
  });
  for (const PieceHash& hash : signature.pieces) to.fixed(hash.view());
  uint32_t last = 0;
  to.list(signature.anchors, [&](const Anchor& anchor) {
    to.uint(anchor.end - last);
    last = anchor.end;
    std::array<std::byte, 8> mark{};
    store_le(mark.data(), anchor.mark);
    to.fixed(ByteView(mark).first(kMarkSize));
  });
  to.fixed(signature.device.view());
}

Bytes pieces_signed_part(const BlobSignature& signature, const RepositoryId& repository,
                         const BlobId& blob) {
  RecordWriter to;
  to.fixed(as_bytes("cyberbackup/blob-signature/1"));
  to.fixed(repository.view());
  to.fixed(blob.view());
  write_unsigned_pieces(to, signature);
  return to.take();
}

// Can a blob hold them behind so many pieces and bytes?
bool fits_blob(const BlobSignature::Run& run, uint64_t pieces, uint64_t size) {
  return run.count > 0 && run.length > 0 && run.count <= kMostPieces - pieces &&
         uint64_t{run.count} * run.length <= kMaxData - size;
}

void read_runs(RecordReader& from, BlobSignature& signature) {
  signature.runs.resize(from.count(2));
  uint64_t pieces = 0;
  uint64_t size = 0;
  uint32_t last = 0;
  for (BlobSignature::Run& run : signature.runs) {
    run.count = from.uint32();
    run.length = from.uint32();
    if (from.ok() && !fits_blob(run, pieces, size)) from.refuse("describes what no blob can hold");
    if (from.ok() && run.length == last) from.refuse("tells two runs of one length apart");
    if (!from.ok()) return;
    last = run.length;
    pieces += run.count;
    size += uint64_t{run.count} * run.length;
  }
  signature.pieces.reserve(pieces);
  while (signature.pieces.size() < pieces && from.ok())
    signature.pieces.push_back(from.id<PieceHash>());
}

void read_anchors(RecordReader& from, BlobSignature& signature) {
  const uint64_t size = signature.size();
  uint64_t end = 0;
  signature.anchors.resize(from.count(1 + kMarkSize));
  for (Anchor& anchor : signature.anchors) {
    const uint64_t distance = from.uint();
    if (from.ok() && (distance == 0 || distance > size - end))
      from.refuse("has an anchor outside of its blob");
    if (!from.ok()) return;
    end += distance;
    anchor.end = static_cast<uint32_t>(end);
    std::array<std::byte, 8> mark{};
    const auto low = from.fixed<kMarkSize>();
    std::copy(low.begin(), low.end(), mark.begin());
    anchor.mark = load_le<uint64_t>(mark.data());
  }
}

}  // namespace

uint64_t BlobSignature::size() const {
  uint64_t size = 0;
  for (const Run& run : runs) size += uint64_t{run.count} * run.length;
  return size;
}

void BlobSignature::add(uint32_t length, const PieceHash& hash) {
  if (runs.empty() || runs.back().length != length) runs.push_back({0, length});
  ++runs.back().count;
  pieces.push_back(hash);
}

Result<BlobSignature> describe_blob(const WriteKeys& keys, ByteView plain, uint64_t offset) {
  BlobSignature signature;
  signature.pieces.reserve(plain.size() / kFinePiece + 2);
  size_t length = kFinePiece - offset % kFinePiece;
  for (size_t at = 0; at < plain.size(); at += length, length = kFinePiece) {
    const ByteView piece = plain.subspan(at, std::min(length, plain.size() - at));
    CB_ASSIGN(const PieceHash hash, keys.piece_hash(piece));
    signature.add(static_cast<uint32_t>(piece.size()), hash);
  }
  return signature;
}

Bytes encode(const BlobSignature& signature) {
  RecordWriter to;
  to.reserve(signature.pieces.size() * PieceHash::kSize + signature.anchors.size() * 10 + 128);
  write_unsigned_pieces(to, signature);
  to.fixed(signature.proof);
  return to.take();
}

Result<BlobSignature> decode_blob_signature(ByteView bytes) {
  RecordReader from(bytes, "signature");
  BlobSignature signature;
  from.version();
  read_runs(from, signature);
  read_anchors(from, signature);
  signature.device = from.id<DeviceId>();
  signature.proof = from.fixed<kSignatureSize>();
  CB_TRY(from.done());
  return signature;
}

Status sign_blob_signature(BlobSignature& signature, const RepositoryId& repository,
                           const BlobId& blob, const SessionSealer::Sign& sign) {
  CB_ASSIGN(signature.proof, sign(pieces_signed_part(signature, repository, blob)));
  return {};
}

Status verify_blob_signature(const BlobSignature& signature, const RepositoryId& repository,
                             const BlobId& blob, const SigningPublic& device) {
  if (signature.device == device_of(device) &&
      identity::verify(device, pieces_signed_part(signature, repository, blob), signature.proof))
    return {};
  return failed(Code::auth, "signature of blob " + blob.hex(),
                "is not of device " + device_of(device).hex());
}

}  // namespace cb::repository
