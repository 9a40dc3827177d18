// SPDX-License-Identifier: Apache-2.0
//
// `cyberbackup backup`: files, folders or standard input into a new snapshot.
#include <poll.h>
#include <pwd.h>
#include <unistd.h>

#include <filesystem>

#include "core/base/units.h"
#include "hosts/cyberbackup/backup_run.h"
#include "hosts/cyberbackup/backup_screen.h"
#include "hosts/cyberbackup/commands.h"
#include "hosts/cyberbackup/interruption.h"
#include "hosts/cyberbackup/unlock.h"

namespace cb {
namespace {

constexpr const char* kBackupExample =
    "Examples:\n"
    "  cyberbackup backup /home /etc --exclude-caches --exclude '*.tmp' --tag nightly\n"
    "  pg_dump shop | cyberbackup backup --stdin --name shop.sql\n"
    "\n"
    "Excludes are patterns as in .gitignore: one without a slash (but at its end) matches names "
    "in\n"
    "every folder; one with a slash at its beginning or in it matches paths, counted from the "
    "root\n"
    "of the file system, not from the PATHs. Of several that match, the last decides:\n"
    "  cyberbackup backup /home --exclude '*.o' --exclude node_modules/ --exclude "
    "'/home/*/.cache'\n"
    "  cyberbackup backup /home --exclude '**/build/tmp' --exclude '*.iso' --exclude '!keep.iso'\n"
    "\n"
    "Prints the id of the snapshot. Exit code 3: the snapshot is there, but some files could not "
    "be\n"
    "read; they are listed. An interrupted backup is run again: it goes on where it was.";

struct BackupOptions {
  std::vector<std::string> paths;
  std::vector<std::string> excludes;
  std::vector<std::string> exclude_files;
  std::vector<std::string> tags;
  std::string verify = "sample";
  std::string checkpoint_every;
  std::string name;  // of standard input
  bool exclude_caches = false;
  bool one_file_system = false;
  bool read_all = false;
  bool dry_run = false;
  bool use_stdin = false;
  unsigned threads = 0;
};

constexpr uint64_t kLongestExcludeFile = 1024 * 1024;

Status add_patterns(const std::string& path, std::vector<std::string>& patterns) {
  CB_ASSIGN(const Bytes content, os::read_file(os::real_file_system(), path, kLongestExcludeFile));
  std::string_view rest = as_text(content);
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (!line.empty() && line.front() != '#') patterns.emplace_back(line);
  }
  return {};
}

std::string host_name() {
  std::string name(256, '\0');
  if (::gethostname(name.data(), name.size() - 1) != 0) return {};
  return name.c_str();
}

std::string user_name() {
  const passwd* const entry = ::getpwuid(::geteuid());
  return entry == nullptr ? std::to_string(::geteuid()) : entry->pw_name;
}

// Standard input until its end, or until it is interrupted.
Result<size_t> read_stdin(const Interruption& interruption, ByteSpan into) {
  while (true) {
    if (interruption.came()) return failed(Code::cancelled, "backup", "was interrupted");
    pollfd wanted{STDIN_FILENO, POLLIN, 0};
    if (::poll(&wanted, 1, 200) <= 0) continue;
    const ssize_t got = ::read(STDIN_FILENO, into.data(), into.size());
    if (got >= 0) return static_cast<size_t>(got);
    if (errno != EINTR && errno != EAGAIN)
      return failed(fail_errno(errno, "standard input", "reading"));
  }
}

Status name_sources(const BackupOptions& options, const Interruption& interruption,
                    client::BackupRequest& request) {
  if (options.use_stdin) {
    if (!options.paths.empty() || options.name.empty())
      return failed(Code::invalid, "--stdin", "takes no paths, and a name for its file",
                    "give --name NAME and nothing else");
    request.input_name = options.name;
    request.input = [&interruption](ByteSpan into) { return read_stdin(interruption, into); };
    return {};
  }
  if (options.paths.empty() || !options.name.empty())
    return failed(Code::invalid, options.name.empty() ? "paths" : "--name",
                  options.name.empty() ? "are missing" : "is for --stdin only",
                  "name the files and folders to back up, or use --stdin --name NAME");
  for (const std::string& path : options.paths) {
    std::error_code error;
    const auto absolute = std::filesystem::absolute(path, error);
    if (path.empty() || error)
      return failed(Code::invalid, path, "is no path", "name a file or folder");
    request.paths.push_back(absolute.string());
  }
  return {};
}

Result<client::BackupRequest> request_of(const BackupOptions& options,
                                         const Interruption& interruption) {
  client::BackupRequest request;
  CB_TRY(name_sources(options, interruption, request));
  request.excludes = options.excludes;
  for (const std::string& file : options.exclude_files)
    CB_TRY(add_patterns(file, request.excludes));
  request.tags = options.tags;
  request.exclude_caches = options.exclude_caches;
  request.one_file_system = options.one_file_system;
  request.dry_run = options.dry_run;
  request.read_all = options.read_all;
  request.verify = options.verify == "all"   ? client::Verify::all
                   : options.verify == "off" ? client::Verify::off
                                             : client::Verify::sample;
  request.host = host_name();
  request.user = user_name();
  request.program = "cyberbackup " CB_PROGRAM_VERSION;
  request.threads = options.threads;
  if (!options.checkpoint_every.empty()) {
    CB_ASSIGN(request.checkpoint_every, parse_duration(options.checkpoint_every));
  }
  return request;
}

// Warns once, of what the server said at the first login, and spares a backup that it would refuse.
std::function<Result<std::shared_ptr<repository::Remote>>()> connect_of(Workplace& place,
                                                                        BackupScreen& screen,
                                                                        bool dry_run) {
  return [&place, &screen, dry_run,
          is_first = true]() mutable -> Result<std::shared_ptr<repository::Remote>> {
    CB_ASSIGN(const auto session, place.dial());
    const client::Room& room = session->welcome().room;
    if (is_first && !dry_run) {
      CB_TRY(client::may_back_up(room));
      for (const std::string& warning : client::room_warnings(room)) screen.warn(warning);
    }
    is_first = false;
    return place.listing(session);
  };
}

client::Backup::Parts parts_of(Workplace& place, BackupScreen& screen, bool dry_run) {
  client::Backup::Parts parts;
  parts.suite = place.suite();
  parts.keys = &place.write_keys();
  parts.record = &place.profile().record;
  parts.device = place.device();
  parts.sign = place.sign();
  parts.device_key = place.device_key();
  parts.connect = connect_of(place, screen, dry_run);
  parts.cache_folder = place.cache_folder();
  // Without a home there is still the profile.
  if (parts.cache_folder.empty()) parts.cache_folder = place.profile_path() / "cache";
  parts.clock = &os::system_clock();
  parts.random = &os::system_random();
  parts.head = [&place] { return place.receipts().newest(); };
  parts.progress = [&screen](const report::Progress& now) { screen.progress(now); };
  return parts;
}

Result<client::BackupResult> backup(const CommonOptions& common, const BackupOptions& options,
                                    BackupScreen& screen) {
  Interruption interruption;
  CB_ASSIGN(const client::BackupRequest request, request_of(options, interruption));
  CB_ASSIGN(const auto place, Workplace::open(common));
  CB_TRY(place->load_profile());
  CB_TRY(need_role(*place, {repository::Role::owner, repository::Role::writer}, "back up"));
  client::Backup run(parts_of(*place, screen, options.dry_run));
  interruption.react([&run, &place] {
    run.cancel();
    place->cancel();
  });
  auto result = run.run(request);
  interruption.ignore();
  // Whatever it was that noticed first.
  if (!result && interruption.came()) return failed(Code::cancelled, "backup", "was interrupted");
  return result;
}

int run_backup(const CommonOptions& common, const BackupOptions& options) {
  BackupScreen screen(common);
  const auto result = backup(common, options, screen);
  if (result) return static_cast<int>(screen.finish(*result, options.dry_run));
  screen.clear();
  Error error = result.error();
  if (error.code == Code::cancelled) error = fail(Code::cancelled, "backup", "was interrupted");
  const bool again = error.code == Code::closed || error.code == Code::cancelled;
  if (again && error.advice.empty() && !options.use_stdin)
    error.advice = "run it again: it goes on where it was";
  return report_failure(common, error);
}

void add_choices(CLI::App& command, BackupOptions& options) {
  command
      .add_option("--exclude", options.excludes,
                  "Pattern of what to leave out, as in .gitignore; may be repeated")
      ->allow_extra_args(false);
  command
      .add_option("--exclude-file", options.exclude_files,
                  "File with a pattern on each line; may be repeated")
      ->allow_extra_args(false);
  command.add_flag("--exclude-caches", options.exclude_caches,
                   "Leave out what is in folders with a CACHEDIR.TAG");
  command.add_flag("--one-file-system", options.one_file_system,
                   "Leave out what is mounted below a source");
  command.add_option("--tag", options.tags, "A word to find the snapshot by; may be repeated")
      ->allow_extra_args(false);
  command.add_flag("--stdin", options.use_stdin, "Back up standard input, as a file NAME");
  command.add_option("--name", options.name, "Name of the file with --stdin");
}

void add_ways(CLI::App& command, BackupOptions& options) {
  command.add_flag("--dry-run", options.dry_run, "Read and compare, but send nothing");
  command.add_flag("--read-all", options.read_all, "Read files that did not change too");
  command
      .add_option("--verify", options.verify,
                  "How much of what was sealed is opened again before it is sent")
      ->check(CLI::IsMember({"all", "sample", "off"}))
      ->capture_default_str();
  command.add_option("--checkpoint-every", options.checkpoint_every,
                     "How often what is done so far becomes a snapshot [5m]");
  command
      .add_option("--threads", options.threads, "Threads that compress and seal [cores, up to 8]")
      ->check(CLI::Range(1, 64));
}

}  // namespace

int back_up(const CommonOptions& common, const std::vector<std::string>& paths) {
  BackupOptions options;
  options.paths = paths;
  return run_backup(common, options);
}

void add_backup_command(CLI::App& app, CommonOptions& common, int& exit_code) {
  auto options = std::make_shared<BackupOptions>();
  CLI::App& command = *app.add_subcommand("backup", "Back up files and folders");
  command.footer(kBackupExample);
  command.add_option("PATH", options->paths, "Files and folders");
  add_choices(command, *options);
  add_ways(command, *options);
  command.callback([options, &common, &exit_code] { exit_code = run_backup(common, *options); });
}

}  // namespace cb
