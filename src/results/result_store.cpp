#include "results/result_store.hpp"

#include <utility>

namespace gaur::results {

namespace {
constexpr Duration kRetryInterval{1'000};
}  // namespace

ResultFileInfo info_of(const ResultFile& file, std::string url) {
  return {.url = std::move(url),
          .format = file.format,
          .bytes = file.bytes,
          .rows = file.rows,
          .expires_at = std::chrono::floor<std::chrono::seconds>(file.expires_at),
          .is_link = false};
}

ResultFileInfo link_info_of(const ResultFile& file, std::string url) {
  ResultFileInfo info = info_of(file, std::move(url));
  info.rows = 0;
  info.is_link = true;
  return info;
}

ResultStore::ResultStore(Clock& clock, ResultFolder::Options options, Logger log)
    : clock_(clock), log_(std::move(log)), folder_(clock, std::move(options)) {}

ResultStore::~ResultStore() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  if (moving_) *moving_ = true;
}

void ResultStore::save(SaveRequest request, OnSaved done) {
  loop_.post([this, request = std::move(request), done = std::move(done)]() mutable {
    try_to_save(std::move(request), std::move(done));
  });
}

/// On a full disk the run waits for space: its job has completed and must not fail or run again.
void ResultStore::try_to_save(SaveRequest request, OnSaved done) {
  auto saved = move(request);
  if (saved || saved.error().code != Errc::kBusy) return done(std::move(saved));
  if (!std::exchange(disk_full_, true))
    log_.warn(
        "a result file was not saved, repeated until the disk has space",
        {{"queue", request.job.queue.value}, {"job", request.job.id.value}, {"why", saved.error().message}});
  loop_.post_at(clock_.now() + kRetryInterval,
                [this, request = std::move(request), done = std::move(done)]() mutable {
                  disk_full_ = false;
                  try_to_save(std::move(request), std::move(done));
                });
}

Result<ResultFile> ResultStore::move(const SaveRequest& request) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || *request.cancelled)
      return Error{Errc::kStopping, "the move of the result file was cancelled"};
    moving_ = request.cancelled;
  }
  auto saved = folder_.save(request.job, request.out, request.file, *request.cancelled, request.max_bytes);
  const std::lock_guard lock(mutex_);
  moving_.reset();
  return saved;
}

void ResultStore::remove(JobRef job) {
  loop_.post([this, job = std::move(job)] {
    if (const Status removed = folder_.remove(job); !removed) {
      log_.warn("result file not removed",
                {{"queue", job.queue.value}, {"job", job.id.value}, {"why", removed.error().message}});
    }
  });
}

void ResultStore::remove_expired_each(Duration interval) {
  loop_.post([this, interval] { remove_expired(interval); });
}

void ResultStore::remove_expired(Duration interval) {
  const ResultFolder::Cleanup cleanup = folder_.remove_expired();
  if (cleanup.removed_files > 0) {
    log_.info(
        "expired result files removed",
        {{"files", cleanup.removed_files}, {"bytes", cleanup.removed_bytes}, {"kept_bytes", cleanup.bytes}});
  }
  loop_.post_at(clock_.now() + interval, [this, interval] { remove_expired(interval); });
}

}  // namespace gaur::results
