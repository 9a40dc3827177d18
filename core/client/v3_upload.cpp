// SPDX-License-Identifier: Apache-2.0
#include "core/client/v3_upload.h"

#include <algorithm>

#include "core/protocol/v3/names.h"

namespace cb::client {
namespace {

using std::chrono::nanoseconds;
using v3::Reply;
using v3::Request;

constexpr size_t kHeadSize = protocol::kRequestHeaderSize + v3::kFileHeadSize;
constexpr uint64_t kMaxPlain = 0xffffffff;
constexpr uint64_t kMaxTotalField = 0xfffffff0;
constexpr uint64_t kMaxPackets = 65535;
// A server reads a file twice before it answers; one second more for so many bytes.
constexpr uint64_t kBytesPerSecond = 8 * kMiB;
// How long to wait for the acknowledgement of giving up; nothing depends on it.
constexpr nanoseconds kFarewell = std::chrono::seconds(5);

uint64_t packets_for(uint64_t size, const V3SendSettings& settings) {
  const uint64_t cipher = v3::ciphertext_size(size);
  return (cipher + settings.piece_size - 1) / settings.piece_size;
}

Status check_size(const os::Path& path, uint64_t size, const V3SendSettings& settings) {
  if (size > kMaxPlain)
    return failed(Code::limit, path.string(),
                  "has " + format_size(size) + ", protocol v3 cannot send more than 4 GiB - 1 byte",
                  "split it, or use a server with protocol v4");
  if (settings.content_size == ContentSize::total && v3::ciphertext_size(size) > kMaxTotalField)
    return failed(Code::limit, path.string(),
                  "is too large for the total in the content size field",
                  "use --content-size packet");
  const uint64_t packets = packets_for(size, settings);
  if (packets > kMaxPackets)
    return failed(
        Code::limit, path.string(),
        "would need " + std::to_string(packets) + " packets, at most 65535 can be counted",
        "use a larger --piece-size");
  return {};
}

}  // namespace

Result<V3Transfer> open_transfer(os::FileSystem& files, const os::Path& path,
                                 const V3SendSettings& settings) {
  V3Transfer transfer;
  transfer.path = path;
  const std::string text = path.string();
  const std::string_view name = v3::last_component(text);
  if (name.empty()) return failed(Code::invalid, text, "names no file", "give the path of a file");
  auto field = v3::text_field(name);
  if (!field) return failed(Code::limit, text, "has a name of more than 255 bytes");
  transfer.name = *field;
  CB_ASSIGN(const os::FileInfo named, files.info(path));
  if (!named.is_regular())
    return failed(Code::invalid, text, "is no regular file", "give files, v3 knows no folders");
  CB_ASSIGN(transfer.file, files.open(path, os::Open::read));
  CB_ASSIGN(const os::FileInfo info, transfer.file->info());
  transfer.size = info.size;
  CB_TRY(check_size(path, info.size, settings));
  return transfer;
}

V3Upload::V3Upload(V3Wire& wire, const ClientId& client, const plugin::Key& key, uint32_t chunk,
                   const V3SendSettings& settings)
    : wire_(wire), client_(client), key_(key), chunk_(chunk), settings_(settings) {}

uint16_t V3Upload::packets_of(const V3Transfer& transfer) const {
  return static_cast<uint16_t>(packets_for(transfer.size, settings_));
}

boost::asio::awaitable<V3Upload::Verdict> V3Upload::run(V3Transfer& transfer, Progress progress,
                                                        Note note) {
  for (;;) {
    ++transfer.uploads;
    auto sent = co_await send_content(transfer, progress);
    if (!sent) co_return after_failure(std::move(sent).error());
    V3Reply reply{Reply::error, {}};
    if (*sent == Step::sent) {
      auto received = co_await await_file_reply(transfer);
      if (!received) co_return after_failure(std::move(received).error());
      reply = std::move(*received);
    }
    auto end = co_await judge(transfer, reply, note);
    if (end) co_return std::move(*end);
  }
}

// Nothing: send the content once more on this connection.
boost::asio::awaitable<std::optional<V3Upload::Verdict>> V3Upload::judge(V3Transfer& transfer,
                                                                         const V3Reply& reply,
                                                                         const Note& note) {
  if (reply.kind == Reply::error) {
    Verdict end = after_error(transfer, note);
    const bool in_place = packets_of(transfer) == 1 && wire_.usable();
    if (end.end == End::again && in_place) co_return std::nullopt;
    co_return end;
  }
  const auto file = v3::parse_file_reply(reply.payload);
  if (reply.kind != Reply::file_received || !file)
    co_return after_failure(fail(Code::corrupt, wire_.peer(),
                                 "answered " + std::string(name_of(reply.kind)) + " to a file"));
  if (file->cksum == transfer.cksum) co_return co_await confirm(transfer);
  if (transfer.resends >= settings_.max_resends) co_return co_await give_up(transfer);
  ++transfer.resends;
  note("the server got " + transfer.path.string() + " with a wrong checksum, sending it again (" +
       std::to_string(transfer.resends) + " of " + std::to_string(settings_.max_resends) + ")");
  auto told = co_await tell(Request::checksum_retry, transfer);
  if (!told) co_return after_failure(std::move(told).error());
  co_return std::nullopt;
}

V3Upload::Verdict V3Upload::after_error(V3Transfer& transfer, const Note& note) const {
  if (transfer.repeats >= settings_.max_repeats)
    return {End::refused, fail(Code::denied, transfer.path.string(),
                               "the server answered it with an error (1607)",
                               "its name may have characters that the server does not take, or the "
                               "server has no room; look into its log")};
  ++transfer.repeats;
  note("the server answered " + transfer.path.string() + " with an error, sending it again (" +
       std::to_string(transfer.repeats) + " of " + std::to_string(settings_.max_repeats) + ")");
  return {End::again, {}};
}

V3Upload::Verdict V3Upload::after_failure(Error error) const {
  return {file_failed_ ? End::unreadable : End::broken, std::move(error)};
}

stream::Task<V3Upload::Step> V3Upload::send_content(V3Transfer& transfer,
                                                    const Progress& progress) {
  CB_CO_ASSIGN(plugin::Seal seal, key_.seal({}));
  V3Content content(*transfer.file, transfer.path.string(), transfer.size, std::move(seal), chunk_);
  if (wire_.dialect() == v3::Dialect::of_2023) {
    CB_CO_TRY(co_await send_2023(transfer, content, progress));
    co_return Step::sent;
  }
  co_return co_await send_packets(transfer, content, progress);
}

stream::Task<V3Upload::Step> V3Upload::send_packets(V3Transfer& transfer, V3Content& content,
                                                    const Progress& progress) {
  const uint64_t total = v3::ciphertext_size(transfer.size);
  Bytes packet(kHeadSize + std::min<uint64_t>(settings_.piece_size, total));
  v3::FileHead head;
  head.original_size = static_cast<uint32_t>(transfer.size);
  head.total = packets_of(transfer);
  head.name = transfer.name;
  while (head.packet < head.total) {
    const auto piece = content.next(std::span(packet).subspan(kHeadSize));
    file_failed_ = !piece;
    if (!piece) co_return failed(piece.error());
    ++head.packet;
    head.content_size =
        static_cast<uint32_t>(settings_.content_size == ContentSize::packet ? *piece : total);
    const auto payload = static_cast<uint32_t>(v3::kFileHeadSize + *piece);
    const auto start = protocol::encode(
        protocol::RequestHeader{client_, v3::kVersion, v3::code_of(Request::send_file), payload});
    const auto fields = encode(head);
    std::copy(start.begin(), start.end(), packet.begin());
    std::copy(fields.begin(), fields.end(), packet.begin() + start.size());
    if (head.packet == head.total) transfer.cksum = content.cksum();
    const auto sent = co_await wire_.send(std::span(packet).first(kHeadSize + *piece));
    if (!sent) {
      // A server that refuses a packet and closes says so before the connection breaks.
      const auto refused = co_await refused_early();
      if (refused && *refused) co_return Step::refused;
      co_return failed(sent.error());
    }
    progress(content.plain_read());
    if (head.packet == head.total) break;
    CB_CO_ASSIGN(const bool refused, co_await refused_early());
    if (refused) co_return Step::refused;
  }
  co_return Step::sent;
}

// Has the server refused the file before all of it was sent? Late acknowledgements are dropped.
stream::Task<bool> V3Upload::refused_early() {
  for (;;) {
    CB_CO_ASSIGN(const bool pending, co_await wire_.pending());
    if (!pending) co_return false;
    CB_CO_ASSIGN(const V3Reply reply, co_await wire_.receive(settings_.response_timeout));
    if (reply.kind == Reply::acknowledged) continue;
    if (reply.kind == Reply::error) co_return true;
    co_return failed(Code::corrupt, wire_.peer(),
                     "answered " + std::string(name_of(reply.kind)) + " before it had the file");
  }
}

// Only the 259 bytes of the head are counted (legacy-protocol 10).
stream::Task<void> V3Upload::send_2023(V3Transfer& transfer, V3Content& content,
                                       const Progress& progress) {
  const uint64_t total = v3::ciphertext_size(transfer.size);
  const auto head = encode(v3::FileHead2023{static_cast<uint32_t>(total), transfer.name});
  const Bytes start = v3::request_bytes(client_, Request::send_file, {head});
  CB_CO_TRY(co_await wire_.send(start));
  Bytes piece(std::min<uint64_t>(settings_.piece_size, total));
  for (uint64_t done = 0; done < total;) {
    const auto size = content.next(piece);
    file_failed_ = !size;
    if (!size) co_return failed(size.error());
    CB_CO_TRY(co_await wire_.send(std::span(piece).first(*size)));
    done += *size;
    progress(content.plain_read());
  }
  transfer.cksum = content.cksum();
  co_return Status{};
}

stream::Task<V3Reply> V3Upload::await_file_reply(const V3Transfer& transfer) {
  const nanoseconds timeout =
      settings_.response_timeout + std::chrono::seconds(transfer.size / kBytesPerSecond);
  for (;;) {
    CB_CO_ASSIGN(V3Reply reply, co_await wire_.receive(timeout));
    if (reply.kind != Reply::acknowledged) co_return reply;
  }
}

stream::Task<void> V3Upload::tell(Request request, const V3Transfer& transfer) {
  const Bytes bytes = v3::request_bytes(client_, request, {transfer.name});
  co_return co_await wire_.send(bytes);
}

boost::asio::awaitable<V3Upload::Verdict> V3Upload::confirm(const V3Transfer& transfer) {
  for (uint32_t repeat = 0; repeat <= settings_.max_repeats; ++repeat) {
    auto told = co_await tell(Request::checksum_right, transfer);
    if (!told) co_return after_failure(std::move(told).error());
    auto reply = co_await wire_.receive(settings_.confirm_timeout);
    if (!reply) co_return Verdict{End::not_confirmed, std::move(reply).error()};
    if (reply->kind == Reply::acknowledged) co_return Verdict{End::confirmed, {}};
    if (reply->kind != Reply::error)
      co_return Verdict{End::not_confirmed, fail(Code::corrupt, wire_.peer(),
                                                 "answered " + std::string(name_of(reply->kind)) +
                                                     " to the confirmation")};
  }
  co_return Verdict{End::refused, fail(Code::denied, transfer.path.string(),
                                       "the server took it and then could not keep it (1607)",
                                       "look into the server's log")};
}

boost::asio::awaitable<V3Upload::Verdict> V3Upload::give_up(const V3Transfer& transfer) {
  const auto told = co_await tell(Request::checksum_give_up, transfer);
  if (told) (void)co_await wire_.receive(kFarewell);
  co_return Verdict{End::refused,
                    fail(Code::corrupt, transfer.path.string(),
                         "the server never got it with the right checksum, " +
                             std::to_string(transfer.uploads) + " times sent",
                         "check the network and the server's disk, then send it again")};
}

}  // namespace cb::client
