// SPDX-License-Identifier: Apache-2.0
#include "core/rescue/hoard.h"

#include <algorithm>

#include "core/repository/pack.h"
#include "core/repository/signatures.h"

namespace cb::rescue {
namespace {

using repository::BlobKind;
using repository::FooterEntry;
using repository::PackBytes;
using repository::RepositoryId;
using repository::SessionId;

constexpr uint64_t kMostRecord = 16 * 1024 * 1024;  // bytes
constexpr size_t kMostDamage = 1000;
constexpr std::string_view kPackMagic = "CBPACK1\n";
constexpr std::string_view kSqliteMagic = "SQLite format 3";
// The application id of store-sqlite, and where SQLite keeps it.
constexpr size_t kSqliteIdAt = 68;
constexpr std::string_view kStoreId = "CBst";

// Path components without what store-fs adds: buckets end in '=', folders in ','.
std::vector<std::string_view> components_of(const std::string& name) {
  std::vector<std::string_view> all;
  for (size_t at = 0; at <= name.size();) {
    const size_t end = std::min(name.find('/', at), name.size());
    std::string_view one = std::string_view(name).substr(at, end - at);
    at = end + 1;
    if (one.ends_with('=')) continue;
    if (one.ends_with(',')) one.remove_suffix(1);
    all.push_back(one);
  }
  return all;
}

std::optional<SessionId> session_in(const std::string& name) {
  const auto id = SessionId::from_hex_text(components_of(name).back());
  if (!id) return std::nullopt;
  return *id;
}

Result<Bytes> read_all(PackBytes& bytes) {
  Bytes all(bytes.size());
  CB_TRY(bytes.read(0, all));
  return all;
}

Result<std::vector<FooterEntry>> entries_of(PackBytes& bytes, bool scan,
                                            std::vector<std::string>& damage) {
  const auto footer = repository::read_footer(bytes);
  if (footer && !scan) return footer->entries;
  if (!footer && footer.error().code == Code::cancelled) return failed(footer.error());
  if (!footer) damage.push_back("has no good footer (" + footer.error().cause + ")");
  CB_ASSIGN(const repository::PackScan found,
            repository::scan_pack(bytes, footer ? footer->offset : bytes.size()));
  for (const auto& lost : found.damaged)
    if (lost.head && !repository::is_weak(lost.head->kind))
      damage.push_back("has a damaged blob " + lost.head->id.hex());
  std::vector<FooterEntry> entries;
  for (const repository::PackedBlob& blob : found.blobs)
    entries.push_back(repository::entry_of(blob));
  return entries;
}

}  // namespace

std::optional<RepositoryId> repository_in(const std::string& name) {
  const auto components = components_of(name);
  for (size_t i = 0; i + 2 < components.size(); ++i) {
    if (components[i] != "v4") continue;
    const auto id = RepositoryId::from_hex_text(components[i + 1]);
    if (id) return *id;
  }
  return std::nullopt;
}

Result<std::unique_ptr<Hoard>> Hoard::read(os::FileSystem& files, const os::Path& place,
                                           const OpenStore& open_store, bool scan,
                                           const Stopped& stopped) {
  auto hoard = std::make_unique<Hoard>();
  hoard->scan_ = scan;
  hoard->open_store_ = open_store;
  Hoard& h = *hoard;
  const auto add = [&](std::unique_ptr<PackSource> source) {
    h.sources_.push_back(stoppable_source(std::move(source), stopped));
  };
  add(folder_source(files, place, [&h](const Error& error) { h.tell(error.object, error.cause); }));
  for (size_t i = 0; i < h.sources_.size(); ++i) {
    PackSource& source = *h.sources_[i];
    CB_TRY(source.each([&](const std::string& name) { return h.take(source, name); }));
    for (const os::Path& file : std::exchange(h.stores_, {})) {
      auto store = open_store(file);
      if (store)
        add(store_source(std::move(*store), file.string()));
      else
        h.tell(file.string(), store.error().cause);
    }
  }
  if (h.packs_.empty())
    return failed(Code::not_found, place.string(), "holds no pack of a repository",
                  "name the folder of a store, or one with packs, or the file of store-sqlite");
  for (auto& [id, repository] : h.repositories_)
    std::sort(repository.copies.begin(), repository.copies.end(),
              [](const BlobCopy& a, const BlobCopy& b) { return a.id < b.id; });
  return hoard;
}

void Hoard::tell(const std::string& place, const std::string& what) {
  if (damage.size() < kMostDamage) damage.push_back(place + " " + what);
}

// A file that cannot be read is told, and the others are gone through.
Status Hoard::take(const PackSource& source, const std::string& name) {
  const Status done = look_at(source, name);
  if (!done && done.error().code == Code::cancelled) return done;
  if (!done) tell(source.place_of(name), done.error().cause);
  return {};
}

Status Hoard::look_at(const PackSource& source, const std::string& name) {
  CB_ASSIGN(const auto bytes, source.open(name));
  Bytes head(std::min<uint64_t>(bytes->size(), kSqliteIdAt + kStoreId.size()));
  CB_TRY(bytes->read(0, head));
  if (as_text(head).starts_with(kPackMagic)) return take_pack(source, name, *bytes);
  if (as_text(head).starts_with(kSqliteMagic)) {
    const bool is_store = name.empty() || as_text(head).ends_with(kStoreId);
    if (is_store && open_store_) stores_.emplace_back(source.place_of(name));
    return {};
  }
  if (bytes->size() > kMostRecord || head.empty()) return {};
  CB_ASSIGN(const Bytes all, read_all(*bytes));
  take_record(name, all);
  return {};
}

Status Hoard::take_pack(const PackSource& source, const std::string& name, PackBytes& bytes) {
  CB_ASSIGN(const repository::PackHeader header, repository::read_header(bytes));
  std::vector<std::string> found;
  CB_ASSIGN(const std::vector<FooterEntry> entries, entries_of(bytes, scan_, found));
  for (const std::string& what : found) tell(source.place_of(name), what);
  const auto number = static_cast<uint32_t>(packs_.size());
  packs_.push_back({&source, name, header.repository});
  FoundRepository& of = repositories_[header.repository];
  ++of.packs;
  for (const FooterEntry& entry : entries) {
    if (entry.kind == BlobKind::session) {
      CB_TRY(take_session(source.place_of(name), bytes, entry, of));
      continue;
    }
    if (repository::is_weak(entry.kind)) continue;
    of.copies.push_back({entry.id, number, entry.offset});
    if (entry.kind == BlobKind::snapshot) of.snapshots.insert(entry.id);
    if (!entry.session.is_zero()) of.sessions.try_emplace(entry.session);
  }
  return {};
}

Status Hoard::take_session(const std::string& place, PackBytes& bytes, const FooterEntry& entry,
                           FoundRepository& of) {
  const auto session = repository::session_of(entry.id);
  if (!session || entry.stored_size > repository::kMostSessionRecord) return {};
  auto& known = of.sessions[*session];
  auto record = repository::read_content(bytes, entry);
  if (!record) {
    if (record.error().code == Code::cancelled) return failed(record.error());
    tell(place, "has a record of session " + session->hex() + " that " + record.error().cause);
  } else if (std::find(known.begin(), known.end(), *record) == known.end()) {
    known.push_back(std::move(*record));
  }
  return {};
}

// A record is known by its decoder, which takes nothing but what was once encoded.
void Hoard::take_record(const std::string& name, ByteView bytes) {
  const auto of = repository_in(name);
  if (auto record = repository::decode_repository(bytes)) {
    if (!repository::verify_record(*record, record->root)) return;
    auto& kept = repositories_[record->id].record;
    if (!kept || kept->revision < record->revision) kept = std::move(*record);
  } else if (auto slot = repository::decode_slot(bytes)) {
    slots.push_back({std::move(*slot), of, {}});
  } else if (auto certificate = repository::decode_certificate(bytes)) {
    certificates.push_back({std::move(*certificate), of, {}});
  } else if (auto commit = repository::decode_commit(bytes)) {
    commits.push_back({std::move(*commit), of, {}});
  } else if (auto session = repository::decode_session(bytes)) {
    sessions.push_back({std::move(*session), of, session_in(name)});
  }
}

}  // namespace cb::rescue
