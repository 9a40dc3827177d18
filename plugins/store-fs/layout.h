// SPDX-License-Identifier: Apache-2.0
//
// The layout of names on disk: which folders and which file an object's name stands for, and back.
// The map is one to one, needs no hash, and sorted folders give names in byte order. Functions are
// pure.
//
// A name is taken apart at '/'. Each component lies in a bucket folder named by the component's
// first `fan_out` bytes, with the '/' that follows a component which is not the last counted in
// ("ab=", "a,="). In the bucket, the last component is the file; another one is the folder of the
// next level, with a comma added. ',' and '=' are no bytes of names, so nothing collides:
//
//   packs/ab12  ->  pa= / packs, / ab= / ab12
//   a           ->  a= / a                        a/b  ->  a,= / a, / b= / b
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace store_fs {

inline constexpr size_t kMaxFanOut = 4;

struct Place {
  std::vector<std::string> folders;  // from the store's objects folder down
  std::string file;
};

// Where the object `name` lies. The name is valid.
Place place_of(std::string_view name, size_t fan_out);

// The kind of a folder: LEVEL holds buckets, BUCKET holds files and levels.
enum class Kind { level, bucket };

// The part of names that a folder's entry `file_name` stands for: bytes that all names below have
// next (ending with '/' for a level), or a file's last component. Empty when no name maps to it.
std::string key_of(std::string_view file_name, Kind folder);

// The entry of a folder of this kind that `key` stands for.
std::string entry_of(std::string_view key, Kind folder);

// The bucket's key that an entry's key belongs to.
std::string_view bucket_key(std::string_view key, size_t fan_out);

}  // namespace store_fs
