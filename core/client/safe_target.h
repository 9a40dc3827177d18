// SPDX-License-Identifier: Apache-2.0
//
// The folder that a restore writes into. Entries go below it and nowhere else: their paths are
// checked, folders are opened one by one, and no symbolic link of the target is ever followed.
// Files grow under a temporary name beside their place and are renamed over it when they are whole.
// A SafeTarget is thread-safe as long as no two threads work on the same path; so is a TargetFile.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/client/restore.h"
#include "core/os/account_names.h"
#include "core/os/tree.h"
#include "core/repository/entry.h"

namespace cb::client {

// A file that is being written. Destroyed before `finish`, its temporary file is removed, unless
// `keep` was called.
class TargetFile {
 public:
  virtual ~TargetFile() = default;

  // Code::invalid past the entry's size. What is never written is a hole.
  virtual Status write_at(uint64_t offset, ByteView bytes) = 0;
  virtual Result<size_t> read_at(ByteSpan into, uint64_t offset) = 0;
  // Did begin_file find what an interrupted restore had written of this very entry?
  [[nodiscard]] virtual bool resumed() const = 0;
  // Makes what was written durable, before a journal says so.
  virtual Status sync() = 0;
  // Sets the metadata and gives the file its name. Call it once.
  virtual Status finish() = 0;
  // Leaves the temporary file for a later restore with `resume`.
  virtual void keep() = 0;
};

class SafeTarget {
 public:
  // All outlive the SafeTarget.
  struct Parts {
    os::Tree* tree = nullptr;
    os::AccountNames* names = nullptr;
    // What could not be set on an entry that was restored all the same: an owner, a device number,
    // an attribute. Called from the thread that restores the entry.
    std::function<void(const std::string& path, Error)> problem;
  };
  struct Options {
    Overwrite overwrite = Overwrite::if_changed;
    bool owners = true;  // names first, then numbers
    bool resume = false;
    bool dry_run = false;  // only `standing` may be called, and a missing folder is not made
  };

  // Makes the folder and the missing ones above it.
  static Result<std::unique_ptr<SafeTarget>> open(Parts parts, const os::Path& folder,
                                                  Options options);
  virtual ~SafeTarget() = default;

  // What to do with an entry, by what stands in its place and by `overwrite`.
  enum class Standing {
    absent,    // make it
    replaced,  // something else is there and may be replaced
    same,      // leave its content: same kind, size, mtime (and target, device number); call
               // settle. Of a folder: use it; make_folder and finish_folder as for a new one
    kept,      // leave it alone: Overwrite::never. Of a folder: make_folder, but not finish_folder
  };
  // Code::exists when a folder with something in it stands where the entry is to go, or when the
  // policy keeps something else where a folder is to be. entry.path is the path below the target.
  virtual Result<Standing> standing(const repository::Entry& entry) = 0;

  // Each replaces what stands there, as far as `standing` allows; missing folders above are made.
  // The folder is open for its owner only until finish_folder, which is to be called after all of
  // what is in it.
  virtual Status make_folder(const repository::Entry& entry) = 0;
  virtual Status finish_folder(const repository::Entry& entry) = 0;
  virtual Result<std::unique_ptr<TargetFile>> begin_file(const repository::Entry& entry) = 0;
  virtual Status make_symlink(const repository::Entry& entry) = 0;
  virtual Status make_special(const repository::Entry& entry) = 0;  // fifo, socket, device
  // A further name of the entry that was restored as `first`; entry.path is the new name.
  virtual Status make_hard_link(const repository::Entry& entry, const std::string& first) = 0;
  // Sets the metadata of what stands there, but for its content; not for folders.
  virtual Status settle(const repository::Entry& entry) = 0;
  // A file of the target for reading, to compare.
  virtual Result<std::unique_ptr<os::TreeFile>> open_file(const std::string& path) = 0;
  // After everything: what has to wait until all names are there; makes the target durable.
  virtual Status finish() = 0;
};

}  // namespace cb::client
