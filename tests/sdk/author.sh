# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# For tests that play a plugin's author: source this with the build folder as first argument. Sets
# build, source, a temporary folder work, and the functions below.

build=$(cd "${1:?name the build folder}" && pwd)
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/cyberbackup-sdk-XXXXXX")
trap 'rm -rf "$work"' EXIT

# die TEXT...: the test has failed.
die() {
  echo "FAILED: $*" >&2
  exit 1
}

# clean COMMAND...: runs it as somebody who has the tools of the system, the SDK in $work/sdk, and
# nothing else. The checker may be one with sanitizers, whose options stay.
clean() {
  env -i HOME="$work" TMPDIR="$work" LANG=C PATH=/usr/bin:/bin \
    ASAN_OPTIONS="${ASAN_OPTIONS:-}" UBSAN_OPTIONS="${UBSAN_OPTIONS:-}" \
    CMAKE_PREFIX_PATH="$work/sdk" PKG_CONFIG_PATH="$work/sdk/share/pkgconfig" "$@"
}

# quietly COMMAND...: its output only if it fails.
quietly() {
  if ! "$@" > "$work/log" 2>&1; then
    cat "$work/log" >&2
    die "$*"
  fi
}

# install_sdk: the SDK as a project of its own into one folder, then moved to $work/sdk.
install_sdk() {
  quietly clean cmake -S "$source/plugin-api" -B "$work/sdk-build"
  quietly clean cmake --install "$work/sdk-build" --prefix "$work/installed"
  rm -r "$work/sdk-build"
  mv "$work/installed" "$work/sdk"
}

# The sanitizers of the build folder, as its CMake was told.
sanitizers() { sed -nE 's/^CYBERBACKUP_SANITIZE:STRING=(.+)$/\1/p' "$build/CMakeCache.txt"; }

# sees_no_source_tree FOLDER: nothing that was built there knows the source tree.
sees_no_source_tree() {
  local seen
  seen=$(grep -rlF -e "$source/" "$1" || true)
  [[ $seen == '' ]] || die "the source tree is named in" "$seen"
}

# loads ID FILE: a daemon of the build loads the plugin out of a folder of its own.
loads() {
  local id=$1 file=$2 daemon=$build/bin/cyberbackupd listed
  mkdir -p "$work/plugins"
  cp "$build"/plugins/*.so "$file" "$work/plugins"
  chmod -R go-w "$work/plugins"
  quietly "$daemon" init "$work/daemon" --plugins "$work/plugins"
  listed=$("$daemon" plugins list --config "$work/daemon/cyberbackupd.toml")
  grep -qE "^$id +0\.1\.0 +cb\.[a-z]+/1 +wip " <<< "$listed" || die "the daemon says" "$listed"
}
