// SPDX-License-Identifier: Apache-2.0
//
// See pack_writer.h.
#include "core/repository/pack_writer.h"

namespace cb::repository {
namespace {

constexpr size_t kJoined = 16 * 1024;

}  // namespace

Result<std::unique_ptr<PackWriter>> PackWriter::begin(plugin::Store& store,
                                                      const PackHeader& header) {
  CB_ASSIGN(plugin::Put put, store.put_begin(pack_object(header.repository, header.name), 0, true));
  std::unique_ptr<PackWriter> writer(new PackWriter(std::move(put), header));
  writer->waiting_.reserve(kJoined);
  CB_TRY(writer->write(encode_pack_header(header)));
  return writer;
}

Status PackWriter::write_out(ByteView bytes) {
  whole_.update(bytes);
  return put_.write(bytes);
}

Status PackWriter::write(ByteView bytes) {
  size_ += bytes.size();
  if (waiting_.size() + bytes.size() > kJoined) {
    CB_TRY(write_out(waiting_));
    waiting_.clear();
  }
  if (bytes.size() >= kJoined) return write_out(bytes);
  waiting_.insert(waiting_.end(), bytes.begin(), bytes.end());
  return {};
}

Status PackWriter::begin_blob(const BlobHead& head) {
  open_ = {size_, head};
  is_open_ = true;
  taken_ = 0;
  blob_.reset();
  return write(encode_record(head));
}

Status PackWriter::content(ByteView stored) {
  if (!is_open_) return failed(Code::state, "pack", "was given content without a blob");
  if (stored.size() > open_.head.stored_size - taken_)
    return failed(Code::invalid, "blob " + open_.head.id.hex(),
                  "has more bytes than were announced");
  taken_ += stored.size();
  blob_.update(stored);
  return write(stored);
}

Status PackWriter::end_blob() {
  if (!is_open_) return failed(Code::state, "pack", "has no blob to end");
  if (taken_ != open_.head.stored_size)
    return failed(Code::invalid, "blob " + open_.head.id.hex(), "has fewer bytes than announced");
  is_open_ = false;
  CB_TRY(write(blob_.value()));
  blobs_.push_back(std::move(open_));
  return {};
}

Status PackWriter::cut() {
  if (!is_open_) return {};
  is_open_ = false;
  return write(encode_void(open_.offset));
}

Status PackWriter::finish() {
  CB_TRY(cut());
  CB_TRY(write(encode_footer(blobs_)));
  CB_TRY(write_out(waiting_));
  waiting_.clear();
  digest_ = whole_.value();
  const Bytes end = encode_end(static_cast<uint32_t>(blobs_.size()), digest_);
  size_ += end.size();
  CB_TRY(put_.write(end));
  return put_.commit();
}

}  // namespace cb::repository
