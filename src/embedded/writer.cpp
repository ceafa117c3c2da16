#include "embedded/writer.hpp"

#include <algorithm>

#include "base/system_env.hpp"

namespace gaur::embedded {

namespace {
/// Added bytes in one transaction. Calls above it wait for the next transaction.
constexpr std::uint64_t kBatchBytes = 64ULL << 20;
/// The clock may differ from the machine's, as in tests, so the writer checks its deadlines at this interval.
constexpr Duration kClockInterval{100};
/// While the disk is full.
constexpr Duration kSpaceCheckInterval{500}, kBlockedLogInterval{60'000};
}  // namespace

Writer::Writer(LmdbEnv& env, std::unique_ptr<Engine> engine, const EmbeddedOptions& options,
               const Clock& clock, Executor& completions)
    : env_(env),
      engine_(std::move(engine)),
      space_(env, options.reserve_bytes, options.map_bytes),
      durability_(options.durability),
      pause_(options.pause),
      clock_(clock),
      completions_(completions),
      log_(options.log),
      on_fatal_(options.on_fatal),
      max_pending_bytes_(options.pending_add_bytes),
      seen_at_(clock.now()) {
  engine_->on_ready([this] { serve_long_polls(); });
  engine_->use_space(space_);
  // Allocates the reserve while the disk has space. On failure the store runs on.
  space_.new_transaction(engine_->reserved_bytes());
  observe_space();
  thread_ = std::thread([this] { run(); });
}

Writer::~Writer() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

// ---- submitting, on any thread ---------------------------------------------------------------

void Writer::enqueue(Kind kind, std::unique_ptr<Operation> operation) {
  // Only adds are limited here. The number of running jobs limits finishes and renewals, which must succeed.
  const std::uint64_t bytes = operation->added_bytes();
  if (bytes > 0 && pending_bytes_.fetch_add(bytes) >= max_pending_bytes_) {
    pending_bytes_ -= bytes;
    operation->reject(
        Error{Errc::kQueueFull, "too many added jobs wait to be written to the disk; try again in a moment"});
    completions_.post([rejected = std::shared_ptr<Operation>(std::move(operation))] { rejected->deliver(); });
    return;
  }
  {
    std::lock_guard lock(mutex_);
    submitted_.push_back({kind, std::move(operation)});
    if (submitted_.size() > 1) return;  // the first one has woken the writer
  }
  wake_.notify_one();
}

void Writer::submit(std::unique_ptr<Operation> operation) {
  enqueue(Kind::kPlain, std::move(operation));
}
// Waits count from the call, not from the moment when the writer receives it.
void Writer::submit(std::unique_ptr<TakeCall> call) {
  call->until = clock_.now() + call->request.long_poll;
  enqueue(Kind::kTake, std::move(call));
}
void Writer::submit(std::unique_ptr<WorkWait> wait) {
  wait->until = clock_.now() + wait->request.at_most;
  enqueue(Kind::kWorkWait, std::move(wait));
}
void Writer::submit(std::unique_ptr<EventWait> wait) {
  enqueue(Kind::kEventWait, std::move(wait));
}

EmbeddedStats Writer::stats() const {
  std::lock_guard lock(stats_mutex_);
  return stats_;
}

// ---- executing, on the writer thread ---------------------------------------------------------

void Writer::run() {
  name_this_thread("store-write");
  std::vector<Submitted> batch;
  while (true) {
    bool stop = false;
    {
      std::unique_lock lock(mutex_);
      while (submitted_.empty() && backlog_.empty() && unfinished_.empty() && !stopping_) {
        const auto deadline = next_deadline();
        if (!deadline && !engine_->has_locks()) {
          wake_.wait(lock);
          seen_at_ = clock_.now();
          continue;
        }
        const auto left = deadline ? std::chrono::ceil<Duration>(*deadline - clock_.now()) : kClockInterval;
        if (left <= Duration{0}) break;
        wake_.wait_for(lock, std::min(left, kClockInterval));
        skip_pause(clock_.now());
      }
      stop = stopping_ && submitted_.empty() && backlog_.empty() && unfinished_.empty();
      std::move(submitted_.begin(), submitted_.end(), std::back_inserter(backlog_));
      submitted_.clear();
    }
    if (stop) return reject_waits();
    fill_batch(batch);
    process(batch);
  }
}

/// Unfinished removals first, then the submitted calls up to kBatchBytes.
void Writer::fill_batch(std::vector<Submitted>& batch) {
  batch.clear();
  for (auto& operation : unfinished_) batch.push_back({Kind::kPlain, std::move(operation)});
  unfinished_.clear();
  std::uint64_t bytes = 0;
  std::size_t taken = 0;
  for (; taken < backlog_.size() && bytes < kBatchBytes; ++taken) {
    const std::uint64_t added = backlog_[taken].operation->added_bytes();
    bytes += added;
    pending_bytes_ -= added;
    batch.push_back(std::move(backlog_[taken]));
  }
  backlog_.erase(backlog_.begin(), backlog_.begin() + static_cast<std::ptrdiff_t>(taken));
}

/// The time of a pause does not count for the locks: no renewal could be executed in it, and no other process
/// uses the store.
void Writer::skip_pause(Instant now) {
  const auto gap = std::chrono::floor<Duration>(now - std::exchange(seen_at_, now));
  if (pause_ == Duration{0} || gap < pause_ || !engine_->has_locks()) return;
  engine_->extend_all_locks(gap);
  log_.warn("the store did not run, locks were extended", {{"paused_ms", gap.count()}});
}

void Writer::process(std::vector<Submitted>& batch) {
  now_ = {clock_.wall(), clock_.now()};
  skip_pause(now_.steady);
  if (failed_) {
    for (Submitted& submitted : batch) {
      submitted.operation->reject(*failed_);
      done_.push_back(std::move(submitted.operation));
    }
    return answer();
  }
  if (Status begun = engine_->begin(now_); !begun) {
    for (Submitted& submitted : batch) done_.push_back(std::move(submitted.operation));
    return fail(begun.error());
  }
  space_.new_transaction(engine_->reserved_bytes());
  end_expired_waits();
  for (Submitted& submitted : batch) {
    execute(submitted);
    serve_long_polls();
  }
  answer_waits();
  commit();
}

void Writer::execute(Submitted& submitted) {
  auto& operation = submitted.operation;
  if (const std::uint64_t bytes = operation->added_bytes(); bytes > 0) {
    if (Status booked = space_.book(bytes); !booked) {
      operation->reject(booked.error());
      done_.push_back(std::move(operation));
      return;
    }
  }
  switch (submitted.kind) {
    case Kind::kTake:
      return execute_take(std::unique_ptr<TakeCall>(static_cast<TakeCall*>(operation.release())));
    case Kind::kWorkWait:  // answer_waits() replies at once if there is work
      work_waits_.emplace_back(static_cast<WorkWait*>(operation.release()));
      return;
    case Kind::kEventWait: {
      auto& wait = event_waits_.emplace_back(static_cast<EventWait*>(operation.release()));
      if (!wait->after) wait->after = last_event(wait->queue);
      return;
    }
    case Kind::kPlain: break;
  }
  operation->run(*engine_);
  (operation->has_more() ? unfinished_ : done_).push_back(std::move(operation));
}

void Writer::execute_take(std::unique_ptr<TakeCall> call) {
  const OperationId& op = call->request.op;
  for (auto& open : long_polls_) {
    if (op.sequence == 0 || !(open->request.op == op)) continue;
    open->callers.push_back(std::move(call->callers.front()));
    return;
  }
  end_long_polls_of(op.session);
  call->run(*engine_);
  if (call->waits) {
    long_polls_.push_back(std::move(call));
  } else {
    done_.push_back(std::move(call));
  }
}

// ---- committing ------------------------------------------------------------------------------

void Writer::commit() {
  const Result<bool> written = engine_->commit();
  if (!written) {
    // A commit that fails before its root page is written changes nothing, so the calls can be repeated.
    return fail(space_.explain(written.error()));
  }
  observe_space();
  {
    std::lock_guard lock(stats_mutex_);
    stats_.requests += done_.size();
    const Engine::Totals& totals = engine_->totals();
    stats_.jobs_added = totals.added;
    stats_.jobs_taken = totals.taken;
    stats_.jobs_finished = totals.finished;
    if (*written) {
      ++stats_.commits;
      stats_.syncs += durability_ == Durability::kCommit ? 2 : 1;
      stats_.file_bytes = env_.used_bytes();
    }
  }
  answer();
}

/// Logs when the disk becomes full or has space again.
void Writer::observe_space() {
  space_check_ = clock_.now() + kSpaceCheckInterval;
  const bool full = space_.full();
  const bool blocked = space_.starts_blocked();
  {
    std::lock_guard lock(stats_mutex_);
    stats_.full = full;
    stats_.starts_blocked = blocked;
    stats_.reserved_bytes = engine_->reserved_bytes();
  }
  if (full != full_) {
    if (full) {
      log_.warn("the disk is full: adds are rejected, running jobs finish",
                {{"store_bytes", space_.used_bytes()}, {"reserved_bytes", engine_->reserved_bytes()}});
    } else {
      log_.info("the disk has space again: adds are accepted", {{"store_bytes", space_.used_bytes()}});
    }
  }
  const Instant now = clock_.now();
  if (blocked && !starts_blocked_ && (!blocked_logged_ || now - *blocked_logged_ >= kBlockedLogInterval)) {
    blocked_logged_ = now;  // each end of a run may allow one more start
    log_.warn("no jobs are taken: the full disk has no space for their results",
              {{"store_bytes", space_.used_bytes()}, {"reserved_bytes", engine_->reserved_bytes()}});
  }
  full_ = full;
  starts_blocked_ = blocked;
}

/// Rejects every call of the transaction. After a failed sync the store acknowledges nothing any more: the
/// kernel may have dropped the dirty pages, and a second sync would succeed without having written them.
void Writer::fail(const Error& error) {
  if (engine_->in_transaction()) engine_->abort();
  const bool fatal = error.code != Errc::kStoreFull;
  if (fatal) {
    failed_ =
        Error{Errc::kIo, "the store stopped after a failed write and must be restarted: " + error.message};
    log_.error("the store stopped", {{"problem", error.message}});
  }
  if (!fatal) log_.warn("a transaction was not stored: its calls are repeated", {{"problem", error.message}});
  // Long polls that were opened in or before this transaction are rejected, so that their callers retry.
  end_if(long_polls_, [](const TakeCall&) { return true; });
  for (auto& operation : unfinished_) done_.push_back(std::move(operation));
  unfinished_.clear();
  const Error reported{fatal ? Errc::kDisconnected : error.code, error.message};
  for (auto& operation : done_) operation->reject(reported);
  answer();
  if (fatal && on_fatal_) on_fatal_(*failed_);
}

void Writer::answer() {
  std::erase_if(done_, [](const auto& operation) { return operation->delegate(); });
  if (done_.empty()) return;
  // Shared only because std::function must be copyable.
  auto operations = std::make_shared<std::vector<std::unique_ptr<Operation>>>(std::move(done_));
  done_.clear();
  completions_.post([operations] {
    for (auto& operation : *operations) {
      operation->deliver();
      operation.reset();
    }
  });
}

}  // namespace gaur::embedded
