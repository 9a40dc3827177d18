// SPDX-License-Identifier: Apache-2.0
#include "core/client/backup_journal.h"

#include "core/base/trial.h"

namespace cb::client {

void note_cache_trouble(BackupReport& report, const os::Path& path, const Error& error) {
  report.note(path.string(), "the cache cannot be written: " + error.cause +
                                 "; the backup goes on, the next one may read files again (make "
                                 "room, or choose another folder with --cache-dir)");
}

void BackupJournal::begin(const CacheHeader& header) {
  auto made = CacheWriter::create(files_, places_.journal, header);
  if (made)
    writer_ = std::move(*made);
  else
    give_up(failed(std::move(made).error()));
}

void BackupJournal::add(const CachedEntry& entry) {
  if (writer_) give_up(writer_->add(entry));
}

void BackupJournal::flush() {
  if (writer_) give_up(writer_->flush());
}

Result<std::unique_ptr<CacheReader>> BackupJournal::read(const CacheHeader& header) {
  flush();
  return CacheReader::open(files_, places_.journal, header);
}

void BackupJournal::finish(const CacheSummary& summary) {
  if (writer_) give_up(become_cache(summary));
  writer_.reset();
}

Status BackupJournal::become_cache(const CacheSummary& summary) {
  CB_TRY(writer_->finish(summary));
  CB_TRY(files_.rename(places_.journal, places_.cache));
  trial::passed("backup.cached");
  const Status removed = files_.remove(places_.kept);
  return removed || removed.error().code == Code::not_found ? Status{} : removed;
}

// What was written so far goes: it would only fill the disk.
void BackupJournal::give_up(const Status& done) {
  if (done) return;
  note_cache_trouble(report_, places_.journal, done.error());
  writer_.reset();
  (void)files_.remove(places_.journal);
}

}  // namespace cb::client
