// SPDX-License-Identifier: Apache-2.0
#include "core/client/v4_wire.h"

#include <algorithm>

namespace cb::client {
namespace {

// Room for a frame and for half of the next.
constexpr size_t kReadAhead = 512 * 1024;
constexpr size_t kGather = 64 * 1024;
// The longest TLS record. What goes out past the gathered bytes goes in whole ones.
constexpr size_t kRecord = 16 * 1024;

constexpr const char* kNotV4 = "check that this address and port belong to a v4 server";

}  // namespace

V4Wire::V4Wire(std::unique_ptr<stream::Connection> connection, stream::FlowLimits flow)
    : connection_(std::move(connection)),
      peer_(connection_->peer()),
      in_(kReadAhead),
      flow_(std::move(flow)) {
  out_.reserve(kGather);
}

stream::asio::awaitable<size_t> V4Wire::turn_of(stream::Throttle& throttle, size_t wanted) {
  ++held_;
  const size_t may = co_await throttle.take(wanted);
  --held_;
  co_return may;
}

stream::Task<void> V4Wire::write(ByteView bytes) {
  while (!bytes.empty()) {
    size_t may = bytes.size();
    if (flow_.upload) may = co_await turn_of(*flow_.upload, may);
    CB_CO_TRY(co_await connection_->write(bytes.first(may)));
    bytes = bytes.subspan(may);
  }
  co_return Status{};
}

stream::Task<size_t> V4Wire::read_some(ByteSpan into) {
  if (!flow_.download) co_return co_await connection_->read_some(into);
  if (may_read_ == 0) may_read_ = co_await turn_of(*flow_.download, into.size());
  CB_CO_ASSIGN(const size_t got,
               co_await connection_->read_some(into.first(std::min(into.size(), may_read_))));
  may_read_ -= got;
  co_return got;
}

// Bytes of the frame that begins here; 0 while its header is not there.
Result<size_t> V4Wire::frame_size() const {
  if (end_ - begin_ < protocol::kResponseHeaderSize) return size_t{0};
  const auto header = protocol::decode_response_header(
      ByteView(in_).subspan(begin_).first<protocol::kResponseHeaderSize>());
  if (header.version != v4::kVersion || !v4::response_of(header.code))
    return failed(Code::corrupt, peer_,
                  "answered with code " + std::to_string(header.code) + " of version " +
                      std::to_string(header.version) + ", which protocol v4 does not know",
                  kNotV4);
  if (header.payload_size > v4::kFrameMax)
    return failed(Code::corrupt, peer_,
                  "announced a frame of " + std::to_string(header.payload_size) + " bytes", kNotV4);
  return protocol::kResponseHeaderSize + header.payload_size;
}

Result<V4Frame> V4Wire::take(size_t size) {
  const ByteView whole = ByteView(in_).subspan(begin_, size);
  begin_ += size;
  const auto header =
      protocol::decode_response_header(whole.first<protocol::kResponseHeaderSize>());
  auto payload = v4::parse_payload(whole.subspan(protocol::kResponseHeaderSize));
  if (!payload) return failed(Code::corrupt, peer_, payload.error().text(), kNotV4);
  return V4Frame{static_cast<v4::Response>(header.code), payload->request_id, payload->message,
                 payload->bulk};
}

// Moves what was read to the front when a frame of this size would not fit behind it.
void V4Wire::make_room(size_t size) {
  if (begin_ == end_) begin_ = end_ = 0;
  if (begin_ + std::max(size, kRecord) <= in_.size() && end_ < in_.size()) return;
  std::move(in_.begin() + static_cast<std::ptrdiff_t>(begin_),
            in_.begin() + static_cast<std::ptrdiff_t>(end_), in_.begin());
  end_ -= begin_;
  begin_ = 0;
}

stream::Task<V4Frame> V4Wire::receive(std::chrono::nanoseconds timeout) {
  connection_->set_read_timeout(timeout);
  for (;;) {
    CB_CO_ASSIGN(const size_t size, frame_size());
    if (size > 0 && end_ - begin_ >= size) co_return take(size);
    make_room(size);
    CB_CO_ASSIGN(const size_t got, co_await read_some(ByteSpan(in_).subspan(end_)));
    if (got == 0) co_return failed(Code::closed, peer_, "the server closed the connection");
    end_ += got;
  }
}

stream::Task<void> V4Wire::append(ByteView bytes) {
  while (!bytes.empty()) {
    const size_t whole_records = bytes.size() / kRecord * kRecord;
    if (out_.empty() && whole_records >= kGather) {
      CB_CO_TRY(co_await write(bytes.first(whole_records)));
      bytes = bytes.subspan(whole_records);
      continue;
    }
    const ByteView part = bytes.first(std::min(bytes.size(), kGather - out_.size()));
    out_.insert(out_.end(), part.begin(), part.end());
    bytes = bytes.subspan(part.size());
    if (out_.size() == kGather) CB_CO_TRY(co_await flush());
  }
  co_return Status{};
}

stream::Task<void> V4Wire::flush() {
  if (out_.empty()) co_return Status{};
  auto written = co_await write(out_);
  out_.clear();
  co_return written;
}

}  // namespace cb::client
