#include "engine_store.hpp"

#include <lmdb.h>

#include <algorithm>

#include "base/try.hpp"

namespace gaur::simulation {

using embedded::Engine;
using embedded::Snapshot;
using embedded::Txn;

namespace {
constexpr std::uint64_t kMapBytes = std::uint64_t{1} << 26;
constexpr std::uint64_t kNoLimit = UINT64_MAX;

/// A wait ends in the same transaction; what an earlier one failed to commit is a bug of the simulation.
void must(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}
}  // namespace

Status EngineStore::open(const std::filesystem::path& folder) {
  const bool is_new = !std::filesystem::exists(folder / "data.mdb");
  GAUR_TRY(env_, embedded::LmdbEnv::open({folder, kMapBytes, false, is_new}));
  // A simulated crash loses no page of the kernel, so syncs would only cost time.
  mdb_env_set_flags(env_->get(), MDB_NOSYNC, 1);
  auto engine = Engine::open(*env_, Semantics::bullmq(), {clock_.wall(), clock_.now()});
  if (!engine) {
    env_.reset();
    return engine.error();
  }
  engine_ = *std::move(engine);
  engine_->on_ready([this] { serve_long_polls(); });
  return ok();
}

void EngineStore::close() {
  const Error stopping{Errc::kStopping, "the store was closed"};
  for (LongPoll& poll : long_polls_) {
    for (auto& caller : poll.callers) deliver<TakeReply>(caller, stopping);
  }
  for (WorkWait& wait : work_waits_) deliver<WorkReply>(wait.promise, stopping);
  long_polls_.clear();
  work_waits_.clear();
  engine_.reset();
  env_.reset();
}

void EngineStore::begin() {
  must(engine_->begin({clock_.wall(), clock_.now()}).has_value(), "a transaction cannot begin");
}

void EngineStore::commit() {
  answer_work_waits();
  must(engine_->commit().has_value(), "a transaction cannot be committed");
}

template <class T, class Verb>
Async<T> EngineStore::write(Verb verb) {
  begin();
  Result<T> reply = verb(*engine_);
  serve_long_polls();
  commit();
  return answer<T>(std::move(reply));
}

template <class T, class Look>
Async<T> EngineStore::read(Look look) {
  auto txn = Txn::begin(*env_, Txn::Mode::kRead);
  must(txn.has_value(), "a transaction cannot begin");
  Snapshot snapshot(**txn);
  return answer<T>(look(snapshot));
}

// ---- waits -----------------------------------------------------------------------------------

void EngineStore::tick() {
  const Instant now = clock_.now();
  const auto expired = [now](const auto& wait) { return wait.until <= now; };
  if (std::none_of(long_polls_.begin(), long_polls_.end(), expired) &&
      std::none_of(work_waits_.begin(), work_waits_.end(), expired))
    return;
  begin();
  for (auto poll = long_polls_.begin(); poll != long_polls_.end();) {
    const auto here = poll++;
    if (here->until > now) continue;
    engine_->refresh(here->request, here->reply);
    for (auto& caller : here->callers) deliver<TakeReply>(caller, here->reply);
    long_polls_.erase(here);
  }
  work_waits_.remove_if([&](const WorkWait& wait) {
    if (wait.until > now) return false;
    deliver<WorkReply>(wait.promise, WorkReply{});
    return true;
  });
  commit();
}

void EngineStore::end_long_polls_of(const SessionName& session) {
  for (auto poll = long_polls_.begin(); poll != long_polls_.end();) {
    const auto here = poll++;
    if (here->request.op.session != session) continue;
    engine_->refresh(here->request, here->reply);
    for (auto& caller : here->callers) deliver<TakeReply>(caller, here->reply);
    long_polls_.erase(here);
  }
}

void EngineStore::serve_long_polls() {
  for (auto poll = long_polls_.begin(); poll != long_polls_.end();) {
    const auto here = poll++;
    const auto handed_off = engine_->hand_off(here->request, here->reply);
    if (!handed_off || !*handed_off) continue;
    for (auto& caller : here->callers) deliver<TakeReply>(caller, here->reply);
    long_polls_.erase(here);
    poll = long_polls_.begin();
  }
}

void EngineStore::answer_work_waits() {
  work_waits_.remove_if([&](const WorkWait& wait) {
    auto reply = engine_->work_for(wait.request);
    if (!reply) return false;
    deliver<WorkReply>(wait.promise, *std::move(reply));
    return true;
  });
}

Async<TakeReply> EngineStore::finish_and_take(TakeRequest request) {
  for (LongPoll& poll : long_polls_) {
    if (request.op.sequence > 0 && poll.request.op == request.op) return poll.callers.emplace_back().future();
  }
  begin();
  end_long_polls_of(request.op.session);
  auto result = engine_->finish_and_take(request);
  serve_long_polls();
  Async<TakeReply> future;
  if (result && result->waits) {
    const Instant until = clock_.now() + request.long_poll;
    long_polls_.push_back({std::move(request), std::move(result->reply), until, {}});
    future = long_polls_.back().callers.emplace_back().future();
    serve_long_polls();
  } else {
    future = answer<TakeReply>(result ? Result<TakeReply>(std::move(result->reply)) : result.error());
  }
  commit();
  return future;
}

Async<WorkReply> EngineStore::wait_for_work(WorkRequest request) {
  const Instant until = clock_.now() + request.at_most;
  work_waits_.push_back({std::move(request), until, {}});
  auto future = work_waits_.back().promise.future();
  begin();
  commit();
  return future;
}

// ---- other calls -----------------------------------------------------------------------------

Capabilities EngineStore::capabilities() const {
  return {Capability::kHandOff,     Capability::kChangeDelay, Capability::kChangePriority,
          Capability::kUsage,       Capability::kFailureCode, Capability::kEventLog,
          Capability::kProcessedBy, Capability::kEveryOption};
}

Async<std::vector<Added>> EngineStore::add(AddRequest request) {
  return write<std::vector<Added>>([&](Engine& engine) { return engine.add(request); });
}
Async<ExtendReply> EngineStore::extend_locks(ExtendRequest request) {
  return write<ExtendReply>([&](Engine& engine) { return engine.extend_locks(request); });
}
Async<Recovered> EngineStore::recover(RecoverRequest request) {
  return write<Recovered>([&](Engine& engine) { return engine.recover(request); });
}
Async<QueueHint> EngineStore::wake_delayed(QueueName queue) {
  return write<QueueHint>([&](Engine& engine) { return engine.wake_delayed(queue); });
}
Async<CancelReply> EngineStore::cancel(JobRef job, std::string who, std::string why) {
  return write<CancelReply>([&](Engine& engine) { return engine.cancel(job, who, why); });
}
Async<Unit> EngineStore::retry(JobRef job, bool reset_attempts) {
  return write<Unit>([&](Engine& engine) { return engine.retry(job, reset_attempts); });
}
Async<Unit> EngineStore::promote(JobRef job) {
  return write<Unit>([&](Engine& engine) { return engine.promote(job); });
}
Async<Unit> EngineStore::remove(JobRef job) {
  return write<Unit>([&](Engine& engine) { return engine.remove(job); });
}
Async<Unit> EngineStore::update_data(JobRef job, std::string data) {
  return write<Unit>([&](Engine& engine) { return engine.update_data(job, data); });
}
Async<Unit> EngineStore::update_progress(JobRef job, std::optional<LockToken> token, std::string progress) {
  return write<Unit>([&](Engine& engine) { return engine.update_progress(job, token, progress); });
}
Async<std::uint64_t> EngineStore::append_logs(JobRef job, std::vector<std::string> lines) {
  return write<std::uint64_t>([&](Engine& engine) { return engine.append_logs(job, lines); });
}
Async<Unit> EngineStore::change_delay(JobRef job, Duration delay) {
  return write<Unit>([&](Engine& engine) { return engine.change_delay(job, delay); });
}
Async<Unit> EngineStore::change_priority(JobRef job, std::uint32_t priority, bool lifo) {
  return write<Unit>([&](Engine& engine) { return engine.change_priority(job, priority, lifo); });
}

Async<Job> EngineStore::get(JobRef job) {
  return read<Job>([&](Snapshot& snapshot) { return snapshot.get(job); });
}
Async<State> EngineStore::state(JobRef job) {
  return read<State>([&](Snapshot& snapshot) { return snapshot.state(job); });
}
Async<Position> EngineStore::position(JobRef job) {
  return read<Position>([&](Snapshot& snapshot) { return snapshot.position(job); });
}
Async<std::vector<QueueName>> EngineStore::queues() {
  return read<std::vector<QueueName>>([&](Snapshot& snapshot) { return snapshot.queues(); });
}
Async<Counts> EngineStore::counts(QueueName queue) {
  return read<Counts>([&](Snapshot& snapshot) { return snapshot.counts(queue); });
}
Async<std::vector<Job>> EngineStore::range(RangeRequest request) {
  return read<std::vector<Job>>([&](Snapshot& snapshot) { return snapshot.range(request); });
}
Async<LogPage> EngineStore::logs(JobRef job, std::uint64_t offset, std::uint32_t limit) {
  return read<LogPage>([&](Snapshot& snapshot) { return snapshot.logs(job, offset, limit); });
}
Async<std::vector<WaitingFunction>> EngineStore::waiting_functions(QueueName queue, std::string field,
                                                                   std::uint32_t limit) {
  return read<std::vector<WaitingFunction>>(
      [&](Snapshot& snapshot) { return snapshot.waiting_functions(queue, field, limit); });
}

Async<Unit> EngineStore::pause(QueueName queue) {
  return write<Unit>([&](Engine& engine) { return engine.pause(queue); });
}
Async<Unit> EngineStore::resume(QueueName queue) {
  return write<Unit>([&](Engine& engine) { return engine.resume(queue); });
}
Async<std::uint64_t> EngineStore::drain(QueueName queue, bool delayed_too) {
  return write<std::uint64_t>([&](Engine& engine) { return engine.drain(queue, delayed_too, kNoLimit); });
}
Async<std::uint64_t> EngineStore::clean(QueueName queue, State state, Duration grace, std::uint64_t limit) {
  return write<std::uint64_t>([&](Engine& engine) {
    auto removed = engine.clean(queue, state, grace, limit == 0 ? kNoLimit : limit);
    if (removed) (void)engine.cleaned(queue, *removed);
    return removed;
  });
}
Async<Unit> EngineStore::obliterate(QueueName queue, bool force) {
  return write<Unit>([&](Engine& engine) -> Status {
    const auto removed = engine.obliterate(queue, force, kNoLimit);
    return removed ? ok() : Status(removed.error());
  });
}
Async<Unit> EngineStore::set_global_concurrency(QueueName /*queue*/, std::optional<std::uint32_t> /*most*/) {
  return answer<Unit>(Error{Errc::kUnsupported, "not in the embedded store"});
}
Async<Unit> EngineStore::set_rate_limit(QueueName /*queue*/, std::optional<RateLimit> /*limit*/) {
  return answer<Unit>(Error{Errc::kUnsupported, "not in the embedded store"});
}
Async<Unit> EngineStore::remove_deduplication(QueueName /*queue*/, std::string /*id*/) {
  return answer<Unit>(Error{Errc::kUnsupported, "not in the embedded store"});
}
Async<EventPage> EngineStore::events(QueueName queue, std::string cursor, std::uint32_t limit,
                                     Duration /*at_most*/) {
  return read<EventPage>([&](Snapshot& snapshot) { return snapshot.events(queue, cursor, limit); });
}

}  // namespace gaur::simulation
