# SPDX-License-Identifier: Apache-2.0
#
# Reads a report of abidiff --leaf-changes-only and says what it means. Insertions at the end of a
# struct and new structs are an append; every other line is a break, also one that is not known here:
# the exit code of abidiff cannot tell the two apart, and its suppressions hide too much.
# Prints the lines that matter, and at last one word: identical, append or break.

/^(Leaf changes|Changed leaf types|Removed\/Changed\/Added (functions|variables)) summary: / { next }
/^ *$/ { inserting = 0; next }
/^'struct [a-z_0-9]+' changed:$/ { name = $0; inserting = 0; next }
/^  type size hasn't changed$/ { inserting = 0; next }

/^  type size changed from [0-9]+ to [0-9]+ \(in bits\)$/ {
  inserting = 0
  old_size = $5
  if ($7 > $5) next
}

/^  [0-9]+ data member insertions?:$/ { inserting = 1; next }

# The text between the quotes may hold quotes of its own, so the offset is counted from the end.
inserting && /^    '.*', at offset [0-9]+ \(in bits\)$/ {
  if ($(NF - 2) >= old_size && old_size > 0) {
    print "+ " name " " $0
    appended = 1
    next
  }
}

/^[0-9]+ Added functions?:$/ { next }
/^  \[A\] 'function void probe_[a-z_0-9]+\(const [a-z_0-9]+\*\)'( +\{.*\})?$/ { print "+ " $0; appended = 1; next }

{
  if (name != "") print name
  name = ""
  print "! " $0
  broken = 1
  inserting = 0
}

END { print broken ? "break" : appended ? "append" : "identical" }
