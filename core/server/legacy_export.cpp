// SPDX-License-Identifier: Apache-2.0
#include "core/server/legacy_export.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>

#include "core/protocol/v3/cksum.h"

namespace cb::server {
namespace {

using catalog::LegacyVersion;

// All of a client that came back after it had migrated is what the server can still read.
bool skips_taken_over(const ExportRequest& request, const std::vector<LegacyVersion>& all) {
  return request.file.empty() && !request.version &&
         std::any_of(all.begin(), all.end(),
                     [](const LegacyVersion& one) { return !one.taken_over; });
}

// The versions to export: one of each file.
Result<std::vector<LegacyVersion>> chosen(const ExportRequest& request,
                                          const std::vector<LegacyVersion>& all) {
  std::map<std::string, LegacyVersion> newest;
  const bool skips = skips_taken_over(request, all);
  for (const LegacyVersion& version : all) {
    if (skips && version.taken_over) continue;
    if (!request.file.empty() && version.file_name != request.file) continue;
    if (request.version && version.version != *request.version) continue;
    newest.insert_or_assign(version.file_name, version);  // versions ascend
  }
  if (newest.empty() && !request.file.empty())
    return failed(Code::not_found, request.file,
                  request.version
                      ? "there is no version " + std::to_string(*request.version) + " of it"
                      : "client " + request.client + " has no such file",
                  "cyberbackupd legacy list shows what there is");
  std::vector<LegacyVersion> found;
  for (auto& [name, version] : newest) found.push_back(std::move(version));
  return found;
}

// Decrypts one version into an open file and compares size and checksum with the catalog's.
Status copy_to(os::File& out, const LegacyVersion& version, V3Archive& archive) {
  v3::Cksum cksum;
  uint64_t size = 0;
  CB_TRY(archive.read(version, [&](ByteView plain) -> Status {
    cksum.update(plain);
    size += plain.size();
    return out.write(plain);
  }));
  if (size == version.size && cksum.value() == version.cksum) return out.sync();
  return failed(Code::corrupt, version.file_name,
                "what is stored does not have the size and checksum that were confirmed",
                "an older version may be good: --version " + std::to_string(version.version - 1));
}

Result<ExportedFile> export_one(const LegacyVersion& version, const os::Path& folder,
                                Backend& backend, os::FileSystem& files) {
  const os::Path path = folder / safe_file_name(version.file_name);
  const os::Path temporary = folder / (".cyberbackup-" + to_hex(version.snapshot));
  const auto write = [&]() -> Status {
    // Of an export that was cut short. What else lies there is not written through.
    (void)files.remove(temporary);
    CB_ASSIGN(const std::unique_ptr<os::File> out, files.open(temporary, os::Open::create_new));
    return copy_to(*out, version, backend.archive());
  };
  Status done = write();
  if (done) done = files.rename(temporary, path);
  if (!done) {
    (void)files.remove(temporary);
    return failed(std::move(done).error());
  }
  return ExportedFile{version.file_name, path, version.version, version.size};
}

}  // namespace

Result<std::vector<ExportedFile>> export_legacy(const ExportRequest& request, Backend& backend,
                                                os::FileSystem& files) {
  CB_ASSIGN(const auto client, backend.catalog().client_by_name(request.client));
  if (!client)
    return failed(Code::not_found, "client " + request.client, "is not known",
                  "cyberbackupd legacy list shows who is");
  CB_ASSIGN(const std::vector<LegacyVersion> all, backend.catalog().versions(client->id));
  CB_ASSIGN(const std::vector<LegacyVersion> wanted, chosen(request, all));
  CB_ASSIGN(const catalog::LegacyPolicy policy, backend.catalog().legacy_policy(client->id));
  // A rebuilt catalog knows no versions of what has an owner.
  if (wanted.empty() && policy.migrated_ns != 0) return failed(V3Keys::migrated(client->id));
  CB_TRY(files.make_folders(request.to));
  std::vector<ExportedFile> exported;
  for (const LegacyVersion& version : wanted) {
    CB_ASSIGN(ExportedFile file, export_one(version, request.to, backend, files));
    exported.push_back(std::move(file));
  }
  CB_TRY(files.sync_folder(request.to));
  return exported;
}

std::string safe_file_name(const std::string& name) {
  std::string safe;
  for (size_t i = 0; i < name.size(); ++i) {
    const auto byte = static_cast<unsigned char>(name[i]);
    const bool is_special_dot = byte == '.' && (name == "." || name == "..");
    if (byte >= 0x20 && byte != 0x7f && byte != '/' && byte != '%' && !is_special_dot) {
      safe += name[i];
      continue;
    }
    std::array<char, 4> escape{};
    std::snprintf(escape.data(), escape.size(), "%%%02X", static_cast<unsigned>(byte));
    safe += escape.data();
  }
  return safe.empty() ? "%" : safe;
}

}  // namespace cb::server
