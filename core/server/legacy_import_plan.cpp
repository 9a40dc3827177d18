// SPDX-License-Identifier: Apache-2.0
//
// Claims are placed on files, each file is judged with all claims to it, and files without a claim
// are looked for where old servers kept theirs.
#include "core/server/legacy_import_plan.h"

#include <algorithm>

#include "core/identity/signing.h"
#include "core/protocol/v3/names.h"
#include "core/repository/entry.h"
#include "core/server/legacy_claims.h"
#include "core/server/legacy_import_clients.h"
#include "core/server/legacy_places.h"

namespace cb::server {
namespace {

constexpr std::string_view kUnfinished = ".tmp_EncryptedBackup";
constexpr const char* kNoRow = "the database has no row of it";

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

std::string below(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}

std::string with_slashes(std::string_view written) {
  std::string text(written);
  std::replace(text.begin(), text.end(), '\\', '/');
  return text;
}

bool is_store_folder(const std::string& name) {
  return name == kFlatFolder || std::find(std::begin(kClientFolders), std::end(kClientFolders),
                                          name) != std::end(kClientFolders);
}

// The owner of the folder that a file lies in, by the folder's name.
std::optional<ClientId> folder_owner(const std::string& path) {
  return client_of_folder(name_in(folder_of(path)));
}

class Planner {
 public:
  Planner(const ImportInput& input, LegacyFiles& files);
  Result<ImportPlan> run();

 private:
  void place(const LegacyClaim& claim);
  [[nodiscard]] bool may_lie_right_here(std::string_view written);
  void judge(const std::string& path, const std::vector<const LegacyClaim*>& claims);
  void judge_own(const std::string& path, const LegacyContent& content, const ClientId& owner,
                 const std::vector<const LegacyClaim*>& claims);
  void judge_flat(const std::string& path, const LegacyContent& content,
                  const std::vector<const LegacyClaim*>& claims);
  [[nodiscard]] const LegacyClaim* owner_among(const LegacyContent& content,
                                               const std::vector<const LegacyClaim*>& claims) const;
  [[nodiscard]] std::string why_not(const LegacyClaim& claim, const LegacyClaim* owner,
                                    const LegacyContent& content) const;
  Status find_stores();
  void find_clients_stores(const std::string& folder);
  Status look_for_orphans(const std::string& folder);
  void add_orphan(const std::string& path);
  void take(const LegacyClaim& claim, const std::string& path, const LegacyContent& content,
            std::vector<std::string> why);
  void take_without_owner(const std::string& prefix, const std::string& path,
                          const LegacyContent& content, int64_t date_ns, std::string why);
  // Adds a file that is read, under a name that it can have here.
  void add(PlannedFile file, const std::string& wanted_name);
  void add_other(ImportFate fate, const LegacyClaim* claim, const std::string& path,
                 std::string why);
  void compare_with_here(PlannedFile& file);
  [[nodiscard]] bool knows(const ClientId& id) const { return known_.contains(id); }

  const ImportInput& input_;
  LegacyFiles& files_;
  std::set<ClientId> known_;
  std::vector<LegacyClaim> claims_;
  std::map<std::string, std::vector<const LegacyClaim*>> placed_;  // by path
  std::set<std::string> stores_;                                   // folders that hold files
  std::set<std::tuple<ClientId, std::string, uint64_t, uint32_t, int64_t>> seen_;
  ImportPlan plan_;
};

Planner::Planner(const ImportInput& input, LegacyFiles& files) : input_(input), files_(files) {
  for (const auto& client : input.source.clients) known_.insert(client.id);
  for (const auto& client : input.clients) known_.insert(client.id);
  known_.erase(ClientId{});
  known_.erase(ownerless_id());
}

void Planner::add_other(ImportFate fate, const LegacyClaim* claim, const std::string& path,
                        std::string why) {
  PlannedFile file;
  file.fate = fate;
  file.source = path;
  file.file_name = claim == nullptr ? name_in(path) : claim->file_name;
  if (claim != nullptr) file.owner = claim->client;
  if (claim != nullptr) file.confirmed = claim->verified;
  file.why.push_back(std::move(why));
  plan_.files.push_back(std::move(file));
}

// Beside the old server's own files a name alone says nothing: the folder has to be the one that
// was written, or one where nothing else is.
bool Planner::may_lie_right_here(std::string_view written) {
  const std::string parent = name_in(folder_of(with_slashes(written)));
  if (parent.empty() || parent == files_.own_name()) return true;
  const auto names = files_.list("");
  return names && std::none_of((*names)->begin(), (*names)->end(), [](const auto& name) {
           return name.is_folder && is_store_folder(name.name);
         });
}

void Planner::place(const LegacyClaim& claim) {
  std::optional<Error> trouble;
  for (std::string& place : places_of(claim.path, claim.client, claim.file_name)) {
    if (place.find('/') == std::string::npos && !may_lie_right_here(claim.path)) continue;
    const Result<bool> found = files_.has(place);
    if (!found && !trouble) trouble = found.error();
    if (!found || !*found || ends_with(place, kUnfinished)) continue;
    placed_[place].push_back(&claim);
    return;
  }
  if (trouble)
    add_other(ImportFate::failed, &claim, "", trouble->text());
  else
    add_other(ImportFate::skip, &claim, "", "the file is gone (" + claim.path + ")");
}

void Planner::compare_with_here(PlannedFile& file) {
  const auto here = input_.versions.find(file.owner);
  if (here == input_.versions.end()) return;
  for (const catalog::LegacyVersion& version : here->second) {
    if (version.file_name != file.file_name) continue;
    if (version.size == file.content.size && version.cksum == file.content.cksum &&
        version.created_ns == file.date_ns) {
      file.fate = ImportFate::there;
      return;
    }
  }
  const bool is_older = std::any_of(
      here->second.begin(), here->second.end(), [&](const catalog::LegacyVersion& version) {
        return version.file_name == file.file_name && version.created_ns > file.date_ns;
      });
  if (is_older)
    file.why.emplace_back("is older than a version that is here, and becomes the newest");
}

void Planner::add(PlannedFile file, const std::string& wanted_name) {
  const auto sendable = v3::stored_file_name(wanted_name);
  if (sendable) {
    file.file_name = *sendable;
  } else {
    file.file_name = v3::last_component(wanted_name);
    if (!repository::is_snapshot_path(file.file_name)) file.file_name = name_in(file.source);
    file.why.push_back("no client can send a file of this name here: it " + sendable.error().cause);
  }
  compare_with_here(file);
  if (file.fate == ImportFate::take && input_.migrated.contains(file.owner)) {
    file.fate = ImportFate::skip;
    file.why.emplace_back("its client has migrated: give the file to its owner");
  }
  const bool is_new =
      seen_.emplace(file.owner, file.file_name, file.content.size, file.content.cksum, file.date_ns)
          .second;
  if (!is_new) {
    file.fate = ImportFate::skip;
    file.why.emplace_back("is the same as another one of its owner's");
  }
  plan_.files.push_back(std::move(file));
}

void Planner::take(const LegacyClaim& claim, const std::string& path, const LegacyContent& content,
                   std::vector<std::string> why) {
  PlannedFile file;
  file.owner = claim.client;
  file.source = path;
  file.content = content;
  file.date_ns = parse_source_time(claim.date).value_or(content.mtime_ns);
  file.confirmed = claim.verified;
  file.why = std::move(why);
  if (!claim.verified) file.why.emplace_back("its client did not confirm the checksum");
  add(std::move(file), claim.file_name);
}

void Planner::take_without_owner(const std::string& prefix, const std::string& path,
                                 const LegacyContent& content, int64_t date_ns, std::string why) {
  PlannedFile file;
  file.owner = ownerless_id();
  file.source = path;
  file.content = content;
  file.date_ns = date_ns;
  file.why.push_back(std::move(why));
  add(std::move(file), prefix.empty() ? name_in(path) : prefix + "_" + name_in(path));
}

// A folder of one client's: what is in it is the client's, whatever a row says of it.
void Planner::judge_own(const std::string& path, const LegacyContent& content,
                        const ClientId& owner, const std::vector<const LegacyClaim*>& claims) {
  bool is_claimed = false;
  for (const LegacyClaim* claim : claims) {
    if (claim->client != owner) {
      add_other(
          ImportFate::skip, claim, path,
          "the file lies in client " + owner.hex() + "'s folder, and is imported for that one");
      continue;
    }
    is_claimed = true;
    std::vector<std::string> why;
    if (proof_of(*claim, content) == ClaimProof::contradicts)
      why.emplace_back("size or checksum is not what the database says");
    take(*claim, path, content, std::move(why));
  }
  if (is_claimed) return;
  PlannedFile file;
  file.owner = owner;
  file.source = path;
  file.content = content;
  file.date_ns = content.mtime_ns;
  file.why = {std::string(kNoRow) + "; its folder tells the owner"};
  add(std::move(file), name_in(path));
}

// Whose a file is that lies in a folder of all clients', where the later one overwrote. Only a
// checksum tells; one claim alone is believed as long as nothing speaks against it.
const LegacyClaim* Planner::owner_among(const LegacyContent& content,
                                        const std::vector<const LegacyClaim*>& claims) const {
  const auto agrees = std::find_if(claims.begin(), claims.end(), [&](const LegacyClaim* claim) {
    return knows(claim->client) && proof_of(*claim, content) == ClaimProof::agrees;
  });
  if (agrees != claims.end()) return *agrees;
  if (claims.size() != 1 || !knows(claims.front()->client)) return nullptr;
  return proof_of(*claims.front(), content) == ClaimProof::none ? claims.front() : nullptr;
}

std::string Planner::why_not(const LegacyClaim& claim, const LegacyClaim* owner,
                             const LegacyContent& content) const {
  if (owner != nullptr)
    return "was overwritten: the file is client " + owner->client.hex() + "'s by now";
  if (!knows(claim.client)) return "the database does not know the client of its row";
  if (proof_of(claim, content) == ClaimProof::contradicts)
    return "size or checksum is not what the database says: the file is another's";
  return "several clients sent this name: nothing tells whose the file is";
}

void Planner::judge_flat(const std::string& path, const LegacyContent& content,
                         const std::vector<const LegacyClaim*>& claims) {
  const LegacyClaim* owner = owner_among(content, claims);
  for (const LegacyClaim* claim : claims) {
    const bool agrees = knows(claim->client) && proof_of(*claim, content) == ClaimProof::agrees;
    if (claim == owner || agrees)
      take(*claim, path, content, {});
    else
      add_other(ImportFate::skip, claim, path, why_not(*claim, owner, content));
  }
  if (owner != nullptr) return;
  const bool is_strangers = claims.size() == 1 && !knows(claims.front()->client);
  const auto date = is_strangers ? parse_source_time(claims.front()->date) : std::nullopt;
  take_without_owner(is_strangers ? claims.front()->client.hex() : "", path, content,
                     date.value_or(content.mtime_ns),
                     claims.empty() ? kNoRow : "no row of the database fits it");
}

void Planner::judge(const std::string& path, const std::vector<const LegacyClaim*>& claims) {
  const auto content = files_.content(path);
  if (!content) {
    add_other(ImportFate::failed, claims.empty() ? nullptr : claims.front(), path,
              content.error().text());
    return;
  }
  const auto owner = folder_owner(path);
  if (owner && knows(*owner))
    judge_own(path, *content, *owner, claims);
  else if (claims.empty() && owner)
    take_without_owner(name_in(folder_of(path)), path, *content, content->mtime_ns,
                       "the client of its folder is not known");
  else
    judge_flat(path, *content, claims);
}

Status Planner::find_stores() {
  for (const auto& [path, claims] : placed_) stores_.insert(folder_of(path));
  stores_.insert(kFlatFolder);
  if (files_.own_name() == kFlatFolder) stores_.insert("");
  CB_ASSIGN(const auto* roots, files_.list(""));
  for (const LegacyFiles::Name& root : *roots) {
    if (root.is_folder && client_of_folder(root.name)) stores_.insert(root.name);
    if (!root.is_folder && is_store_folder(root.name))
      add_other(root.is_unread ? ImportFate::failed : ImportFate::skip, nullptr, root.name,
                "is a link or a file: name the folder that it leads to with --files");
  }
  for (const char* folder : kClientFolders) find_clients_stores(folder);
  return {};
}

void Planner::find_clients_stores(const std::string& folder) {
  const auto names = files_.list(folder);
  if (!names) {
    add_other(ImportFate::failed, nullptr, folder, names.error().text());
    return;
  }
  for (const LegacyFiles::Name& name : **names) {
    const std::string path = below(folder, name.name);
    if (name.is_unread)
      add_other(ImportFate::failed, nullptr, path, "cannot be looked at");
    else if (name.is_folder && client_of_folder(name.name))
      stores_.insert(path);
    else if (!stores_.contains(folder))
      add_other(ImportFate::skip, nullptr, path, "is no client's folder");
  }
}

Status Planner::look_for_orphans(const std::string& folder) {
  const auto names = files_.list(folder);
  if (!names) {
    add_other(ImportFate::failed, nullptr, folder, names.error().text());
    return {};
  }
  for (const LegacyFiles::Name& name : **names) {
    const std::string path = below(folder, name.name);
    if (placed_.contains(path)) continue;
    const bool is_servers = folder.empty() && (!name.is_file || input_.not_files.contains(path));
    if (stores_.contains(path) || is_servers) continue;
    if (name.is_unread)
      add_other(ImportFate::failed, nullptr, path, "cannot be looked at");
    else if (name.is_folder)
      add_other(ImportFate::skip, nullptr, path, "is a folder");
    else if (!name.is_file)
      add_other(ImportFate::skip, nullptr, path, "is a link or a device, which leads elsewhere");
    else if (ends_with(name.name, kUnfinished))
      add_other(ImportFate::skip, nullptr, path, "is an upload that was never completed");
    else
      judge(path, {});
  }
  return {};
}

Result<ImportPlan> Planner::run() {
  claims_ = fold_rows(input_.source.rows);
  for (const LegacyClaim& claim : claims_) place(claim);
  CB_TRY(find_stores());
  for (const auto& [path, claims] : placed_) judge(path, claims);
  for (const std::string& folder : stores_) CB_TRY(look_for_orphans(folder));
  std::stable_sort(plan_.files.begin(), plan_.files.end(),
                   [](const PlannedFile& a, const PlannedFile& b) {
                     return std::tie(a.owner, a.date_ns, a.file_name, a.source) <
                            std::tie(b.owner, b.date_ns, b.file_name, b.source);
                   });
  plan_.clients = plan_clients(input_, plan_.files);
  plan_.doubts = input_.source.doubts;
  return std::move(plan_);
}

}  // namespace

Result<ImportPlan> plan_import(const ImportInput& input, LegacyFiles& files) {
  return Planner(input, files).run();
}

const ClientId& ownerless_id() {
  static const ClientId id = [] {
    const auto hash = identity::sha256(as_bytes("cyberbackup/files-without-an-owner/1"));
    ClientId made;
    std::copy_n(hash.begin(), made.bytes.size(), made.bytes.begin());
    return made;
  }();
  return id;
}

}  // namespace cb::server
