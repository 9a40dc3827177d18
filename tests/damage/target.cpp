// SPDX-License-Identifier: Apache-2.0
#include "tests/damage/target.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>

#include "core/repository/records.h"
#include "tests/damage/objects.h"
#include "tests/damage/packs.h"

namespace cb::damage {
namespace {

namespace fs = std::filesystem;
using repository::BlobKind;

constexpr size_t kPage = 4096;

ByteView view(const std::string& text) { return as_bytes(text); }

// Everything that is looked for in one house.
class Search {
 public:
  explicit Search(const Estate& estate)
      : estate_(estate),
        objects_(objects_in(estate.in_house("daemon"))),
        earlier_(objects_in(estate.in_house("old/daemon"))) {
    for (const std::string& name : objects_->list("v4/"))
      (name.ends_with("/v3-client") ? v3_ : ours_).push_back(name);
    if (v3_.size() != 1) throw std::runtime_error("there is not one old client");
    v3_prefix_ = v3_.front().substr(0, v3_.front().rfind('/') + 1);
    prefix_ = "v4/";
    for (const std::string& name : ours_)
      if (!name.starts_with(v3_prefix_)) {
        prefix_ = name.substr(0, name.find('/', 3) + 1);
        break;
      }
  }

  Target object(const std::string& name, const std::string& twin = {},
                const std::string& copy = {}) {
    Target target;
    target.is_object = true;
    target.name = name;
    target.twin = twin;
    target.copy = copy;
    const auto before = earlier_->list(name);
    if (!before.empty() && before.front() == name && earlier_->read(name) != objects_->read(name))
      target.before = name;
    return target;
  }
  // One of the account's, by the rest of its name.
  Target own(const std::string& rest) {
    // Its twin is that of the other repository.
    const auto others = objects_->list(v3_prefix_ + rest);
    return object(prefix_ + rest, others.empty() ? std::string() : others.front());
  }
  // One of several below a folder: the n-th from the front, or with -1 the last.
  Target one_of(const std::string& prefix, const std::string& folder, int which) {
    const auto all = objects_->list(prefix + folder);
    if (all.empty()) throw std::runtime_error("there is no " + folder);
    const size_t at = which < 0 ? all.size() - 1 : static_cast<size_t>(which);
    const std::string twin = all.size() > 1 ? all[at == 0 ? 1 : at - 1] : std::string();
    return object(all.at(at), twin, sibling_of(all.at(at)));
  }
  // The slot of a passphrase, and that of the recovery code.
  Target slot() {
    std::string code;
    std::string passphrase;
    for (const std::string& name : objects_->list(prefix_ + "slot/")) {
      const auto slot = repository::decode_slot(view(objects_->read(name)));
      if (!slot) throw std::runtime_error(slot.error().text());
      if (slot->kind == repository::SlotKind::passphrase) passphrase = name;
      if (slot->kind == repository::SlotKind::recovery_code) code = name;
    }
    return object(passphrase, code, sibling_of(passphrase));
  }
  // The writer's certificate: it came with an invite.
  Target certificate() {
    std::string writers;
    std::string other;
    for (const std::string& name : objects_->list(prefix_ + "device/")) {
      const auto one = repository::decode_certificate(view(objects_->read(name)));
      if (!one) throw std::runtime_error(one.error().text());
      (one->role == repository::Role::writer ? writers : other) = name;
    }
    return object(writers, other, sibling_of(writers));
  }
  // That of the first backup, which rotation replaced.
  Target session() {
    const std::string folder = prefix_ + "session/";
    const std::string name = folder + big().head.session.hex();
    std::string twin;
    for (const std::string& other : objects_->list(folder))
      if (other != name) twin = other;
    return object(name, twin, sibling_of(name));
  }
  Target change() {
    repository::RecordChange change;
    const auto record = repository::decode_repository(view(objects_->read(prefix_ + "repository")));
    if (!record) throw std::runtime_error(record.error().text());
    change.record = *record;
    const Bytes encoded = repository::encode(change);
    objects_->put(prefix_ + "change", std::string(as_text(encoded)));
    return object(prefix_ + "change");
  }
  Target aside() {
    const auto commits = objects_->list(prefix_ + "commit/");
    const std::string name = prefix_ + "set-aside/00000000000000ff";
    objects_->put(name, objects_->read(commits.back()));
    return object(name, commits.back(), sibling_of(name));
  }

  Target blob(const FoundBlob& found) {
    Target target = object(found.pack);
    target.begin = found.stored_at();
    target.size = found.head.stored_size;
    target.blob = found.head.id.hex();
    return target;
  }
  const std::vector<FoundBlob>& blobs() {
    if (blobs_.empty()) blobs_ = blobs_in(*objects_, *earlier_, prefix_ + "pack/");
    return blobs_;
  }
  [[nodiscard]] bool is_described(const FoundBlob& data) {
    return std::any_of(blobs().begin(), blobs().end(), [&](const FoundBlob& one) {
      return one.head.kind == BlobKind::signature && one.head.children.front() == data.head.id;
    });
  }
  // The biggest of those of the owner's.
  template <typename Is>
  FoundBlob pick(BlobKind kind, const Is& is) {
    const FoundBlob* best = nullptr;
    for (const FoundBlob& one : blobs()) {
      if (one.head.kind != kind || one.domain != repository::PackDomain::open || !is(one)) continue;
      if (best == nullptr || one.head.stored_size > best->head.stored_size) best = &one;
    }
    if (best == nullptr) throw std::runtime_error("there is no such blob");
    return *best;
  }
  FoundBlob by_id(const std::string& hex) {
    for (const FoundBlob& one : blobs())
      if (one.head.id.hex() == hex) return one;
    throw std::runtime_error("there is no blob " + hex);
  }
  // The piece that one file is, which never changed; of the other none is as it was.
  FoundBlob piece(bool is_same) {
    return pick(BlobKind::data, [&](const FoundBlob& one) {
      const bool is_it = one.head.stored_size / 1000 == kSameFile / 1000;
      return !one.is_new && is_described(one) && is_it == is_same;
    });
  }
  FoundBlob big() { return piece(true); }
  FoundBlob newest_patch() {
    return pick(BlobKind::data,
                [&](const FoundBlob& one) { return one.is_new && is_described(one); });
  }
  // The file list of a snapshot.
  FoundBlob root_of(const std::string& noted) {
    return by_id(by_id(estate_.noted(noted)).head.children.front().hex());
  }
  // What an old client sent last.
  Target v3_content() {
    const auto all = blobs_in(*objects_, *earlier_, v3_prefix_ + "pack/");
    const auto found = std::find_if(all.begin(), all.end(), [](const FoundBlob& one) {
      return one.is_new && one.head.kind == BlobKind::data;
    });
    if (found == all.end()) throw std::runtime_error("there is no content of an old client");
    Target target = blob(*found);
    target.has_whole = true;
    target.copy = sibling_of(target.name);
    for (const FoundBlob& one : all)
      if (!one.is_new && one.head.kind == BlobKind::data) target.twin = one.pack;
    return target;
  }
  Target pack_of(const FoundBlob& blob, const FoundBlob& other) {
    return object(blob.pack, other.pack, sibling_of(blob.pack));
  }
  size_t size_of(const std::string& object) { return objects_->read(object).size(); }

  [[nodiscard]] const std::string& prefix() const { return prefix_; }
  [[nodiscard]] const std::string& v3_prefix() const { return v3_prefix_; }

 private:
  // A name beside this one: another last digit.
  static std::string sibling_of(std::string name) {
    // A commit's copy must not stand in the place of another one.
    if (name.find("/commit/") != std::string::npos) name[name.size() - 2] = '7';
    name.back() = name.back() == 'a' ? 'b' : 'a';
    return name;
  }

  const Estate& estate_;
  std::unique_ptr<Objects> objects_;
  std::unique_ptr<Objects> earlier_;
  std::vector<std::string> ours_;
  std::vector<std::string> v3_;
  std::string prefix_;
  std::string v3_prefix_;
  std::vector<FoundBlob> blobs_;
};

Target part(Target target, size_t begin, size_t size) {
  target.begin = begin;
  target.size = size;
  target.twin.clear();
  target.copy.clear();
  return target;
}

Target whole_pack(Target target) {
  target.has_parts = true;
  return target;
}

Target record_target(Place place, Search& search) {
  switch (place) {
    case Place::repository_record:
      return search.own("repository");
    case Place::key_slot:
      return search.slot();
    case Place::certificate:
      return search.certificate();
    case Place::account_note:
      return search.own("account");
    case Place::retention_note:
      return search.own("retention");
    case Place::opened_note:
      return search.one_of(search.prefix(), "opened/", 0);
    case Place::session_object:
      return search.session();
    case Place::change_note:
      return search.change();
    case Place::old_commit:
      return search.one_of(search.prefix(), "commit/", 0);
    case Place::newest_commit:
      return search.one_of(search.prefix(), "commit/", -1);
    default:
      return search.aside();
  }
}

Target pack_target(Place place, Search& search) {
  const FoundBlob big = search.big();
  const Target pack = search.pack_of(big, search.newest_patch());
  const size_t size = search.size_of(big.pack);
  switch (place) {
    case Place::data_pack:
      return whole_pack(pack);
    case Place::pack_header:
      return part(pack, 0, repository::kPackHeaderSize);
    case Place::record_head:
      return part(pack, big.offset, big.record);
    case Place::pack_end:
      return part(pack, size - repository::kPackEndSize, repository::kPackEndSize);
    case Place::footer:
      return part(pack, size - repository::kPackEndSize - repository::kFooterEntrySize,
                  repository::kFooterEntrySize);
    default:
      return whole_pack(search.pack_of(search.root_of("newest"), search.root_of("first")));
  }
}

Target blob_target(Place place, Search& search, const Estate& estate) {
  const auto is_small = [&](const FoundBlob& one) {
    return !one.is_new && !search.is_described(one);
  };
  switch (place) {
    case Place::big_blob:
      return search.blob(search.big());
    case Place::old_blob:
      return search.blob(search.piece(false));
    case Place::shared_blob:
      return search.blob(search.pick(BlobKind::data, is_small));
    case Place::patch:
      return search.blob(search.newest_patch());
    case Place::signature:
      return search.blob(
          search.pick(BlobKind::signature, [](const FoundBlob& one) { return !one.is_new; }));
    case Place::packed_session: {
      const FoundBlob big = search.big();
      return search.blob(search.pick(BlobKind::session,
                                     [&](const FoundBlob& one) { return one.pack == big.pack; }));
    }
    case Place::node:
      return search.blob(search.root_of("newest"));
    case Place::old_node:
      return search.blob(search.root_of("first"));
    default:
      return search.blob(search.by_id(estate.noted("newest")));
  }
}

Target v3_target(Place place, Search& search) {
  const std::string& prefix = search.v3_prefix();
  switch (place) {
    case Place::v3_note:
      return search.object(prefix + "v3-client");
    case Place::v3_slot:
      return search.one_of(prefix, "slot/", 0);
    default:
      return search.v3_content();
  }
}

// The one file of a folder whose name ends so.
std::string only_file(const std::string& folder, const std::string& begins,
                      const std::string& ends) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(begins) && name.ends_with(ends)) return name;
  }
  throw std::runtime_error("no file " + begins + "…" + ends + " in " + folder);
}

// Files by their place below the house, and others of their kind.
struct Filed {
  const char* file;
  const char* twin = "";
};
const std::map<Place, Filed>& filed() {
  static const std::map<Place, Filed> all = {
      {Place::store_layout, {"daemon/store/layout"}},
      {Place::store_file, {"daemon/store.sqlite", "daemon/catalog.sqlite"}},
      {Place::catalog, {"daemon/catalog.sqlite", "strange/daemon/catalog.sqlite"}},
      {Place::catalog_log, {"daemon/catalog.sqlite-wal"}},
      {Place::event,
       {"daemon/notify/aaaaaaaaaaaaaaaa.json", "daemon/notify/bbbbbbbbbbbbbbbb.json"}},
      {Place::server_key, {"daemon/keys/server.key", "strange/daemon/keys/server.key"}},
      {Place::signing_key, {"daemon/keys/signing.key", "strange/daemon/keys/signing.key"}},
      {Place::tls_key, {"daemon/keys/tls.key", "strange/daemon/keys/tls.key"}},
      {Place::tls_certificate, {"daemon/keys/tls.crt", "strange/daemon/keys/tls.crt"}},
      {Place::configuration, {"daemon/cyberbackupd.toml", "strange/daemon/cyberbackupd.toml"}},
      {Place::profile,
       {"owner/config/profiles/default/profile.json",
        "reader/config/profiles/default/profile.json"}},
      {Place::device_key,
       {"owner/config/profiles/default/device.key", "reader/config/profiles/default/device.key"}},
      {Place::write_key,
       {"owner/config/profiles/default/write.key", "owner/config/profiles/default/device.key"}},
      {Place::reader_key, {"reader/config/profiles/default/reader.key"}},
      {Place::chain,
       {"owner/config/profiles/default/chain", "reader/config/profiles/default/chain"}},
      {Place::history,
       {"owner/config/profiles/default/history", "owner/config/profiles/default/receipt"}},
      {Place::receipt,
       {"owner/config/profiles/default/receipt", "owner/config/profiles/default/chain"}},
      {Place::pending, {"owner/config/profiles/pending/enrolment"}},
      {Place::witness, {"witness"}},
      {Place::key_file, {"key.txt"}},
  };
  return all;
}

Target file_target(const Estate& estate, const std::string& file, const std::string& twin) {
  Target target;
  target.name = file;
  target.twin = twin;
  const std::string before = "old/" + file;
  if (fs::exists(estate.in_house(before)) &&
      content_of(estate.in_house(before)) != content_of(estate.in_house(file)))
    target.before = before;
  return target;
}

// Where a text lies in a file, the last time.
Target place_in(Target target, const Estate& estate, const std::string& text) {
  const size_t at = content_of(estate.in_house(target.name)).rfind(text);
  if (at == std::string::npos) throw std::runtime_error(target.name + " has no such row");
  target.twin.clear();
  target.before.clear();
  target.is_row = true;
  target.begin = at;
  target.size = text.size();
  return target;
}

// Of a file that SQLite begins to read here.
Target root_page(Target target) {
  constexpr size_t kSchemaRoot = 100;
  target.has_whole = true;
  target.begin = kSchemaRoot;
  target.size = 1;
  return target;
}

Target catalog_row(Place place, const Estate& estate) {
  Search search(estate);
  const Target catalog = file_target(estate, "daemon/catalog.sqlite", "");
  auto objects = objects_in(estate.in_house("daemon"));
  switch (place) {
    case Place::catalog_blob: {
      const Bytes id = to_bytes(search.big().head.id.view());
      Target target = place_in(catalog, estate, std::string(as_text(id)));
      target.blob = to_hex(id);
      return target;
    }
    case Place::catalog_commit:
      return place_in(catalog, estate,
                      objects->read(record_target(Place::old_commit, search).name));
    case Place::catalog_account: {
      const auto note =
          repository::decode_account(view(objects->read(search.prefix() + "account")));
      if (!note) throw std::runtime_error(note.error().text());
      return place_in(catalog, estate, note->password_hash);
    }
    default:
      return place_in(catalog, estate, "admin.retention.set");
  }
}

// A word that means something: a bit of a comment would be nothing to notice.
Target key_of_configuration(Target target, const Estate& estate) {
  target.has_whole = true;
  target.begin = content_of(estate.in_house(target.name)).find("transport = ");
  target.size = 1;
  return target;
}

Target cache_target(Place place, const Estate& estate) {
  const std::string folder = "owner/cache/default/";
  const std::string index = only_file(estate.in_house(folder), "scan-", ".signatures");
  const std::string scan = index.substr(0, index.rfind('.'));
  if (place == Place::fine_index) return file_target(estate, folder + index, "");
  if (place == Place::scan_cache) return file_target(estate, folder + scan, "");
  // As a backup that was killed leaves it: without the summary.
  const std::string whole = content_of(estate.in_house(folder + scan));
  write_file(estate.in_house(folder + scan + ".journal"), whole.substr(0, whole.size() - 16));
  return file_target(estate, folder + scan + ".journal", folder + scan);
}

// The hash of the newest commit that the older witness knows.
Target history(const Estate& estate) {
  Target target =
      file_target(estate, filed().at(Place::history).file, filed().at(Place::history).twin);
  const std::string witness = content_of(estate.in_house("old/witness"));
  const size_t head = std::stoul(witness.substr(witness.find("\nhead ") + 6));
  target.has_whole = true;
  target.begin = (head - 1) * repository::CommitHash::kSize;
  target.size = repository::CommitHash::kSize;
  return target;
}

// An object of the store, or a part of one.
Target object_target(Place place, const Estate& estate) {
  Search search(estate);
  if (place <= Place::set_aside) return record_target(place, search);
  if (place >= Place::v3_pack && place <= Place::v3_slot) return v3_target(place, search);
  const bool is_blob = (place >= Place::big_blob && place <= Place::packed_session) ||
                       (place >= Place::node && place <= Place::snapshot_blob);
  return is_blob ? blob_target(place, search, estate) : pack_target(place, search);
}

}  // namespace

Target find(Place place, const Estate& estate) {
  if (place == Place::history) return history(estate);
  if (const auto found = filed().find(place); found != filed().end()) {
    const Target file = file_target(estate, found->second.file, found->second.twin);
    if (place == Place::catalog || place == Place::store_file) return root_page(file);
    return place == Place::configuration ? key_of_configuration(file, estate) : file;
  }
  if (place >= Place::catalog_blob && place <= Place::audit_record)
    return catalog_row(place, estate);
  if (place >= Place::scan_cache && place <= Place::fine_index) return cache_target(place, estate);
  return object_target(place, estate);
}

namespace {

class Hand {
 public:
  Hand(const Estate& estate, const Target& target) : estate_(estate), target_(target) {
    if (target.is_object) objects_ = objects_in(estate.in_house("daemon"));
  }

  std::string read(const std::string& name) {
    return objects_ ? objects_->read(name) : content_of(estate_.in_house(name));
  }
  void spoil(const std::string& name, const std::string& content) {
    if (objects_)
      objects_->spoil(name, content);
    else
      write_file(estate_.in_house(name), content);
  }
  void remove() {
    if (objects_)
      objects_->remove(target_.name);
    else
      fs::remove(estate_.in_house(target_.name));
  }
  bool swap();
  void copy();
  bool bring_back();

 private:
  const Estate& estate_;
  const Target& target_;
  std::unique_ptr<Objects> objects_;
};

bool Hand::swap() {
  if (target_.twin.empty()) return false;
  const std::string one = read(target_.name);
  const std::string other = read(target_.twin);
  if (!objects_) {
    write_file(estate_.in_house(target_.name), other);
    write_file(estate_.in_house(target_.twin), one);
    return true;
  }
  objects_->put(target_.name, other);
  objects_->put(target_.twin, one);
  return true;
}

void Hand::copy() {
  const std::string content = read(target_.name);
  if (!target_.copy.empty())
    objects_->put(target_.copy, content);
  else if (objects_)
    objects_->put(target_.name, content + content);
  else
    write_file(estate_.in_house(target_.name), content + content);
}

bool Hand::bring_back() {
  if (target_.before.empty()) return false;
  if (!objects_) {
    write_file(estate_.in_house(target_.name), content_of(estate_.in_house(target_.before)));
    return true;
  }
  objects_->put(target_.name, objects_in(estate_.in_house("old/daemon"))->read(target_.before));
  return true;
}

// A page from the middle on, or the whole part when it is smaller; of a file that only shows
// something there, the page that has it.
void overwrite(std::string& content, const Target& target, bool with_zeros) {
  const bool is_page_of_file = target.has_whole || target.is_row;
  size_t begin =
      target.size > kPage || target.size == 0 ? target.begin + target.size / 2 : target.begin;
  if (target.size == 0) begin = content.size() > 2 * kPage ? content.size() / 2 : 0;
  size_t end = begin + kPage;
  if (target.size > 0) end = std::min(end, target.begin + target.size);
  if (is_page_of_file) {
    begin = target.begin / kPage * kPage;
    end = begin + kPage;
  }
  std::mt19937 random(1);
  for (size_t at = begin; at < std::min(end, content.size()); ++at)
    content[at] = with_zeros ? '\0' : static_cast<char>(random());
}

// Is there such damage to it?
bool is_possible(const Target& target, Kind kind) {
  const bool is_inside = kind == Kind::bit || kind == Kind::zeros || kind == Kind::noise;
  if (target.has_parts && is_inside) return false;
  return is_inside || target.size == 0 || target.has_whole;
}

}  // namespace

bool damage(const Estate& estate, const Target& target, Kind kind) {
  if (!is_possible(target, kind)) return false;
  Hand hand(estate, target);
  if (kind == Kind::missing) return hand.remove(), true;
  if (kind == Kind::swapped) return hand.swap();
  if (kind == Kind::doubled) return hand.copy(), true;
  if (kind == Kind::old) return hand.bring_back();
  std::string content = hand.read(target.name);
  const size_t size = target.size > 0 ? target.size : content.size();
  if (kind == Kind::bit)
    content.at(target.begin + size / 2) ^= 1;
  else if (kind == Kind::cut)
    content.resize(content.size() / 2);
  else
    overwrite(content, target, kind == Kind::zeros);
  hand.spoil(target.name, content);
  return true;
}

}  // namespace cb::damage
