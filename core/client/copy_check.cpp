// SPDX-License-Identifier: Apache-2.0
//
// Content first, then file lists and snapshots: the server opens up a blob only when its children
// are open. Lists come in the order in which they were put, which is children first, so one pass
// does it unless packs were closed in another order; passes go on while they get somewhere.
#include "core/client/copy_check.h"

#include <algorithm>

#include "core/client/entry_walk.h"

namespace cb::client {

using repository::BlobCopy;
using repository::BlobId;
using repository::BlobKind;
using repository::DeviceId;
using repository::Opener;
using repository::SessionId;
using repository::StoredBlob;

namespace {

constexpr size_t kMostPoisoned = 1000;
constexpr size_t kAtOnce = 8;            // blobs of content: some MiB
constexpr size_t kListsAtOnce = 256;     // those are small
constexpr unsigned kMostLostInARow = 3;  // connections in a row, without an answer in between

// That a signature opens does not say that it is true: it stays with its device.
bool is_judged(BlobKind kind) { return kind != BlobKind::session && !repository::is_weak(kind); }

bool is_list(BlobKind kind) { return kind == BlobKind::node || kind == BlobKind::snapshot; }

}  // namespace

// Whatever is asked may be asked again: by then it may have been done.
template <typename Ask>
auto CopyCheck::ask(const Ask& question) -> decltype(question(std::declval<const CopyRemote&>())) {
  for (unsigned lost = 0;; ++lost) {
    if (!link_.remote) {
      CB_ASSIGN(link_, parts_.connect());
    }
    auto answer = question(link_);
    const bool is_lost = !answer && answer.error().code == Code::closed;
    if (!is_lost || lost == kMostLostInARow || cancelled_) return answer;
    link_ = {};
  }
}

Result<CopyCheckResult> CopyCheck::run() {
  CB_TRY(pass(false));
  for (uint64_t before = UINT64_MAX;;) {
    const uint64_t poisoned = result_.poisoned_count;
    const uint64_t unread = result_.unread;
    CB_TRY(pass(true));
    // What is left stays: what it names was condemned, or cannot be read.
    if (listed_ == 0 || listed_ >= before) {
      if (poisoned == result_.poisoned_count) result_.unread = unread;
      break;
    }
    before = listed_;
  }
  return std::move(result_);
}

Status CopyCheck::pass(bool lists) {
  listed_ = 0;
  const size_t most = lists ? kListsAtOnce : kAtOnce;
  for (uint64_t cursor = 0;;) {
    if (cancelled_) return failed(Code::cancelled, "check", "was cancelled");
    CB_ASSIGN(const repository::CopyPage page,
              ask([&](const CopyRemote& link) { return link.owner->copies(cursor); }));
    std::map<DeviceId, std::vector<BlobId>> of_devices;
    for (const BlobCopy& copy : page.copies)
      if (is_judged(copy.kind) && is_list(copy.kind) == lists)
        of_devices[copy.device].push_back(copy.id);
    for (const auto& [device, ids] : of_devices) {
      listed_ += ids.size();
      for (size_t at = 0; at < ids.size(); at += most)
        CB_TRY(look_at(device, std::span(ids).subspan(at, std::min(most, ids.size() - at))));
    }
    if (page.last) return {};
    cursor = page.cursor;
  }
}

Status CopyCheck::look_at(const DeviceId& device, std::span<const BlobId> ids) {
  if (cancelled_) return failed(Code::cancelled, "check", "was cancelled");
  std::vector<StoredBlob> blobs;
  CB_TRY(fetch(device, ids, blobs));
  Verdicts verdicts;
  for (const StoredBlob& blob : blobs) CB_TRY(judge(device, blob, verdicts));
  CB_TRY(tell(device, verdicts));
  show();
  return {};
}

// When one of several cannot be read, the others still can. One that has gone meanwhile is none.
Status CopyCheck::fetch(const DeviceId& device, std::span<const BlobId> ids,
                        std::vector<StoredBlob>& blobs) {
  std::vector<StoredBlob> found;
  const Status got = ask([&](const CopyRemote& link) {
    found.clear();
    return link.remote->get(ids, {device, true}, [&](StoredBlob blob) -> Status {
      result_.bytes_read += blob.stored.size();
      found.push_back(std::move(blob));
      return {};
    });
  });
  if (!got && !is_damage(got.error())) return got;
  if (got || got.error().code == Code::not_found || ids.size() == 1) {
    if (!got && got.error().code != Code::not_found) ++result_.unread;
    std::move(found.begin(), found.end(), std::back_inserter(blobs));
    return {};
  }
  for (const BlobId& id : ids) CB_TRY(fetch(device, {&id, 1}, blobs));
  return {};
}

Status CopyCheck::judge(const DeviceId& device, const StoredBlob& blob, Verdicts& verdicts) {
  CB_ASSIGN(Opener* const opener, opener_of(device));
  const SessionId& session = blob.head.session;
  if (!session.is_zero() && !opener->knows(session)) {
    CB_ASSIGN(const Status learnt, learn(device, session));
    if (!learnt && learnt.error().code != Code::auth && learnt.error().code != Code::corrupt) {
      ++result_.unread;
      return {};
    }
  }
  const auto opened = opener->open(blob);
  if (opened) {
    verdicts.good.push_back(blob.head.id);
    return {};
  }
  verdicts.bad.push_back(blob.head.id);
  condemn(device, blob.head, opened.error());
  return {};
}

void CopyCheck::condemn(const DeviceId& device, const repository::BlobHead& head,
                        const Error& error) {
  ++result_.poisoned_count;
  if (result_.poisoned.size() >= kMostPoisoned) return;
  const bool blames = head.session.is_zero() || !unsigned_.contains({device, head.session});
  result_.poisoned.push_back({head.id, device, error, blames});
}

// Whether the record could be had at all, and then what came of it.
Result<Status> CopyCheck::learn(const DeviceId& device, const SessionId& session) {
  CB_ASSIGN(Opener* const opener, opener_of(device));
  BlobId wanted;
  std::copy(session.bytes.begin(), session.bytes.end(), wanted.bytes.begin());
  Status learnt = failed(Code::not_found, "session record " + session.hex(), "is not there");
  const auto take = [&](const StoredBlob& blob) -> Status {
    const auto record = repository::decode_session(blob.stored);
    if (!record || (parts_.is_signed && !parts_.is_signed(session, *record)))
      unsigned_.insert({device, session});
    learnt = opener->learn(session, blob.stored);
    return {};
  };
  const Status got = ask([&](const CopyRemote& link) {
    return link.remote->get({&wanted, 1}, {device, false}, take);
  });
  if (got) return learnt;
  if (!is_damage(got.error())) return failed(got.error());
  return Status(failed(Code::not_found, got.error().object, got.error().cause));
}

Result<Opener*> CopyCheck::opener_of(const DeviceId& device) {
  auto& opener = openers_[device];
  if (!opener) {
    CB_ASSIGN(opener, parts_.opener());
  }
  return opener.get();
}

Status CopyCheck::tell(const DeviceId& device, const Verdicts& verdicts) {
  const auto say = [&](const std::vector<BlobId>& ids, bool bad) {
    return ask([&](const CopyRemote& link) { return link.owner->verified(device, ids, bad); });
  };
  if (!verdicts.good.empty()) CB_TRY(say(verdicts.good, false));
  // A device that the server does not know any more has nothing that could be condemned.
  if (!verdicts.bad.empty() && !device.is_zero()) CB_TRY(say(verdicts.bad, true));
  result_.good += verdicts.good.size();
  return {};
}

void CopyCheck::show() {
  if (!parts_.progress) return;
  report::Progress progress;
  progress.phase = "check";
  progress.done = result_.good + result_.poisoned_count;
  progress.unit = "blobs";
  progress.current = "copies of other devices";
  parts_.progress(progress);
}

}  // namespace cb::client
