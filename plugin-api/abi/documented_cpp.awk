# SPDX-License-Identifier: Apache-2.0
#
# Finds what the C++ headers of the SDK offer (functions, types and public members of namespace
# cyberbackup::sdk, and macros, but not what lies in a namespace detail) and lists what has no comment
# right above it or behind it. Relies on the way clang-format lays code out. Fails below 100 %.
# Deleted functions, destructors and copy operations need none.
# Usage: awk -f documented_cpp.awk HEADER.hpp...

function item(line) {
  if (line ~ /= (delete|default);/ || line ~ /operator=/ || line ~ /^ *~/) return
  ++total
  if (commented || line ~ / \/\/ /) return
  ++lacking
  name = FILENAME
  sub(/.*\//, "", name)
  print name ":" FNR ": " line
}

FNR == 1 { inside = detail = body = open = commented = 0; file_comment = 1 }

/^namespace detail \{/ { detail = 1; next }
/^\}  \/\/ namespace detail/ { detail = 0; next }
/^namespace cyberbackup::sdk \{/ { inside = 1; next }
/^\}  \/\/ namespace cyberbackup::sdk/ { inside = 0; next }
/^(#define )/ { item($0); open = 1 }
open && FNR > 0 && /^(#define|.*\\$)/ { if ($0 !~ /\\$/) { open = 0; commented = 0 } ; next }
open { open = 0; commented = 0; next }
/^ *\/\// { commented = 1; next }
/^ *$/ || /^#/ { commented = 0; next }
!inside || detail { commented = 0; next }

# Inside a type: members have two spaces, what is deeper belongs to them.
body && /^\};/ { body = 0; next }
body && /^ (public|private|protected):/ { is_public = /public/; continues = 0; next }
body && /^  [^ ]/ {
  if (is_public && !continues && $0 !~ /^  \}/) item($0)
  continues = $0 !~ /[;}]$/ && $0 !~ /\{$/ && $0 !~ /;  \/\// && $0 !~ /:$/
  if ($0 ~ /^  template/) continues = 1
  commented = 0
  next
}
body { if (continues && $0 ~ /[;{}]$/) continues = 0; next }

/^[^ }]/ {
  if (!more) item($0)
  if ($0 ~ /^(class|struct) .*\{$/) { body = 1; is_public = /^struct/; more = 0; continues = 0 }
  else more = $0 ~ /^template/ && $0 !~ /[;{}]$/
  commented = 0
}

END {
  if (total == 0) { print "nothing to read"; exit 1 }
  printf "%d of %d documented in C++ (%d %%)\n", total - lacking, total, int(100 * (total - lacking) / total)
  exit lacking > 0
}
