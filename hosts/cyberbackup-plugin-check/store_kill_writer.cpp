// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup-plugin-check/store_kill_writer.h"

#include <unistd.h>

#include "hosts/cyberbackup-plugin-check/store_objects.h"
#include "hosts/cyberbackup-plugin-check/subject.h"

namespace cb::check {
namespace {

constexpr size_t kHead = 8;

std::string name_of_object(uint32_t object) { return "kill/" + std::to_string(object); }

// An object tells its version, and all other bytes of it follow from that.
Bytes content_of(uint32_t version) {
  Bytes content = pattern(version, sizeof(uint64_t));
  const auto random = load_le<uint64_t>(content.data());
  content = pattern(version, kHead + random % (version % 2 == 0 ? 300'000 : 5000));
  store_le<uint64_t>(content.data(), version);
  return content;
}

std::string versions_text(const std::set<uint32_t>& versions) {
  std::string text;
  for (const uint32_t version : versions)
    text += (text.empty() ? "" : " or ") +
            (version == 0 ? std::string("be absent") : "be version " + std::to_string(version));
  return text;
}

// The version that the store has of the object; 0 when it has none.
Result<uint32_t> version_in(plugin::Store& store, const std::string& name) {
  const auto content = get_object(store, name);
  if (!content && content.error().code == Code::not_found) return 0U;
  if (!content) return failed(content.error());
  const std::string what = "after a kill, " + name + " of " + std::to_string(content->size()) +
                           " bytes is neither whole nor absent";
  CB_TRY(expect(content->size() >= kHead, what));
  const auto version = load_le<uint64_t>(content->data());
  CB_TRY(expect(version != 0 && version <= UINT32_MAX, what));
  CB_TRY(expect(*content == content_of(static_cast<uint32_t>(version)), what));
  return static_cast<uint32_t>(version);
}

}  // namespace

void KillWriter::tell(Step::Kind kind, uint32_t object, uint32_t version) const {
  const Step step{kind, object, version};
  if (::write(pipe_, &step, sizeof step) != sizeof step) ::_exit(1);
}

void KillWriter::run() {
  auto store = subject_.make<plugin::Store>();
  Status went = store ? verify(*store) : Status(failed(store.error()));
  if (went) {
    tell(Step::ready);
    went = change_for_ever(*store);
  }
  const Error& error = went.error();
  std::string text = subject_.broken_contract();
  if (text.empty()) text = error.object.empty() ? error.cause : error.object + ": " + error.cause;
  tell(Step::wrong);
  if (::write(pipe_, text.data(), text.size()) < 0) ::_exit(1);
}

Status KillWriter::verify(plugin::Store& store) {
  std::set<std::string> there;
  for (const auto& [object, versions] : possible_) {
    const std::string name = name_of_object(object);
    CB_ASSIGN(now_[object], version_in(store, name));
    CB_TRY(expect(versions.contains(now_[object]),
                  "after a kill, " + name + " must " + versions_text(versions) + ", but is " +
                      (now_[object] == 0 ? "absent" : "version " + std::to_string(now_[object]))));
    if (now_[object] != 0) there.insert(name);
    tell(Step::found, object, now_[object]);
  }
  CB_ASSIGN(const auto names, list_names(store));
  return expect(std::set(names.begin(), names.end()) == there && names.size() == there.size(),
                "after a kill the list tells other objects than those that can be read");
}

Status KillWriter::change_for_ever(plugin::Store& store) {
  const bool replaces = (store.capabilities() & CB_STORE_ATOMIC_REPLACE) != 0;
  while (true) {
    const auto object = static_cast<uint32_t>(subject_.random()() % kKillObjects);
    const bool removes = now_[object] != 0 && (!replaces || subject_.random()() % 6 == 0);
    if (!removes) {
      CB_TRY(put(store, object));
      continue;
    }
    tell(Step::begins, object, 0);
    CB_TRY(store.remove(name_of_object(object)));
    tell(Step::done, object, 0);
    now_[object] = 0;
  }
}

Status KillWriter::put(plugin::Store& store, uint32_t object) {
  const uint32_t version = version_++;
  const Bytes content = content_of(version);
  CB_ASSIGN(plugin::Put put, store.put_begin(name_of_object(object)));
  CB_TRY(write_pieces(put, content));
  // Until here the object must not change, whenever the kill comes.
  tell(Step::begins, object, version);
  CB_TRY(put.commit());
  tell(Step::done, object, version);
  now_[object] = version;
  return {};
}

}  // namespace cb::check
