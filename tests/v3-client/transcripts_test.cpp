// SPDX-License-Identifier: Apache-2.0
//
// The client against every recorded session: it gets the recorded answers, with the files that the
// recorded client had before, and must send the recorded content. Where it is meant to do better
// than the recorded client, the test says how.
#include <deque>

#include "core/protocol/v3/cksum.h"
#include "tests/folders.h"
#include "tests/v3-client/bench.h"

namespace cb::testing {
namespace {

using client::V3Outcome;
using v3::Reply;
using v3::Request;
using Codes = std::vector<uint16_t>;

struct RecordedReply {
  Reply kind;
  Bytes whole;  // header and payload
};

// A session as recorded.
struct Recording {
  std::string user_name;
  std::string file_name = "note.txt";  // some sessions never came to a file
  std::optional<ClientId> old_id;      // what me.info held before
  Bytes public_key;                    // empty: none was sent
  Bytes cipher;                        // of the first upload
  std::deque<RecordedReply> replies;
};

// Takes the next request off `rest`; in the dialect of 2023 the content of 1028 is not counted.
ReceivedRequest take_request(ByteView& rest, bool of_2023) {
  ReceivedRequest request;
  request.header = protocol::decode_request_header(rest.first<23>());
  rest = rest.subspan(protocol::kRequestHeaderSize);
  size_t size = request.header.payload_size;
  if (of_2023 && request.kind() == Request::send_file) size += load_le<uint32_t>(rest.data());
  request.payload = to_bytes(rest.first(size));
  rest = rest.subspan(size);
  return request;
}

// Adds a packet of the first upload; true when it was the last.
bool add_packet(Recording& recording, const ReceivedRequest& request, bool of_2023) {
  const size_t head = of_2023 ? v3::kFileHead2023Size : v3::kFileHeadSize;
  const ByteView payload = request.payload;
  recording.file_name = v3::text_in(payload.subspan(head - v3::kTextFieldSize));
  const ByteView piece = payload.subspan(head);
  recording.cipher.insert(recording.cipher.end(), piece.begin(), piece.end());
  if (of_2023) return true;
  const auto fields = v3::decode_file_head(payload.first<v3::kFileHeadSize>());
  return fields.packet == fields.total;
}

Recording read_recording(const std::filesystem::path& folder) {
  const bool of_2023 = folder.filename().string().starts_with("dialect2023");
  Recording recording;
  const std::string sent = content_of(folder / "client-to-server.bin");
  bool first = true;
  bool whole = false;
  for (ByteView rest = as_bytes(sent); !rest.empty(); first = false) {
    const auto request = take_request(rest, of_2023);
    if (first) recording.user_name = request.name();
    if (first && request.kind() == Request::reconnect) recording.old_id = request.header.client;
    if (request.kind() == Request::send_key)
      recording.public_key = to_bytes(v3::parse_public_key(request.payload)->key);
    if (request.kind() == Request::send_file && !whole)
      whole = add_packet(recording, request, of_2023);
  }
  const std::string received = content_of(folder / "server-to-client.bin");
  for (ByteView rest = as_bytes(received); !rest.empty();) {
    const auto header = protocol::decode_response_header(rest.first<7>());
    const size_t size = protocol::kResponseHeaderSize + header.payload_size;
    recording.replies.push_back({*v3::reply_of(header.code), to_bytes(rest.first(size))});
    rest = rest.subspan(size);
  }
  return recording;
}

bool answers(Request request, Reply reply) {
  switch (request) {
    case Request::sign_up:
      return reply == Reply::signed_up || reply == Reply::sign_up_refused;
    case Request::send_key:
      return reply == Reply::key;
    case Request::reconnect:
      return reply == Reply::reconnected || reply == Reply::reconnect_refused;
    case Request::send_file:
      return reply == Reply::file_received;
    default:
      return reply == Reply::acknowledged;
  }
}

// Answers with what was recorded; this client asks less often than some, so what would answer
// nothing is skipped.
class Replay {
 public:
  explicit Replay(Recording recording, ServerSide* live, bool of_2023)
      : recording_(std::move(recording)), live_(live), of_2023_(of_2023) {}

  void serve(Peer& peer) {
    for (;;) {
      const ReceivedRequest request = peer.read();
      if (request.kind() == Request::send_file && !take_packet(peer, request)) continue;
      if (request.kind() == Request::checksum_retry && !next_is(Reply::acknowledged)) continue;
      if (!answer(peer, request)) return;
    }
  }

  // The content of each upload.
  [[nodiscard]] const std::vector<Bytes>& uploads() const { return uploads_; }

 private:
  [[nodiscard]] bool next_is(Reply kind) const {
    return !recording_.replies.empty() && recording_.replies.front().kind == kind;
  }

  // True when the file is whole.
  bool take_packet(Peer& peer, const ReceivedRequest& request) {
    const ByteView payload = request.payload;
    if (of_2023_) {
      uploads_.push_back(peer.read_uncounted(load_le<uint32_t>(payload.data())));
      return true;
    }
    const auto head = v3::decode_file_head(payload.first<v3::kFileHeadSize>());
    if (head.packet == 1) uploads_.emplace_back();
    const ByteView piece = payload.subspan(v3::kFileHeadSize);
    EXPECT_EQ(head.content_size, piece.size());
    uploads_.back().insert(uploads_.back().end(), piece.begin(), piece.end());
    return head.packet == head.total;
  }

  // False: the recorded server closed here.
  bool answer(Peer& peer, const ReceivedRequest& request) {
    auto& replies = recording_.replies;
    while (!replies.empty() && !answers(request.kind(), replies.front().kind)) replies.pop_front();
    if (replies.empty()) return answer_live(peer, request);
    peer.raw(replies.front().whole);
    const bool refused = replies.front().kind == Reply::reconnect_refused;
    replies.pop_front();
    return !(refused && replies.empty());
  }

  // What comes after the end of the recording.
  bool answer_live(Peer& peer, const ReceivedRequest& request) {
    if (live_ == nullptr) throw PeerGone("the recording has no answer");
    const ClientId id = request.kind() == Request::sign_up ? id_of(5) : request.header.client;
    if (request.kind() == Request::sign_up) peer.reply(Reply::signed_up, {id.view()});
    if (request.kind() == Request::send_key) live_->answer_key(peer, id, request);
    if (request.kind() == Request::send_file) live_->answer_file(peer, id, uploads_.back());
    if (request.kind() == Request::checksum_right) peer.reply(Reply::acknowledged, {id.view()});
    return true;
  }

  Recording recording_;
  ServerSide* live_;
  bool of_2023_;
  std::vector<Bytes> uploads_;
};

struct Case {
  const char* folder;
  Codes codes;  // what this client sends
  V3Outcome outcome = V3Outcome::confirmed;
};

void PrintTo(const Case& replayed, std::ostream* out) { *out << replayed.folder; }

class Transcript : public Bench, public ::testing::WithParamInterface<Case> {
 protected:
  const std::filesystem::path source_ =
      std::filesystem::path(test::data()) / "legacy" / "transcripts" / GetParam().folder;

  void check_request(const ReceivedRequest& request, const Recording& recording,
                     bool of_2023) const;

  // Leaves the files as they were before the session.
  void restore_identity(const Recording& recording) {
    write_content(identity() / "priv.key", content_of(source_ / "priv.key"));
    if (!recording.old_id) return;
    auto me = v3::parse_me_info(as_bytes(content_of(source_ / "me.info")));
    ASSERT_TRUE(me);
    me->user_name = recording.user_name;
    me->id = *recording.old_id;
    write_content(identity() / "me.info", as_text(v3::format_me_info(*me).view()));
  }
};

void Transcript::check_request(const ReceivedRequest& request, const Recording& recording,
                               bool of_2023) const {
  switch (request.kind()) {
    case Request::sign_up:
      EXPECT_TRUE(request.header.client.is_zero());
      EXPECT_EQ(request.name(), recording.user_name);
      break;
    case Request::reconnect:
      EXPECT_EQ(request.header.client, *recording.old_id);
      EXPECT_EQ(request.name(), recording.user_name);
      break;
    case Request::send_key:
      EXPECT_EQ(request.name(), recording.user_name);
      EXPECT_TRUE(recording.public_key.empty() ||
                  to_bytes(v3::parse_public_key(request.payload)->key) == recording.public_key);
      break;
    default:
      EXPECT_EQ(request.header.client, me_info().id);
      EXPECT_TRUE((of_2023 && request.kind() == Request::send_file) ||
                  request.name() == recording.file_name);
  }
}

TEST_P(Transcript, is_answered_with_the_recorded_content) {
  const Recording recording = read_recording(source_);
  settings_.user_name = recording.user_name;
  restore_identity(recording);
  const std::string plain = content_of(source_ / "plain.bin");
  const auto file = make_file(recording.file_name, plain);
  ServerSide live(suites().sha256);
  const bool lost_server = recording.cipher.empty();
  const bool of_2023 = std::string_view(GetParam().folder).starts_with("dialect2023");
  Replay replay(recording, lost_server ? &live : nullptr, of_2023);
  ScriptedServer server([&](Peer& peer) { replay.serve(peer); });
  const auto report = send(server.port(), {file});
  const auto& log = server.join();

  ASSERT_EQ(report.files.size(), 1u);
  EXPECT_EQ(report.files[0].outcome, GetParam().outcome)
      << (report.files[0].error ? report.files[0].error->text() : "");
  EXPECT_EQ(report.files[0].cksum, v3::cksum_of(as_bytes(plain)));
  EXPECT_EQ(server.codes(), GetParam().codes);
  for (const auto& upload : replay.uploads())
    EXPECT_TRUE(lost_server || upload == recording.cipher);
  for (const auto& request : log) check_request(request, recording, of_2023);
}

const Codes kRegister{1025, 1026, 1028, 1029};
const Codes kReconnect{1027, 1028, 1029};
const Codes kResend{1027, 1028, 1030, 1028, 1029};
const Codes kGiveUp{1027, 1028, 1030, 1028, 1030, 1028, 1030, 1028, 1031};
const Codes kRegisterAgain{1027, 1025, 1026, 1028, 1029};

INSTANTIATE_TEST_SUITE_P(
    Recorded, Transcript,
    ::testing::Values(
        Case{"cross-orig-client-reefjo-server", kRegister},
        Case{"cross-reefjo-client-orig-main-server", kRegister},
        Case{"dialect2023-register-small", kRegister}, Case{"orig-register-small", kRegister},
        Case{"reefjo-register-small", kRegister}, Case{"orig-even-size-two-packets", kRegister},
        // Packets of 1 MiB: one where the recorded clients sent four and six.
        Case{"orig-reconnect-multipacket", kReconnect},
        Case{"reefjo-reconnect-multipacket", kReconnect},
        // One resend is enough: the acknowledgement of 1030 is not taken for an answer to a file.
        Case{"orig-crc-mismatch-resend", kResend}, Case{"reefjo-crc-mismatch-resend", kResend},
        // The recorded client read late by one, and sent six times.
        Case{"orig-crc-mismatch-abort", kGiveUp, V3Outcome::refused},
        Case{"reefjo-crc-mismatch-abort", kGiveUp, V3Outcome::refused},
        Case{"orig-reconnect-denied-reregister", kRegisterAgain},
        // One 1027 is enough.
        Case{"reefjo-reconnect-denied-reregister", kRegisterAgain},
        // The recorded client failed: it asked the closed connection.
        Case{"orig-reconnect-denied-closed", kRegisterAgain}),
    [](const auto& one) {
      std::string name = one.param.folder;
      for (char& c : name)
        if (c == '-') c = '_';
      return name;
    });

class UndecryptableKey : public Bench {};

// The recorded client made a new priv.key and ended with 1601; the key in me.info opens the 1605.
TEST_F(UndecryptableKey, is_opened_with_the_key_in_me_info) {
  const auto source =
      std::filesystem::path(test::data()) / "legacy/transcripts/orig-undecryptable-key";
  const Recording recording = read_recording(source);
  settings_.user_name = recording.user_name;
  write_content(identity() / "priv.key", content_of(source / "priv.key"));
  write_content(identity() / "me.info", content_of(source / "me.info"));
  const std::string plain = content_of(source / "plain.bin");
  const auto me = v3::parse_me_info(as_bytes(content_of(source / "me.info")));
  auto keys = client::V3Keys::load(suites(), [&] {
    std::vector<Secret> own;
    own.push_back(me->private_key.clone());
    return own;
  }());
  const ByteView answer = recording.replies.front().whole;
  const auto key = keys.unwrap(v3::parse_key_reply(answer.subspan(7))->wrapped_key);
  ASSERT_TRUE(key) << key.error().text();

  ScriptedServer server([&](Peer& peer) {
    EXPECT_EQ(peer.expect(Request::reconnect).header.client, *recording.old_id);
    peer.raw(answer);
    const Bytes cipher = peer.read_file();
    Bytes room(cipher.size());
    auto opened = key->open({}, {});
    const auto size = opened->chunk(0, true, cipher, room);
    EXPECT_TRUE(size && as_text(ByteView(room).first(*size)) == plain);
    v3::FileReply reply;
    reply.cksum = v3::cksum_of(as_bytes(plain));
    peer.reply(Reply::file_received, {encode(reply)});
    peer.expect(Request::checksum_right);
    peer.reply(Reply::acknowledged);
  });
  const auto report = send(server.port(), {make_file("even.bin", plain)});
  server.join();
  EXPECT_EQ(report.files[0].outcome, V3Outcome::confirmed);
  EXPECT_EQ(server.codes(), kReconnect);
  // From now on both files hold the right key.
  const auto kept = v3::parse_private_key(as_bytes(content_of(identity() / "priv.key")));
  EXPECT_TRUE(equal_in_constant_time(kept->view(), me->private_key.view()));
}

}  // namespace
}  // namespace cb::testing
