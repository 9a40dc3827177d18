// SPDX-License-Identifier: Apache-2.0
#include "core/log/output.h"

#include <fcntl.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <mutex>

namespace cb::log {
namespace {

constexpr const char* kTextPattern = "%Y-%m-%dT%H:%M:%S.%eZ %l %v";
constexpr const char* kJsonPattern = "{\"time\":\"%Y-%m-%dT%H:%M:%S.%eZ\",\"level\":\"%l\",%v}";

// A file that is added to and can be reopened; one write call per line, so that lines stay whole.
class FileSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FileSink(std::string path) : path_(std::move(path)) {}
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;
  ~FileSink() override { close(); }

  Status reopen() {
    const std::lock_guard<std::mutex> hold(mutex_);
    const int fd = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return failed(fail_errno(errno, path_, "open the log"));
    close();
    fd_ = fd;
    return {};
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    // A log that cannot be written has nowhere to say so.
    [[maybe_unused]] const ssize_t written = ::write(fd_, line.data(), line.size());
  }
  void flush_() override {}

 private:
  void close() {
    if (fd_ >= 0) ::close(fd_);
  }

  std::string path_;
  int fd_ = -1;
};

spdlog::level::level_enum level_of(Level level) {
  return static_cast<spdlog::level::level_enum>(level);  // both count trace, debug, info, warn, err
}

class SpdlogOutput final : public Output {
 public:
  SpdlogOutput(const spdlog::sink_ptr& sink, std::shared_ptr<FileSink> file,
               const OutputSettings& settings)
      : file_(std::move(file)), json_(settings.format == Format::json), logger_("", sink) {
    logger_.set_formatter(std::make_unique<spdlog::pattern_formatter>(
        json_ ? kJsonPattern : kTextPattern, spdlog::pattern_time_type::utc));
    logger_.set_level(spdlog::level::trace);  // judged here
    set_levels(settings.level, settings.levels);
    logger_.flush_on(spdlog::level::trace);
  }

  void write_fields(Level level, std::string_view event, std::span<const Field> fields) override {
    if (level < level_for(event)) return;
    const std::string line = json_ ? json_members(event, fields) : text_line(event, fields);
    logger_.log(level_of(level), spdlog::string_view_t(line.data(), line.size()));
  }
  void set_levels(Level level, ModuleLevels levels) override {
    const std::lock_guard<std::mutex> hold(mutex_);
    usual_ = level;
    has_levels_ = !levels.empty();
    levels_ = std::move(levels);
  }
  Status reopen() override { return file_ ? file_->reopen() : Status{}; }

 private:
  [[nodiscard]] Level level_for(std::string_view event) const {
    if (!has_levels_) return usual_;
    const std::lock_guard<std::mutex> hold(mutex_);
    const auto found = levels_.find(event.substr(0, event.find('.')));
    return found == levels_.end() ? usual_.load() : found->second;
  }

  std::shared_ptr<FileSink> file_;
  const bool json_;
  std::atomic<Level> usual_{Level::info};
  std::atomic<bool> has_levels_{false};
  mutable std::mutex mutex_;
  ModuleLevels levels_;  // guarded by mutex_
  spdlog::logger logger_;
};

}  // namespace

Result<std::unique_ptr<Output>> open_log(const OutputSettings& settings) {
  if (settings.file.empty())
    return std::make_unique<SpdlogOutput>(std::make_shared<spdlog::sinks::stderr_sink_mt>(),
                                          nullptr, settings);
  auto file = std::make_shared<FileSink>(settings.file);
  CB_TRY(file->reopen());
  return std::make_unique<SpdlogOutput>(file, file, settings);
}

}  // namespace cb::log
