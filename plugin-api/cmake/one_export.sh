#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Each plugin exports its entry and nothing else. Usage: one_export.sh PLUGIN.so...
set -eu
failures=0
for plugin in "$@"; do
  exports=$(nm -D --defined-only "$plugin" | awk '{print $NF}')
  if [ "$exports" != "cb_plugin_entry_v1" ]; then
    failures=$((failures + 1))
    echo "FAILED: $plugin exports:"
    echo "$exports"
  fi
done
echo "one export: $# plugins, $failures failures"
[ "$#" -gt 0 ] && [ "$failures" -eq 0 ]
