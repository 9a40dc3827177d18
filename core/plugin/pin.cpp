// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/pin.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <string_view>
#include <system_error>

namespace cb::plugin {
namespace {

constexpr mode_t kOthersWrite = S_IWGRP | S_IWOTH;

std::string octal(mode_t mode) {
  char text[16];
  std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(mode & 07777));
  return text;
}

Status check_one(const struct stat& info, const os::Path& path, const std::string& object) {
  const uid_t self = ::geteuid();
  const bool folder = S_ISDIR(info.st_mode);
  const std::string what = folder ? "its folder " + path.string() : "it";
  if (info.st_uid != 0 && info.st_uid != self)
    return failed(Code::denied, object,
                  what + " belongs to user " + std::to_string(info.st_uid) +
                      "; trusted are root (0) and this user (" + std::to_string(self) + ")",
                  "chown it, or move the plugin to a folder of root's");
  const bool sticky = folder && (info.st_mode & S_ISVTX) != 0;
  if ((info.st_mode & kOthersWrite) == 0 || sticky) return {};
  return failed(Code::denied, object,
                what + " may be written by others: its mode is " + octal(info.st_mode) +
                    ", at most " + octal(info.st_mode & ~kOthersWrite) + " is trusted",
                "run: chmod go-w " + path.string());
}

// Where the open file really lies, without symbolic links.
Result<os::Path> real_path(const PluginFile& file) {
  std::error_code error;
  os::Path real =
      std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(file.fd()), error);
  if (error) return failed(fail_errno(error.value(), file.object(), "finding its real path"));
  return real;
}

// Hex digits may be written in either case.
bool is_same_hex(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

std::optional<Error> mismatch(const PluginFile& file, const std::string& id,
                              const LoadOptions& options) {
  const auto pin = options.sha256.find(id);
  if (pin == options.sha256.end())
    return fail(
        Code::denied, file.object(),
        "is not pinned: its sha256 is " + file.sha256() + ", and [plugins.sha256] has no " + id,
        "if this is the file you mean, add the line that 'cyberbackupd plugins pin' prints");
  if (is_same_hex(pin->second, file.sha256())) return std::nullopt;
  return fail(
      Code::denied, file.object(),
      "is not the pinned file: its sha256 is " + file.sha256() + ", the pin is " + pin->second,
      "if you updated it, replace the pin by what 'cyberbackupd plugins pin' prints; else "
      "install the right file again");
}

}  // namespace

Status check_pin(const PluginFile& file, const std::string& id, const LoadOptions& options,
                 log::Log* log) {
  if (options.pins == Pins::off) return {};
  std::optional<Error> wrong = mismatch(file, id, options);
  if (!wrong) return {};
  if (options.pins == Pins::enforce) return failed(std::move(*wrong));
  if (log != nullptr) log->warn("plugin.pin", {{"plugin", id}, {"reason", wrong->text()}});
  return {};
}

Status check_owner(const PluginFile& file) {
  struct stat info {};
  if (::fstat(file.fd(), &info) != 0) return failed(fail_errno(errno, file.object(), "looking at"));
  CB_TRY(check_one(info, file.path(), file.object()));
  CB_ASSIGN(const os::Path real, real_path(file));
  for (os::Path folder = real.parent_path();; folder = folder.parent_path()) {
    if (::stat(folder.c_str(), &info) != 0)
      return failed(fail_errno(errno, file.object(), "looking at its folder " + folder.string()));
    CB_TRY(check_one(info, folder, file.object()));
    if (folder == folder.root_path()) return {};
  }
}

}  // namespace cb::plugin
