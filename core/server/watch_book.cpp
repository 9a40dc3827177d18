// SPDX-License-Identifier: Apache-2.0
#include "core/server/watch_book.h"

#include <algorithm>

namespace cb::server {

std::string text_of_source(const SourceKey& source) {
  if (source.size() <= repository::DeviceId::kSize) return to_hex(source);
  const ByteView whole(source);
  return to_hex(whole.first(repository::DeviceId::kSize)) + "/" +
         to_hex(whole.subspan(repository::DeviceId::kSize));
}

std::optional<catalog::SourceWish> wish_for(std::span<const catalog::SourceWish> wishes,
                                            const SourceKey& source) {
  std::optional<catalog::SourceWish> found;
  for (const catalog::SourceWish& one : wishes)
    if (one.source == source || (one.source.empty() && !found)) found = one;
  return found;
}

WatchSettings WatchBook::settings() const {
  const std::lock_guard lock(mutex_);
  return settings_;
}

void WatchBook::reconfigure(const WatchSettings& settings) {
  const std::lock_guard lock(mutex_);
  settings_ = settings;
}

Status WatchBook::take_report(const repository::RepositoryId& repository,
                              const repository::CommitRecord& commit,
                              const repository::ChangeReport& report) {
  if (!settings().is_on) return {};
  CB_ASSIGN(const auto row, parts_.catalog->index().repository(repository.bytes));
  if (!row) return {};
  CB_ASSIGN(const uint64_t looked_at, parts_.catalog->sources().looked_at(row->number));
  if (commit.sequence <= looked_at) return {};
  const catalog::SourceClaim claim{report.unchanged,   report.changed, report.added,
                                   report.removed,     report.renamed, report.plain_bytes,
                                   report.stored_bytes};
  return parts_.catalog->sources().put_claim(row->number, commit.snapshot.bytes, claim);
}

Status WatchBook::list_account(const catalog::Account& account,
                               std::vector<WatchedSource>& all) const {
  if (account.kind == catalog::AccountKind::v3) return {};
  CB_ASSIGN(const auto repository, parts_.catalog->index().repository_of(account.number));
  if (!repository) return {};
  catalog::Sources& rows = parts_.catalog->sources();
  CB_ASSIGN(const auto wishes, rows.wishes(repository->number));
  CB_ASSIGN(const auto states, rows.states(repository->number));
  for (const catalog::SourceState& state : states) {
    CB_ASSIGN(const auto newest, rows.backups(repository->number, state.source, 1));
    WatchedSource one{account.name, state, wish_for(wishes, state.source), std::nullopt};
    if (!newest.empty()) one.last = newest.back();
    all.push_back(std::move(one));
  }
  return {};
}

Result<std::vector<WatchedSource>> WatchBook::sources(
    const std::optional<std::string>& account) const {
  CB_ASSIGN(const auto accounts, parts_.catalog->accounts().accounts());
  std::vector<WatchedSource> all;
  for (const catalog::Account& one : accounts)
    if (!account || one.name == *account) CB_TRY(list_account(one, all));
  return all;
}

Status WatchBook::set_wish(int64_t repository, const SourceKey& source, const watch::Wish& wish,
                           const std::string& who) {
  CB_TRY(watch::check(wish));
  return parts_.catalog->sources().set_wish(
      repository, {source, wish.never, wish.never ? 0 : wish.every, wish.never ? 0 : wish.tolerance,
                   now(), who});
}

Status WatchBook::remove_wish(int64_t repository, const SourceKey& source) {
  return parts_.catalog->sources().remove_wish(repository, source);
}

Result<catalog::SourceState> WatchBook::change_state(
    int64_t repository, const SourceKey& source,
    const std::function<void(catalog::SourceState&)>& change) {
  const std::lock_guard lock(changing_);
  CB_ASSIGN(const auto known, parts_.catalog->sources().state(repository, source));
  catalog::SourceState state = known.value_or(catalog::SourceState{});
  state.source = source;
  const catalog::SourceState before = state;
  change(state);
  if (!known || state != before) CB_TRY(parts_.catalog->sources().set_state(repository, state));
  return before;
}

Result<std::vector<SourceKey>> WatchBook::release(int64_t repository, const SourceKey& source) {
  const std::lock_guard lock(changing_);
  CB_ASSIGN(const auto states, parts_.catalog->sources().states(repository));
  std::vector<SourceKey> released;
  for (catalog::SourceState state : states) {
    if (state.frozen_ns == 0 || (!source.empty() && state.source != source)) continue;
    state.frozen_ns = state.froze_ns = 0;
    state.normal.clear();
    state.reason.clear();
    CB_TRY(parts_.catalog->sources().set_state(repository, state));
    released.push_back(state.source);
  }
  return released;
}

}  // namespace cb::server
