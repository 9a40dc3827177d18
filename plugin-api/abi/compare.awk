# SPDX-License-Identifier: Apache-2.0
#
# Compares two layouts that programs made by layout.awk printed. Within each struct the old lines must
# begin the new ones; constants, types and handles must stay; new ones of all kinds may come.
# Prints what differs, and at last one word: identical, append or break.
# Usage: awk -f compare.awk OLD NEW

FNR == 1 { ++files; next }  # the version

function struct_of(line, name) {
  name = line
  sub(/^struct /, "", name)
  sub(/[. ].*/, "", name)
  return name
}

{
  key = ($1 == "struct" || $1 == "typedef" || $1 == "handle") ? $1 " " $2 : $1
  is_member = $1 ~ /^[a-z_0-9]+\./
  if (key in seen && seen[key] == files) { print "twice: " $0; broken = 1 }
  seen[key] = files
}

files == 1 {
  old[key] = $0
  order[++count] = key
  if (is_member) { s = struct_of($1); old_members[s, ++old_count[s]] = $0 }
}

files == 2 {
  new[key] = $0
  if (is_member) { s = struct_of($1); new_members[s, ++new_count[s]] = $0 }
  if (!(key in old)) { print "+ " $0; appended = 1 }
}

END {
  if (files != 2 || count == 0) { print "a layout is empty"; print "break"; exit }
  for (i = 1; i <= count; ++i) {
    key = order[i]
    if (!(key in new)) {
      print "- " old[key]
      broken = 1
    } else if (key ~ /^struct /) {
      s = substr(key, 8)
      for (n = 1; n <= old_count[s]; ++n) {
        if (old_members[s, n] == new_members[s, n]) continue
        print "- " old_members[s, n]
        print "+ " (n <= new_count[s] ? new_members[s, n] : "nothing")
        broken = 1
        break
      }
    } else if (key !~ /^[a-z_0-9]+\./ && old[key] != new[key]) {
      print "- " old[key]
      print "+ " new[key]
      broken = 1
    }
  }
  print broken ? "break" : appended ? "append" : "identical"
}
