// SPDX-License-Identifier: Apache-2.0
//
// The client's real session against a server that answers as the input says: every call ends, with
// what was asked for or with an error, and nothing is left behind. The first byte chooses what the
// client is after, the rest is the server's script.
#include "core/client/enrolment.h"
#include "core/client/v4_login.h"
#include "core/client/v4_session.h"
#include "tests/conversation/fuzz_steps.h"
#include "tests/conversation/invariant.h"
#include "tests/conversation/v4_script.h"
#include "tests/conversation/virtual_time.h"

using namespace cb;
using namespace cb::conversation;
using namespace std::chrono_literals;

namespace {

const ScriptedAccount& account() {
  static const ScriptedAccount made;
  return made;
}

client::V4Identity identity_of(const server::V4Owner& owner) {
  client::V4Identity who;
  who.repository = owner.record.id;
  who.root = owner.record.root;
  who.device = owner.device;
  who.sign = [&owner](ByteView message) { return owner.key.sign(message); };
  return who;
}

// The four blobs that are put: the last has two frames.
const std::vector<repository::StoredBlob>& blobs() {
  static const std::vector<repository::StoredBlob> made = [] {
    std::vector<repository::StoredBlob> all;
    for (const size_t size : {size_t{1}, size_t{3000}, size_t{70'000}, size_t{300'000}}) {
      repository::StoredBlob blob;
      blob.head.id.bytes.fill(static_cast<std::byte>(all.size() + 1));
      blob.head.session.bytes.fill(std::byte{7});
      blob.stored.resize(size);
      blob.head.stored_size = static_cast<uint32_t>(size);
      all.push_back(std::move(blob));
    }
    return all;
  }();
  return made;
}

class Client {
 public:
  explicit Client(const stream::Stack& stack) : stack_(stack) {}

  void run(uint8_t what) {
    switch (what % 4) {
      case 1:
        return enroll();
      case 2:
        return be_invited();
      case 3:
        return be_a_person();
      default:
        return back_up();
    }
  }

 private:
  void back_up() {
    const auto opened =
        client::V4Session::open(stack_, target_, identity_of(account().owner), limits());
    if (!opened) return;
    client::V4Session& session = **opened;
    transfer(session);
    ask(session);
    ask_as_owner(session);
  }

  // As a backup and a restore do.
  void transfer(client::V4Session& session) {
    std::vector<repository::BlobId> ids;
    for (const repository::StoredBlob& blob : blobs()) ids.push_back(blob.head.id);
    if (const auto have = session.have(ids))
      require(have->size() == ids.size(), "have gave another number of answers");
    uint64_t puts = 0;
    for (const repository::StoredBlob& blob : blobs())
      if (session.put(blob)) ++puts;
    (void)session.flush();
    require(session.durable_puts() <= puts, "more blobs are durable than were put");
    repository::CommitRequest request;
    request.commit_id.bytes.fill(std::byte{9});
    request.snapshot = ids[3];
    request.root = ids[2];
    if (const auto done = session.commit(request))
      require(done->missing.empty() != done->receipt.empty(), "a commit is neither done nor not");
    size_t came = 0;
    const Status got = session.get(ids, [&](repository::StoredBlob blob) -> Status {
      require(blob.stored.size() == blob.head.stored_size, "a blob is not as long as it says");
      ++came;
      return {};
    });
    require(!got || came == ids.size(), "not all came, and nobody said so");
    (void)session.get(
        ids, [](repository::StoredBlob) -> Status { return failed(Code::io, "sink", "is full"); });
  }

  void ask(client::V4Session& session) {
    (void)session.snapshots(true);
    (void)session.slots();
    (void)session.counts();
    if (const auto page = session.chain(1)) require(page->commits.size() < 100'000, "a long page");
    (void)session.wanted({});
    if (const auto page = session.signatures(0))
      require(page->ids.size() <= v4::kIdsMax, "a page has more ids than it may");
    (void)session.forget(blobs().back().head.id);
    (void)session.undelete(blobs().back().head.id);
    (void)session.devices();
  }

  void ask_as_owner(client::V4Session& session) {
    (void)session.add_slot(account().owner.slot);
    (void)session.retention();
    (void)session.set_retention({}, "keep-all");
    if (const auto page = session.sessions(2, {}))
      for (size_t i = 1; i < page->sessions.size(); ++i)
        require(page->sessions[i - 1].session < page->sessions[i].session,
                "a page of sessions has no order");
    (void)session.copies(0);
    (void)session.verified(account().owner.device, {}, false);
    (void)session.put_record(account().owner.record, std::nullopt);
    (void)session.report_drill({});
    (void)session.welcome();
  }

  void enroll() {
    client::Enrolment enrolment;
    const server::V4Owner& owner = account().owner;
    enrolment.token_secret = Secret(Bytes(32));
    enrolment.repository = repository::encode(owner.record);
    enrolment.certificate = repository::encode(owner.certificate);
    enrolment.profile.device_seed = owner.key.seed().clone();
    (void)client::enroll(stack_, target_, enrolment, limits());
  }

  static client::NewDevice device_of(const server::V4Invited& invited) {
    client::NewDevice device;
    device.certificate = repository::encode(invited.certificate);
    device.device = invited.device;
    device.sign = [&invited](ByteView message) { return invited.key.sign(message); };
    return device;
  }

  void be_invited() {
    const server::V4Invited& invited = account().invited;
    client::InviteProof proof;
    proof.invite = invited.invite.id;
    proof.proof = Secret(ByteView(invited.proof));
    proof.repository = account().owner.record.id;
    proof.root = account().owner.record.root;
    const auto opened = client::open_invite(stack_, target_, proof, limits());
    if (!opened) return;
    require(opened->record.id == proof.repository, "an invite led to another repository");
    (void)client::join(stack_, target_, proof, *opened, device_of(invited), limits());
  }

  void be_a_person() {
    client::PersonRemote::Parts parts{stack_, target_, "account", Secret(as_bytes("password")),
                                      limits()};
    const auto person = client::PersonRemote::open(std::move(parts));
    if (person) (void)(*person)->add_device(device_of(account().invited));
  }

  static client::V4Limits limits() {
    client::V4Limits limits;
    limits.listed = 1024 * 1024;
    limits.held = 1024 * 1024;
    return limits;
  }

  const stream::Stack& stack_;
  const stream::Target target_{"127.0.0.1", 4711, ""};
};

// What one input is played with.
std::shared_ptr<Script>& next_script() {
  static std::shared_ptr<Script> script;
  return script;
}

const stream::Stack& stack() {
  static FuzzLog log;
  static const MemoryTransport transport(
      log,
      {[](FarEnd& far) { far.answerer = std::make_unique<V4Script>(account(), next_script()); },
       {}});
  static const stream::Stack made = must(stream::Stack::make({transport.transport()}));
  return made;
}

}  // namespace

CB_FUZZ_STEPS(1, V4Script::kinds)

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Impatience impatience(progress(), 20s);
  if (size == 0) return 0;
  next_script() = std::make_shared<Script>(parse_steps(view_of(data, size).subspan(1)));
  Client(stack()).run(data[0]);
  forward_no_more();
  return 0;
}
