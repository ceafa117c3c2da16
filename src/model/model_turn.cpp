// finish_and_take, locks and the sweep.
#include <fmt/format.h>

#include <algorithm>

#include "model/model_step.hpp"

namespace gaur {

using model::Mutation;
using model::Place;

namespace {
template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;
}  // namespace

Async<TakeReply> ModelStore::finish_and_take(TakeRequest turn) {
  Step step(*this);
  for (Parked& parked : parked_) {
    if (turn.op.sequence > 0 && parked.turn.op == turn.op) return parked.waiters.emplace_back().future();
  }
  auto first = earlier_reply<TakeReply>(turn.op);
  if (!first) return answer<TakeReply>(first.error());
  if (*first) return answer<TakeReply>(**first);
  end_parked_of(turn.op.session);
  if (Status name = validate_queue_name(turn.queue.value); !name) return answer<TakeReply>(name.error());
  if (turn.limit) return answer<TakeReply>(Error{Errc::kUnsupported, "this store lacks rate limit"});

  QueueState& queue = world_.queues[turn.queue];
  TakeReply reply;
  for (const Finish& one : turn.finished) reply.finished.push_back(finish(queue, one));
  Walk walk = take(queue, turn);
  const bool ended_one = std::any_of(reply.finished.begin(), reply.finished.end(), [](const auto& moved) {
    return moved && (moved->state == State::kCompleted || moved->state == State::kFailed);
  });
  if (ended_one && queue.ready() == 0 && queue.active.empty()) record(queue, EventKind::kDrained, JobId());
  const bool parks = turn.take > 0 && turn.long_poll > Duration{0} && walk.taken.empty() && !walk.blocked;
  complete(reply, queue, turn, std::move(walk));
  remember(turn.op, reply);
  serve_parked();  // what this turn gave back and did not take
  if (!parks) return answer<TakeReply>(std::move(reply));
  const Instant until = clock_.now() + turn.long_poll;
  parked_.push_back({std::move(turn), std::move(reply), until, {}});
  end_at(parked_.back().until);
  return parked_.back().waiters.emplace_back().future();
}

void ModelStore::complete(TakeReply& reply, const QueueState& queue, const TakeRequest& turn,
                          Walk walk) const {
  reply.taken = std::move(walk.taken);
  reply.blocked = std::move(walk.blocked);
  reply.next = next_of(queue, walk.passed_over);
  reply.cancels = cancels_for(queue, turn.queue, turn.worker);
}

// ---- finishing -------------------------------------------------------------------------------

Status ModelStore::check_lock(Record& job, const LockToken& token) const {
  const auto missing = [&](std::string_view why) {
    return Error{Errc::kLockMissing, fmt::format("job {}: {}", job.job.id.value, why)};
  };
  if (job.job.state != State::kActive)
    return missing(fmt::format("it is {}, not active", to_string(job.job.state)));
  if (mutation_ == Mutation::kNoTokenCheck) return ok();
  if (semantics_.expired_locks_are_forgotten && clock_.now() >= job.lock_until)
    return missing("its lock expired");
  if (job.token != token) {
    return Error{Errc::kLockMismatch,
                 fmt::format("job {} is held by a newer run on {}", job.job.id.value, job.job.processed_by)};
  }
  if (clock_.now() >= job.lock_until) return missing("its lock expired");
  return ok();
}

Result<FinishResult> ModelStore::finish(QueueState& queue, const Finish& finish) {
  Record* job = queue.find(finish.id);
  if (job == nullptr) return Error{Errc::kNotFound, "no such job: " + finish.id.value};
  if (Status held = check_lock(*job, finish.token); !held) {
    if (mutation_ == Mutation::kLockReleasedBeforeMove) job->lock_until = Instant{};
    return held.error();
  }
  if (finish.usage) job->job.usage = finish.usage;
  return carry_out(queue, *job, finish);
}

Result<FinishResult> ModelStore::carry_out(QueueState& queue, Record& record_, const Finish& finish) {
  Job& job = record_.job;
  const auto remember_failure = [&](const Failure& failure) {
    job.failure = failure;
    if (failure.stack.empty()) return;
    job.stacktrace.push_back(failure.stack);
    if (job.stacktrace.size() > job.options.stack_trace_limit) job.stacktrace.erase(job.stacktrace.begin());
  };
  return std::visit(
      Overloaded{
          [&](const outcome::Completed& done) -> Result<FinishResult> {
            job.result = done.result;
            job.result_file = done.file;
            ++job.attempts_made;
            return end_run(queue, record_, State::kCompleted, finish.keep, result_json(job));
          },
          [&](const outcome::Failed& failed) -> Result<FinishResult> {
            remember_failure(failed.failure);
            ++job.attempts_made;
            const auto attempts = job.attempts_made;
            FinishResult moved = end_run(queue, record_, State::kFailed, finish.keep, failed.failure.message);
            if (failed.exhausted)
              record(queue, EventKind::kRetriesExhausted, finish.id, {}, std::to_string(attempts));
            return moved;
          },
          [&](const outcome::RetryAfter& again) -> Result<FinishResult> {
            if (again.counted) {
              ++job.attempts_made;
              remember_failure(again.failure);
            }
            return run_later(queue, record_, again.delay);
          },
          [&](const outcome::WaitForChildren&) -> Result<FinishResult> {
            return Error{Errc::kUnsupported, "this store lacks flows"};
          },
          [&](const outcome::Requeue&) -> Result<FinishResult> {
            queue.lift(record_);
            to_ready(queue, record_, State::kActive, Place::kInFront);
            return where_it_is(job);
          },
          [&](const outcome::Stalled& stalled) -> Result<FinishResult> {
            return stall(queue, record_, stalled.max_stalled, stalled.failure, finish.keep);
          },
      },
      finish.outcome);
}

FinishResult ModelStore::where_it_is(const Job& job) {
  return {job.state, true, job.attempts_made, job.stalled, job.due};
}

FinishResult ModelStore::run_later(QueueState& queue, Record& job, Duration delay) {
  queue.lift(job);
  if (delay > Duration{0}) {
    job.token = {};
    job.cancel.reset();
    queue.delay_until(job, clock_.wall() + delay, low_bits(job.job.id));
    if (semantics_.backoff_is_a_delay) job.job.delay = delay;
    record(queue, EventKind::kDelayed, job.job.id, State::kActive, std::to_string(to_ms(*job.job.due)));
  } else {
    const bool front = semantics_.retry_place == Semantics::RetryPlace::kFront ||
                       (job.job.options.lifo && job.job.priority == 0);
    to_ready(queue, job, State::kActive, front ? Place::kInFront : Place::kBehind);
  }
  return where_it_is(job.job);
}

FinishResult ModelStore::stall(QueueState& queue, Record& job, std::uint32_t max_stalled,
                               const Failure& failure, const Retention& keep) {
  ++job.job.stalled;
  record(queue, EventKind::kStalled, job.job.id);
  const bool too_often = job.job.stalled > max_stalled;
  if (too_often && semantics_.stall_limit == Semantics::StallLimit::kFailsInRecovery) {
    job.job.failure = failure;
    return end_run(queue, job, State::kFailed, keep, failure.message);
  }
  job.condemned = too_often;
  queue.lift(job);
  to_ready(queue, job, State::kActive, Place::kInFront);
  return where_it_is(job.job);
}

/// Completed or failed, kept or removed at once.
FinishResult ModelStore::end_run(QueueState& queue, Record& job, State state, const Retention& keep,
                                 std::string detail) {
  const JobId id = job.job.id;
  queue.lift(job);
  job.token = {};
  job.cancel.reset();
  job.job.finished_on = clock_.wall();
  queue.put(job, state, semantics_.ties_by_id);
  record(queue, state == State::kCompleted ? EventKind::kCompleted : EventKind::kFailed, id, State::kActive,
         std::move(detail));
  FinishResult moved = where_it_is(job.job);
  if (semantics_.retention_of_none_spares_others && keep.count == 0U) {
    queue.erase(id);
  } else {
    retain(queue, state, keep);
  }
  moved.kept = queue.find(id) != nullptr;
  return moved;
}

void ModelStore::retain(QueueState& queue, State state, const Retention& keep) {
  const auto& finished = queue.finished(state);
  const auto drop_oldest = [&] {
    queue.erase(JobId(finished.front()));
    if (mutation_ == Mutation::kCountDrift && state == State::kCompleted) ++queue.drift;
  };
  const bool inclusive = semantics_.retention_of_none_spares_others;
  const auto too_old = [&](const Record& job) {
    return keep.age && *job.job.finished_on < clock_.wall() - *keep.age + Duration(inclusive ? 1 : 0);
  };
  while (!finished.empty() && too_old(*queue.find(finished.front()))) drop_oldest();
  while (keep.count && finished.size() > *keep.count) drop_oldest();
}

// ---- taking ----------------------------------------------------------------------------------

ModelStore::Walk ModelStore::take(QueueState& queue, const TakeRequest& turn) {
  Walk walk;
  if (queue.paused) return walk;
  std::uint64_t at_most = turn.take;
  if (queue.concurrency) {
    const std::uint64_t running = queue.active.size();
    at_most =
        std::min<std::uint64_t>(at_most, running < *queue.concurrency ? *queue.concurrency - running : 0);
  }
  Resources free = turn.filter ? turn.filter->free : Resources{};
  Resources spare = turn.filter ? turn.filter->spare : Resources{};
  for (const JobId& id : queue.in_order_of_handing_out(semantics_)) {
    if (walk.taken.size() == at_most) break;
    Record& job = *queue.find(id);
    FunctionName function =
        function_of(job.job.name, job.job.data, turn.filter ? turn.filter->function_field : "");
    const Verdict verdict =
        turn.filter ? judge(*turn.filter, job, function, free, spare, walk) : Verdict::kTake;
    if (verdict != Verdict::kTake) ++walk.passed_over;
    if (verdict == Verdict::kEnd) break;
    if (verdict == Verdict::kSkip) continue;
    const State previous = job.job.state;
    queue.lift(job);
    if (job.condemned || job.job.attempts_started >= semantics_.max_starts) {
      job.job.failure = Failure{
          "stalled", fmt::format("started {} times, which is the limit", job.job.attempts_started), "", ""};
      end_wait(queue, job, previous);
    } else {
      walk.taken.push_back(start(queue, job, turn, walk.taken.size(), std::move(function)));
    }
  }
  return walk;
}

/// Admit, as core/needs.hpp words it. Subtracts what is taken.
ModelStore::Verdict ModelStore::judge(const AdmissionFilter& admit, const Record& job,
                                      const FunctionName& function, Resources& free, Resources& spare,
                                      Walk& walk) const {
  const auto known = admit.needs.find(function);
  if (known == admit.needs.end() && !admit.default_needs) return Verdict::kSkip;
  const Needs& needs = known == admit.needs.end() ? *admit.default_needs : known->second;
  if (needs.unavailable) return Verdict::kSkip;
  const bool room = fits(needs, free);
  if (!walk.blocked) {
    if (room) {
      subtract(free, needs);
      return Verdict::kTake;
    }
    const Time since =
        semantics_.since_is_known ? job.ready_since : job.job.timestamp + job.job.options.delay;
    walk.blocked = BlockedHead{job.job.id, function, needs, since};
    return admit.backfill ? Verdict::kSkip : Verdict::kEnd;
  }
  if (!room) return Verdict::kSkip;
  if (!needs.ends_before_head) {
    if (!fits(needs, spare) && mutation_ != Mutation::kPassDelaysHead) return Verdict::kSkip;
    subtract(spare, needs);
  }
  subtract(free, needs);
  return Verdict::kTake;
}

Taken ModelStore::start(QueueState& queue, Record& job, const TakeRequest& turn, std::size_t index,
                        FunctionName function) {
  const State previous = job.job.state;
  queue.put(job, State::kActive, false);
  ++job.job.attempts_started;
  job.job.processed_on = clock_.wall();
  job.job.processed_by = turn.worker;
  // Number 0 is not remembered and comes again: the fencing number keeps its tokens apart.
  job.token =
      LockToken(turn.op.sequence > 0 ? fmt::format("{}:{}:{}", turn.op.session.value, turn.op.sequence, index)
                                     : fmt::format("{}:0:{}:{}", turn.op.session.value, job.job.id.value,
                                                   ++world_.unnumbered));
  job.lock_until = clock_.now() + turn.lock;
  record(queue, EventKind::kActive, job.job.id, previous);
  return {job.job, job.token, std::move(function)};
}

QueueHint ModelStore::next_of(const QueueState& queue, std::uint64_t passed_over) const {
  QueueHint next;
  if (!queue.delayed.empty()) next.due = std::get<Time>(queue.delayed.begin()->first);
  next.more = queue.ready() > passed_over;
  next.paused = queue.paused;
  return next;
}

// ---- locks -----------------------------------------------------------------------------------

std::vector<CancelRequest> ModelStore::cancels_for(const QueueState& queue, const QueueName& name,
                                                   const std::string& by) const {
  std::vector<CancelRequest> cancels;
  for (const JobId& id : queue.active) {
    const Record& job = queue.jobs.at(id);
    if (job.cancel && job.cancel->heard && job.job.processed_by == by)
      cancels.push_back({name, id, job.token, job.cancel->who, job.cancel->why});
  }
  return cancels;
}

Async<ExtendReply> ModelStore::extend_locks(ExtendRequest request) {
  Step step(*this);
  QueueState& queue = world_.queues[request.queue];
  ExtendReply reply;
  for (const HeldLock& held : request.held) {
    Record* job = queue.find(held.id);
    Status lock = job == nullptr ? Error{Errc::kLockMissing, "job " + held.id.value + " was removed"}
                                 : check_lock(*job, held.token);
    if (lock && request.renew) job->lock_until = clock_.now() + request.lock;
    reply.locks.push_back(std::move(lock));
  }
  reply.cancels = cancels_for(queue, request.queue, request.worker);
  return answer<ExtendReply>(std::move(reply));
}

Async<Recovered> ModelStore::recover(RecoverRequest request) {
  Step step(*this);
  QueueState& queue = world_.queues[request.queue];
  Recovered recovered;
  const auto active = queue.active;
  for (auto id = active.rbegin(); id != active.rend(); ++id) {  // newest first: the oldest ends up in front
    Record& job = *queue.find(*id);
    if (clock_.now() < job.lock_until) continue;
    const Failure failure{"stalled", "stalled more often than allowed", "", ""};
    const FinishResult moved = stall(queue, job, request.max_stalled, failure, request.keep_failed);
    (moved.state == State::kFailed ? recovered.failed : recovered.requeued).push_back(*id);
  }
  serve_parked();
  return answer<Recovered>(std::move(recovered));
}

}  // namespace gaur
