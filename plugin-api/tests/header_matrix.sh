#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Compiles each public header alone, as the first include and again as the second, with every language
# standard that the SDK promises. Usage: header_matrix.sh INCLUDE_DIR [COMPILER...]
set -eu
include=$1
shift
flags="-pedantic-errors -Wall -Wextra -Wpadded -Werror -fsyntax-only -I$include"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
runs=0
failures=0

# compile COMPILER STANDARD LANGUAGE HEADER EXTRA: one cell of the matrix.
compile() {
  printf '#include "cyberbackup/%s"\n#include "cyberbackup/%s"\nint cb_matrix_cell;\n' "$4" "$4" \
    > "$work/cell.$3"
  runs=$((runs + 1))
  # shellcheck disable=SC2086
  if ! "$1" -std="$2" $flags $5 "$work/cell.$3" 2> "$work/log"; then
    failures=$((failures + 1))
    echo "FAILED: $1 -std=$2 $4"
    cat "$work/log"
  fi
}

matrix_of() {
  for path in "$include"/cyberbackup/*.h "$include"/cyberbackup/draft/*.h; do
    [ -f "$path" ] || continue
    header=${path#"$include/cyberbackup/"}
    for standard in c89 c99 c11 c17; do
      compile "$1" "$standard" c "$header" "-Wc++-compat -Wstrict-prototypes"
    done
    for standard in c++11 c++14 c++17 c++20; do
      compile "$1" "$standard" cpp "$header" ""
    done
  done
  flags_saved=$flags
  flags=$(echo "$flags" | sed 's/-Wpadded//')
  for path in "$include"/cyberbackup/cpp/*.hpp; do
    compile "$1" c++20 cpp "cpp/${path##*/}" ""
  done
  flags=$flags_saved
}

found=0
for compiler in "$@"; do
  if command -v "$compiler" > /dev/null; then
    found=$((found + 1))
    matrix_of "$compiler"
  fi
done
echo "header matrix: $found compilers, $runs runs, $failures failures"
[ "$found" -gt 0 ] && [ "$failures" -eq 0 ]
