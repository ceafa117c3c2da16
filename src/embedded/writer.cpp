#include "embedded/writer.hpp"

#include <algorithm>

#include "base/system_env.hpp"

namespace gaur::embedded {

namespace {
/// Adds gathered into one transaction: above this the rest waits for the next.
constexpr std::uint64_t kBatchBytes = 64ULL << 20;
/// A clock may run otherwise than the machine's (a test's), so whoever waits for it looks this often.
constexpr Duration kLookAtClock{100};
}  // namespace

Writer::Writer(LmdbEnv& env, std::unique_ptr<Engine> engine, const EmbeddedOptions& options,
               const Clock& clock, Executor& completions)
    : env_(env),
      engine_(std::move(engine)),
      space_(env, options.reserve_bytes),
      durability_(options.durability),
      clock_(clock),
      completions_(completions),
      log_(options.log),
      on_fatal_(options.on_fatal),
      most_pending_bytes_(options.pending_add_bytes) {
  engine_->on_ready([this] { serve_parked(); });
  // The reserve is taken at open, when there is room; without any, adds are refused and finishes go on.
  if (Status room = space_.room_for(0); !room)
    log_.warn("the disk is full", {{"problem", room.error().message}});
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

void Writer::send(Kind kind, std::unique_ptr<Operation> operation) {
  // Only adds are bounded here: finishes and renewals are as many as runs, and must get through.
  const std::uint64_t bytes = operation->adds_bytes();
  if (bytes > 0 && pending_bytes_.fetch_add(bytes) >= most_pending_bytes_) {
    pending_bytes_ -= bytes;
    operation->refuse(
        Error{Errc::kQueueFull, "too many added jobs wait to be written to the disk; try again in a moment"});
    completions_.post([refused = std::shared_ptr<Operation>(std::move(operation))] { refused->deliver(); });
    return;
  }
  {
    std::lock_guard lock(mutex_);
    sent_.push_back({kind, std::move(operation)});
    if (sent_.size() > 1) return;  // the writer has been woken for the first
  }
  wake_.notify_one();
}

void Writer::submit(std::unique_ptr<Operation> operation) {
  send(Kind::kPlain, std::move(operation));
}
// Waits count from the call, not from when the writer comes to it.
void Writer::submit(std::unique_ptr<TakeCall> turn) {
  turn->until = clock_.now() + turn->turn.long_poll;
  send(Kind::kTurn, std::move(turn));
}
void Writer::submit(std::unique_ptr<WorkCall> work) {
  work->until = clock_.now() + work->request.at_most;
  send(Kind::kWork, std::move(work));
}
void Writer::submit(std::unique_ptr<FollowCall> follow) {
  send(Kind::kFollow, std::move(follow));
}

EmbeddedStats Writer::stats() const {
  std::lock_guard lock(stats_mutex_);
  return stats_;
}

std::optional<Instant> Writer::next_deadline() const {
  std::optional<Instant> next;
  const auto earlier = [&](Instant until) { next = next ? std::min(*next, until) : until; };
  for (const auto& call : parked_) earlier(call->until);
  for (const auto& call : waiting_) earlier(call->until);
  for (const auto& call : following_) earlier(call->until);
  return next;
}

void Writer::run() {
  name_this_thread("store-write");
  std::vector<Sent> batch;
  while (true) {
    bool stop = false;
    {
      std::unique_lock lock(mutex_);
      while (sent_.empty() && carried_.empty() && again_.empty() && !stopping_) {
        const auto deadline = next_deadline();
        if (!deadline) {
          wake_.wait(lock);
          continue;
        }
        const auto left = std::chrono::ceil<Duration>(*deadline - clock_.now());
        if (left <= Duration{0}) break;
        wake_.wait_for(lock, std::min(left, kLookAtClock));
      }
      stop = stopping_ && sent_.empty() && carried_.empty() && again_.empty();
      std::move(sent_.begin(), sent_.end(), std::back_inserter(carried_));
      sent_.clear();
    }
    if (stop) return stop_waits();
    gather(batch);
    process(batch);
  }
}

/// The removals that go on come first, then what was sent, up to a bound of bytes.
void Writer::gather(std::vector<Sent>& batch) {
  batch.clear();
  for (auto& operation : again_) batch.push_back({Kind::kPlain, std::move(operation)});
  again_.clear();
  std::uint64_t bytes = 0;
  std::size_t taken = 0;
  for (; taken < carried_.size() && bytes < kBatchBytes; ++taken) {
    const std::uint64_t adds = carried_[taken].operation->adds_bytes();
    bytes += adds;
    pending_bytes_ -= adds;
    batch.push_back(std::move(carried_[taken]));
  }
  carried_.erase(carried_.begin(), carried_.begin() + static_cast<std::ptrdiff_t>(taken));
}

void Writer::process(std::vector<Sent>& batch) {
  now_ = {clock_.wall(), clock_.now()};
  if (failed_) {
    for (Sent& sent : batch) {
      sent.operation->refuse(*failed_);
      done_.push_back(std::move(sent.operation));
    }
    return answer();
  }
  if (Status begun = engine_->begin(now_); !begun) {
    for (Sent& sent : batch) done_.push_back(std::move(sent.operation));
    return fail(begun.error());
  }
  space_.new_transaction();
  end_waits();
  for (Sent& sent : batch) {
    carry_out(sent);
    serve_parked();
  }
  serve_waits();
  commit();
}

void Writer::carry_out(Sent& sent) {
  if (const std::uint64_t bytes = sent.operation->adds_bytes(); bytes > 0) {
    if (Status room = space_.room_for(bytes); !room) {
      sent.operation->refuse(room.error());
      done_.push_back(std::move(sent.operation));
      return;
    }
  }
  switch (sent.kind) {
    case Kind::kTurn:
      return run_turn(std::unique_ptr<TakeCall>(static_cast<TakeCall*>(sent.operation.release())));
    case Kind::kWork: {
      std::unique_ptr<WorkCall> call(static_cast<WorkCall*>(sent.operation.release()));
      waiting_.push_back(std::move(call));  // answered by serve_waits() if there is something already
      return;
    }
    case Kind::kFollow: {
      std::unique_ptr<FollowCall> call(static_cast<FollowCall*>(sent.operation.release()));
      if (!call->after) call->after = last_event(call->queue);
      following_.push_back(std::move(call));
      return;
    }
    case Kind::kPlain: break;
  }
  sent.operation->run(*engine_);
  (sent.operation->again() ? again_ : done_).push_back(std::move(sent.operation));
}

// ---- parked turns ----------------------------------------------------------------------------

void Writer::run_turn(std::unique_ptr<TakeCall> call) {
  const OperationId& op = call->turn.op;
  for (auto& parked : parked_) {
    if (op.sequence == 0 || !(parked->turn.op == op)) continue;
    parked->waiters.push_back(std::move(call->waiters.front()));
    return;
  }
  end_parked_of(op.session);
  call->run(*engine_);
  if (!call->parks) {
    done_.push_back(std::move(call));
    return;
  }
  parked_.push_back(std::move(call));
}

void Writer::end_parked_of(const SessionName& session) {
  for (auto it = parked_.begin(); it != parked_.end();) {
    const auto here = it++;
    if (!((*here)->turn.op.session == session)) continue;
    engine_->refresh((*here)->turn, *(*here)->reply);
    done_.push_back(std::move(*here));
    parked_.erase(here);
  }
}

/// Longest parked first; each that can take something now takes it. What one took may let one that was parked
/// longer look further, so it begins anew then.
void Writer::serve_parked() {
  for (auto it = parked_.begin(); it != parked_.end();) {
    const auto here = it++;
    if (!serve(**here)) continue;
    done_.push_back(std::move(*here));
    parked_.erase(here);
    it = parked_.begin();
  }
}

bool Writer::serve(TakeCall& call) {
  const QueueEntry* queue = engine_->find_queue(call.turn.queue);
  if (queue == nullptr || queue->ready() == 0 || queue->record.paused || queue->ready_change == call.seen)
    return false;
  call.seen = queue->ready_change;
  const Result<bool> served = engine_->hand_off(call.turn, *call.reply);
  return served && *served;
}

// ---- whoever waits ---------------------------------------------------------------------------

void Writer::end_waits() {
  const auto over = [&](Instant until) { return until <= now_.steady; };
  for (auto it = parked_.begin(); it != parked_.end();) {
    const auto here = it++;
    if (!over((*here)->until)) continue;
    engine_->refresh((*here)->turn, *(*here)->reply);
    done_.push_back(std::move(*here));
    parked_.erase(here);
  }
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    const auto here = it++;
    if (!over((*here)->until)) continue;
    (*here)->run(*engine_);
    done_.push_back(std::move(*here));
    waiting_.erase(here);
  }
  for (auto it = following_.begin(); it != following_.end();) {
    const auto here = it++;
    if (!over((*here)->until)) continue;
    done_.push_back(std::move(*here));
    following_.erase(here);
  }
}

void Writer::serve_waits() {
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    const auto here = it++;
    (*here)->run(*engine_);
    if (!(*here)->reply) continue;
    done_.push_back(std::move(*here));
    waiting_.erase(here);
  }
  for (auto it = following_.begin(); it != following_.end();) {
    const auto here = it++;
    if (last_event((*here)->queue) == (*here)->after) continue;
    done_.push_back(std::move(*here));
    following_.erase(here);
  }
}

std::uint64_t Writer::last_event(const QueueName& name) {
  const QueueEntry* queue = engine_->find_queue(name);
  return queue == nullptr ? 0 : queue->record.next_event - 1 + queue->pending_events;
}

// ---- commit ----------------------------------------------------------------------------------

void Writer::commit() {
  const Result<bool> written = engine_->commit();
  if (!written) return fail(written.error());
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

/// Nothing of the transaction is acknowledged. After a failed sync nothing ever is again: what the kernel
/// still holds of it cannot be known, and a second sync would say that all is well.
void Writer::fail(const Error& error) {
  if (engine_->in_transaction()) engine_->abort();
  const bool fatal = error.code != Errc::kStoreFull;
  if (fatal) {
    failed_ =
        Error{Errc::kIo, "the store stopped after a failed write and must be restarted: " + error.message};
    log_.error("the store stopped", {{"problem", error.message}});
  }
  // Whoever was parked in or before this transaction asks again.
  for (auto& call : parked_) done_.push_back(std::move(call));
  parked_.clear();
  for (auto& operation : again_) done_.push_back(std::move(operation));
  again_.clear();
  const Error told{fatal ? Errc::kDisconnected : error.code, error.message};
  for (auto& operation : done_) operation->refuse(told);
  answer();
  if (fatal && on_fatal_) on_fatal_(*failed_);
}

void Writer::answer() {
  std::erase_if(done_, [](const auto& operation) { return operation->pass_on(); });
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

void Writer::stop_waits() {
  const Error stopping{Errc::kStopping, "the store was closed"};
  for (auto& call : parked_) done_.push_back(std::move(call));
  for (auto& call : waiting_) done_.push_back(std::move(call));
  for (auto& call : following_) done_.push_back(std::move(call));
  parked_.clear();
  waiting_.clear();
  following_.clear();
  for (auto& operation : done_) operation->refuse(stopping);
  answer();
}

}  // namespace gaur::embedded
