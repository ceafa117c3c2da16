#include "runner/result_keeper.hpp"

namespace gaur {

ResultKeeper::ResultKeeper(Clock& clock, ResultFolder::Options options, Logger log)
    : clock_(clock), log_(std::move(log)), folder_(clock, std::move(options)) {}

ResultKeeper::~ResultKeeper() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  if (moving_) *moving_ = true;
}

void ResultKeeper::adopt(Adoption adoption, Adopted done) {
  loop_.post([this, adoption = std::move(adoption), done = std::move(done)] { done(move(adoption)); });
}

Result<ResultFile> ResultKeeper::move(const Adoption& adoption) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || *adoption.abandoned)
      return Error{Errc::kStopping, "the move of the result file was abandoned"};
    moving_ = adoption.abandoned;
  }
  auto kept = folder_.adopt(adoption.job, adoption.out, adoption.file, *adoption.abandoned);
  const std::lock_guard lock(mutex_);
  moving_.reset();
  return kept;
}

void ResultKeeper::remove(JobRef job) {
  loop_.post([this, job = std::move(job)] {
    if (const Status removed = folder_.remove(job); !removed) {
      log_.warn("result file not removed",
                {{"queue", job.queue.value}, {"job", job.id.value}, {"why", removed.error().message}});
    }
  });
}

void ResultKeeper::sweep_each(Duration every) {
  loop_.post([this, every] { sweep(every); });
}

void ResultKeeper::sweep(Duration every) {
  const ResultFolder::Swept swept = folder_.sweep();
  if (swept.removed_files > 0) {
    log_.info("expired result files removed",
              {{"files", swept.removed_files}, {"bytes", swept.removed_bytes}, {"kept_bytes", swept.bytes}});
  }
  loop_.post_at(clock_.now() + every, [this, every] { sweep(every); });
}

}  // namespace gaur
