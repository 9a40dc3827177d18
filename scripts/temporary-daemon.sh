# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# For scripts that need a daemon of their own for a while: source this, then daemon_start FOLDER BUILD.
# Sets daemon_pid, daemon_config, daemon_tcp and daemon_tls (HOST:PORT) and daemon_pin. The store is that
# of daemon_store, fs without it. What daemon_more holds is added to the configuration.

# Prints a TCP port of this host that nobody listens on.
free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    if ! (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; then
      echo "$port"
      return
    fi
  done
}

# daemon_start FOLDER BUILD [SERVE OPTION...]: makes a daemon in FOLDER with the programs of BUILD and
# waits until it is ready. FOLDER must not exist.
daemon_start() {
  local folder=$1 build=$2 made
  shift 2
  local tcp_port tls_port
  tcp_port=$(free_port)
  tls_port=$(free_port)
  while [[ $tls_port == "$tcp_port" ]]; do tls_port=$(free_port); done
  daemon_tcp=127.0.0.1:$tcp_port
  daemon_tls=127.0.0.1:$tls_port
  made=$("$build/bin/cyberbackupd" init "$folder" --listen-v3 "$daemon_tcp" \
    --listen-v4 "$daemon_tls" --store "${daemon_store:-fs}")
  # Clients of both protocols come over TLS here.
  sed -i 's/^versions = \[4\]$/versions = [3, 4]/' "$folder/cyberbackupd.toml"
  if [[ -n ${daemon_more:-} ]]; then printf '%s\n' "$daemon_more" >> "$folder/cyberbackupd.toml"; fi
  # shellcheck disable=SC2034 # for those who source this
  daemon_pin=$(sed -nE 's/^pin of .*: ([0-9a-f]{64})$/\1/p' <<< "$made")
  daemon_config=$folder/cyberbackupd.toml
  daemon_log=$folder/daemon.log
  daemon_command=("$build/bin/cyberbackupd" serve --config "$daemon_config" "$@")
  daemon_again
}

# Starts the daemon of the last daemon_start, which has ended, again.
daemon_again() {
  local out=${daemon_config%/*}/daemon.out
  : > "$out"
  "${daemon_command[@]}" > "$out" 2> "$daemon_log" &
  daemon_pid=$!
  local tries
  for ((tries = 0; tries < 200; ++tries)); do
    grep -qs '^ready' "$out" && return
    kill -0 "$daemon_pid" 2> /dev/null || break
    sleep 0.1
  done
  cat "$daemon_log" >&2
  echo "the daemon did not become ready, see above" >&2
  return 1
}

# Asks the daemon to end and waits for that; ends it the hard way after ten seconds. Its exit status
# is the function's. Without a daemon it does nothing.
daemon_stop() {
  local tries pid=${daemon_pid:-}
  [[ $pid != '' ]] || return 0
  daemon_pid=
  kill -TERM "$pid" 2> /dev/null || true
  for ((tries = 0; tries < 100; ++tries)); do
    # A zombie has no more to do: wait fetches it.
    grep -qsE '^State:[[:space:]]+[^Z]' "/proc/$pid/status" || break
    sleep 0.1
  done
  # Only what did not end: the shell has fetched the other, and its number may be somebody else's by now.
  ((tries < 100)) || kill -KILL "$pid" 2> /dev/null || true
  wait "$pid"
}
