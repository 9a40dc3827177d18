# SPDX-License-Identifier: Apache-2.0
#
# Prints a header with one member of one struct mutated, and without comments.
# Usage: awk -v struct=cb_x -v how=delete|swap|insert|append|retype|parameter -v n=3 -f mutate.awk HEADER

{ text = text $0 "\n" }

function retyped(member, name) {
  if (member ~ /\(\*/) {
    name = substr(member, index(member, "(*"))
    return (member ~ /^[ \n]*void /) ? "int32_t " name : "void " name
  }
  if (member ~ /\[/) { sub(/\[.*\]/, "[8]", member); return member }
  name = member
  sub(/.*[ *]/, "", name)
  if (member ~ /\*/) return "uint64_t " name
  if (member ~ /uint32_t|cb_status/) return (member ~ /cb_status/ ? "uint32_t " : "int32_t ") name
  if (member ~ /int32_t/) return "uint32_t " name
  if (member ~ /uint64_t/) return "int64_t " name
  if (member ~ /int64_t/) return "uint64_t " name
  return "void* " name
}

END {
  while (match(text, /\/\*[^*]*\*+([^\/*][^*]*\*+)*\//))
    text = substr(text, 1, RSTART - 1) " " substr(text, RSTART + RLENGTH)
  begin = index(text, "typedef struct " struct " {")
  if (begin == 0) { print "no struct " struct > "/dev/stderr"; exit 1 }
  begin += length("typedef struct " struct " {")
  end = begin + index(substr(text, begin), "} " struct ";") - 1
  count = split(substr(text, begin, end - begin), members, ";") - 1
  if (n < 1 || n > count || (how == "swap" && n == count)) { print "no member " n > "/dev/stderr"; exit 1 }
  m = members[n]
  if (how == "swap") { members[n] = members[n + 1]; members[n + 1] = m }
  if (how == "retype") members[n] = retyped(m)
  if (how == "parameter") {
    if (m ~ /,[^,]*\)$/) sub(/,[^,]*\)$/, ")", members[n])
    else sub(/\([^()]*\)$/, "(int32_t mutated)", members[n])
  }
  printf "%s", substr(text, 1, begin - 1)
  for (i = 1; i <= count; ++i) {
    if (how == "insert" && i == n) printf " uint64_t mutated;"
    if (!(how == "delete" && i == n)) printf "%s;", members[i]
  }
  if (how == "append") printf " uint64_t appended;"
  printf "%s", "\n" substr(text, end)
}
