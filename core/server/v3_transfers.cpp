// SPDX-License-Identifier: Apache-2.0
#include "core/server/v3_transfers.h"

#include <algorithm>
#include <utility>

#include "core/protocol/v3/names.h"

namespace cb::server {
namespace {

// Uploads that one connection may have open or unconfirmed at once.
constexpr size_t kMaxActive = 4;
// Names that a session remembers to have refused or confirmed.
constexpr size_t kMaxRemembered = 256;

using boost::asio::awaitable;

Error refuse(Code code, std::string object, std::string cause) {
  return fail(code, std::move(object), std::move(cause));
}

V3Outcome refused(Error why, V3Outcome::Kind kind = V3Outcome::Kind::refused) {
  V3Outcome outcome;
  outcome.kind = kind;
  outcome.why = std::move(why);
  return outcome;
}

V3Outcome only(V3Outcome::Kind kind) {
  V3Outcome outcome;
  outcome.kind = kind;
  return outcome;
}

template <typename Container>
void bound(Container& container) {
  if (container.size() > kMaxRemembered) container.clear();
}

}  // namespace

// One 1028, both dialects.
struct V3Transfers::Packet {
  Name name;
  v3::TextField field{};     // the name as sent
  uint64_t content = 0;      // bytes that follow the head
  uint64_t cipher_size = 0;  // of the whole file
  std::optional<uint64_t> plain_size;
  uint16_t number = 1;
  uint16_t total = 1;
  Status acceptable;  // why the packet is refused, if it is
};

V3Transfers::V3Transfers(const V3Service::Parts& parts, const V3Settings& settings, Dialect dialect,
                         const V3Entrance& at, V3Counters& counters)
    : parts_(parts), settings_(settings), dialect_(dialect), at_(at), counters_(counters) {}

V3Transfers::~V3Transfers() = default;

namespace {

// May a packet of `present` bytes say this content size? Some senders mean the packet, some the
// whole ciphertext, and some fill the last packet with zeros (legacy-protocol 9).
bool content_size_fits(uint64_t said, uint64_t present, uint64_t cipher_size) {
  return said == present || said == cipher_size || said == cipher_size + 16;
}

}  // namespace

Result<V3Transfers::Packet> V3Transfers::read_head(const ClientId& client, ByteView head,
                                                   uint32_t payload_size) const {
  Packet packet;
  uint64_t said = 0;
  if (dialect_ == Dialect::of_2023) {
    const auto fields = v3::decode_file_head_2023(head.first<v3::kFileHead2023Size>());
    packet.field = fields.name;
    packet.content = packet.cipher_size = said = fields.content_size;
    const uint64_t counted = payload_size - v3::kFileHead2023Size;
    if (counted != 0 && counted != said)
      return failed(refuse(Code::corrupt, "1028", "payload size and content size disagree"));
  } else {
    const auto fields = v3::decode_file_head(head.first<v3::kFileHeadSize>());
    packet.field = fields.name;
    packet.content = payload_size - v3::kFileHeadSize;
    packet.plain_size = fields.original_size;
    packet.cipher_size = v3::ciphertext_size(fields.original_size);
    packet.number = fields.packet;
    packet.total = fields.total;
    said = fields.content_size;
  }
  const std::string_view sent = v3::text_in(packet.field);
  const Result<std::string_view> stored = v3::stored_file_name(sent);
  packet.name = {client, stored ? std::string(*stored) : std::string(sent)};
  if (!stored)
    packet.acceptable = failed(stored.error());
  else if (packet.content == 0 || !content_size_fits(said, packet.content, packet.cipher_size))
    packet.acceptable = failed(refuse(Code::corrupt, packet.name.second, "wrong content size"));
  else if (packet.cipher_size % 16 != 0)
    packet.acceptable =
        failed(refuse(Code::corrupt, packet.name.second, "is not a whole number of blocks"));
  else if (packet.total == 0 || packet.number > packet.total)
    packet.acceptable = failed(refuse(Code::invalid, packet.name.second, "wrong packet number"));
  else if (packet.plain_size.value_or(packet.cipher_size) > settings_.max_upload)
    packet.acceptable =
        failed(refuse(Code::limit, packet.name.second, "is larger than max_upload allows"));
  return packet;
}

bool V3Transfers::is_first(const Packet& packet) const {
  if (packet.number > 1) return false;
  if (packet.number == 0) return true;
  // Packet 1 is the second one of an upload that counts from 0.
  const auto active = active_.find(packet.name);
  if (active != active_.end() && active->second.upload->plan().from_zero &&
      !active->second.upload->complete())
    return false;
  const auto before = refused_.find(packet.name);
  return before == refused_.end() || !before->second;
}

Result<std::unique_ptr<V3Upload>> V3Transfers::begin(const Packet& packet, const plugin::Key& key) {
  const Result<plugin::StoreSpace> space = parts_.store->space();
  if (space && space->free < settings_.space_reserve + packet.cipher_size)
    return failed(refuse(Code::no_space, packet.name.second,
                         "the store has no room for it: " + format_size(space->free) + " free"));
  V3UploadPlan plan;
  plan.client = packet.name.first;
  plan.file_name = packet.name.second;
  plan.cipher_size = packet.cipher_size;
  plan.plain_size = packet.plain_size;
  plan.total = packet.total;
  plan.from_zero = packet.number == 0;
  V3Spool spool(*parts_.files, parts_.spool_folder, 2 * packet.cipher_size + kMiB);
  return V3Upload::open(std::move(plan), key, *parts_.archive, std::move(spool));
}

Result<std::unique_ptr<V3Upload>> V3Transfers::begin_if_served(const Packet& packet,
                                                               const plugin::Key& key) {
  const Status served = parts_.policy->check(packet.name.first, at_.address);
  is_served_ = served.has_value();
  CB_TRY(served);
  return begin(packet, key);
}

stream::Task<V3Transfers::Active*> V3Transfers::upload_for(const Packet& packet, const Key& key) {
  if (!packet.acceptable) co_return failed(packet.acceptable.error());
  if (!is_first(packet)) {
    const auto found = active_.find(packet.name);
    if (found == active_.end() || found->second.upload->complete())
      co_return failed(refuse(Code::state, packet.name.second, "its first packet is missing"));
    const V3UploadPlan& plan = found->second.upload->plan();
    if (plan.total != packet.total || plan.plain_size != packet.plain_size)
      co_return failed(refuse(Code::invalid, packet.name.second, "its sizes changed midway"));
    co_return &found->second;
  }
  co_await forget(packet.name);
  co_await forget_stale();
  if (active_.size() >= kMaxActive)
    co_return failed(refuse(Code::limit, packet.name.second, "too many unfinished uploads"));

  if (!key)
    co_return failed(refuse(Code::state, packet.name.second, "no key was exchanged before"));
  CB_CO_TRY(begin_work());
  CB_CO_ASSIGN(std::unique_ptr<V3Upload> upload,
               co_await parts_.workers->run([&] { return begin_if_served(packet, *key); }));
  refused_.erase(packet.name);
  confirmed_.erase(packet.name);
  ++counters_.uploads;
  Active& active = active_[packet.name];
  active = Active{std::move(upload), parts_.clock->monotonic()};
  co_return &active;
}

Status V3Transfers::admit() const {
  if (parts_.maintenance == nullptr) return {};
  return work_ ? work_->may_go_on() : parts_.maintenance->may_write();
}

// Until all uploads are confirmed, or the session ends: a file may be sent again.
Status V3Transfers::begin_work() {
  if (work_ || parts_.maintenance == nullptr) return {};
  CB_ASSIGN(Maintenance::Ticket ticket, parts_.maintenance->begin(Maintenance::Work::backup, end_));
  work_.emplace(std::move(ticket));
  return {};
}

// Among many uploads the workers are what is scarce, and large slices only wait for them in memory.
bool V3Transfers::buffers_abound() const {
  const stream::BufferPool::Counts counts = parts_.buffers->counts();
  return counts.taken * 4 < counts.limit;
}

// An error of the connection is the outer result, one of the upload the inner.
stream::Task<Status> V3Transfers::take_content(Active& active, const Packet& packet, V3Input& input,
                                               uint64_t& left) {
  V3Upload& upload = *active.upload;
  // A change of threads costs as much as the packet itself, so it is left out where nothing blocks.
  Status kept;
  if (upload.in_order(packet.number))
    kept = upload.begin_packet(packet.number);
  else
    kept = co_await parts_.workers->run([&] { return upload.begin_packet(packet.number); });
  while (kept && left > 0) {
    const uint64_t most = upload.wanted() + (buffers_abound() ? V3Cipher::kChunk : 0);
    CB_CO_ASSIGN(const ByteView slice, co_await input.slice(std::min(left, most)));
    left -= slice.size();
    kept = co_await parts_.workers->run([&] { return upload.content(slice); });
  }
  input.release();
  co_return kept;
}

awaitable<Result<bool>> V3Transfers::end_packet(V3Upload& upload, const Packet& packet) {
  if (upload.in_order(packet.number)) co_return upload.end_packet();
  co_return co_await parts_.workers->run([&] { return upload.end_packet(); });
}

stream::Task<V3Outcome> V3Transfers::packet(const ClientId& client, ByteView head,
                                            uint32_t payload_size, Key key, V3Input& input) {
  CB_CO_ASSIGN(const Packet packet, read_head(client, head, payload_size));
  uint64_t left = packet.content;
  input.begin_content(settings_.request_timeout);

  Result<Active*> active = co_await upload_for(packet, key);
  Status kept = active ? Status{} : Status(failed(active.error()));
  if (active) {
    (*active)->touched = parts_.clock->monotonic();
    CB_CO_ASSIGN(kept, co_await take_content(**active, packet, input, left));
    (*active)->touched = parts_.clock->monotonic();  // its turn may have come late
  }
  Result<bool> complete = false;
  if (kept) complete = co_await end_packet(*(*active)->upload, packet);
  if (!complete) kept = failed(complete.error());

  if (!kept) {
    co_await forget(packet.name);
    if (!is_served_) co_return refused(kept.error(), V3Outcome::Kind::ended);
    CB_CO_TRY(co_await input.skip(left));
    // A sender hears of a refused upload once; what it has sent already is swallowed.
    const bool told = !is_first(packet) && refused_.contains(packet.name);
    bound(refused_);
    if (!told) refused_[packet.name] = packet.number == 0;
    co_return told ? V3Outcome{} : refused(kept.error());
  }
  if (!*complete) co_return V3Outcome{};
  V3Outcome outcome = only(V3Outcome::Kind::received);
  const V3Upload& upload = *(*active)->upload;
  outcome.reply.client = client;
  outcome.reply.content_size = static_cast<uint32_t>(
      dialect_ == Dialect::of_2023 ? upload.plain_bytes() : packet.cipher_size);
  outcome.reply.name = packet.field;
  outcome.reply.cksum = upload.cksum();
  co_return outcome;
}

stream::Task<V3Outcome> V3Transfers::confirm(const ClientId& client, ByteView name_field) {
  const std::string_view sent = v3::text_in(name_field);
  const Name name{client, std::string(v3::stored_file_name(sent).value_or(sent))};
  const auto found = active_.find(name);
  if (found == active_.end() || !found->second.upload->complete()) {
    if (confirmed_.contains(name)) co_return only(V3Outcome::Kind::done);
    co_return refused(refuse(Code::state, name.second, "there is no upload to confirm"));
  }
  std::unique_ptr<V3Upload> upload = std::move(found->second.upload);
  const uint64_t plain_bytes = upload->plain_bytes();
  active_.erase(found);
  --counters_.uploads;
  const Status stored = co_await parts_.workers->run([&] {
    Status done = upload->commit();
    upload.reset();  // blocks, too
    if (done) parts_.policy->note_upload(client, at_, plain_bytes);
    return done;
  });
  if (active_.empty()) work_.reset();
  if (!stored) {
    ++counters_.uploads_dropped;
    co_return refused(stored.error());
  }
  ++counters_.uploads_confirmed;
  counters_.plain_bytes += plain_bytes;
  bound(confirmed_);
  confirmed_.insert(name);
  co_return only(V3Outcome::Kind::done);
}

stream::Task<V3Outcome> V3Transfers::drop(const ClientId& client, ByteView name_field) {
  const std::string_view sent = v3::text_in(name_field);
  co_await forget(Name{client, std::string(v3::stored_file_name(sent).value_or(sent))});
  co_return only(V3Outcome::Kind::done);
}

awaitable<void> V3Transfers::forget(const Name& name) {
  const auto found = active_.find(name);
  if (found == active_.end()) co_return;
  Active gone = std::move(found->second);
  active_.erase(found);
  --counters_.uploads;
  ++counters_.uploads_dropped;
  co_await parts_.workers->run([&] { gone.upload.reset(); });
}

awaitable<void> V3Transfers::forget_stale() {
  const std::chrono::nanoseconds now = parts_.clock->monotonic();
  std::vector<Name> stale;
  for (const auto& [name, active] : active_)
    if (now - active.touched > settings_.upload_timeout) stale.push_back(name);
  for (const Name& name : stale) co_await forget(name);
}

awaitable<void> V3Transfers::clear() {
  while (!active_.empty()) {
    const Name first = active_.begin()->first;
    co_await forget(first);
  }
  work_.reset();
}

}  // namespace cb::server
