// Finishing, locks and the sweep.
#include <fmt/format.h>

#include <algorithm>

#include "embedded/engine.hpp"

#include "base/try.hpp"
#include "base/utf8.hpp"
#include "core/result_json.hpp"

namespace gaur::embedded {

namespace {
constexpr std::uint8_t kTurnLane = 2;

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;
}  // namespace

Result<Engine::TakeResult> Engine::turn(const TakeRequest& turn) {
  GAUR_TRY(const std::optional<std::string> first, earlier_reply(turn.op, kTurnLane));
  if (first) {
    GAUR_TRY(TakeReply again, decode_turn(turn, *first));
    return TakeResult{std::move(again), false};
  }
  GAUR_CHECK(validate_queue_name(turn.queue.value));
  if (turn.limit) return Error{Errc::kUnsupported, "the embedded store lacks rate limit"};
  QueueEntry* const queue = find_queue(turn.queue);
  TakeResult result;
  TakeReply& reply = result.reply;
  bool blocked = false;
  if (queue == nullptr) {
    for (const Finish& one : turn.finished) reply.finished.emplace_back(not_found(one.id));
  } else {
    bool ended_one = false;
    reply.finished.reserve(turn.finished.size());
    for (const Finish& one : turn.finished) {
      const auto& moved = reply.finished.emplace_back(finish(*queue, one));
      ended_one |= moved && (moved->state == State::kCompleted || moved->state == State::kFailed);
    }
    GAUR_TRY(Picked picked, take(*queue, turn));
    if (ended_one && queue->ready() == 0 && queue->count(State::kActive) == 0)
      event(*queue, EventKind::kDrained, 0, {});
    reply.taken = std::move(picked.taken);
    reply.blocked = std::move(picked.blocked);
    reply.next = next_of(*queue, picked.more);
    reply.cancels = cancels_for(*queue, turn.worker);
    blocked = reply.blocked.has_value();
    serve();  // what this turn gave back and did not take
  }
  result.parks = turn.take > 0 && turn.long_poll > Duration{0} && reply.taken.empty() && !blocked;
  if (turn.op.sequence > 0) remember(turn.op, kTurnLane, encode_turn(turn, reply));
  return result;
}

Status Engine::check_lock(const JobId& id, JobKey job, const JobState& state, const LockToken& token) {
  const auto missing = [&](std::string_view why) {
    return Error{Errc::kLockMissing, fmt::format("job {}: {}", id.value, why)};
  };
  if (state.state != State::kActive)
    return missing(fmt::format("it is {}, not active", to_string(state.state)));
  const Lock* lock = locks_.find(job);
  if (lock == nullptr) return missing("its lock is gone");
  if (lock->token != token) {
    return Error{Errc::kLockMismatch,
                 fmt::format("job {} is held by a newer run on {}", id.value, lock->worker)};
  }
  if (now_.steady >= lock->until) return missing("its lock expired");
  return ok();
}

Result<FinishResult> Engine::finish(QueueEntry& queue, const Finish& finish) {
  GAUR_TRY(const JobKey key, find_job(*txn_, queue.record.number, finish.id));
  auto state = load_state(*txn_, key);
  if (!state) return state.error().code == Errc::kNotFound ? not_found(finish.id) : state.error();
  GAUR_CHECK(check_lock(finish.id, key, *state, finish.token));
  touch(queue);
  return carry_out(queue, key, *state, finish);
}

Result<FinishResult> Engine::carry_out(QueueEntry& queue, JobKey key, JobState& state, const Finish& finish) {
  const auto usage = [&] {
    if (finish.usage) note_usage(key, state, *finish.usage);
  };
  return std::visit(
      Overloaded{
          [&](const outcome::Completed& done) -> Result<FinishResult> {
            usage();
            ++state.attempts_made;
            const std::string result = result_json(done.result, done.file);
            state.set(JobState::kResultIsNull, result == "null");
            state.set(JobState::kHasResult, result != "null");
            state.set(JobState::kHasResultFile, done.file.has_value());
            if (result != "null") write_part(key, Part::kResult, result);
            return end_run(queue, key, state, State::kCompleted, finish.keep, result);
          },
          [&](const outcome::Failed& failed) -> Result<FinishResult> {
            GAUR_CHECK(write_failure(key, state, failed.failure, true));
            usage();
            ++state.attempts_made;
            const std::uint32_t attempts = state.attempts_made;
            const std::string id = own_id(key);
            GAUR_TRY(const FinishResult moved,
                     end_run(queue, key, state, State::kFailed, finish.keep, failed.failure.message));
            if (failed.exhausted)
              event(queue, EventKind::kRetriesExhausted, key.job, id, {}, std::to_string(attempts));
            return moved;
          },
          [&](const outcome::RetryAfter& again) -> Result<FinishResult> {
            if (again.counted) {
              GAUR_CHECK(write_failure(key, state, again.failure, true));
              ++state.attempts_made;
            }
            usage();
            return run_later(queue, key, state, again.delay);
          },
          [&](const outcome::WaitForChildren&) -> Result<FinishResult> {
            return Error{Errc::kUnsupported, "the embedded store lacks flows"};
          },
          [&](const outcome::Requeue&) -> Result<FinishResult> {
            usage();
            lift(queue, key, state);
            to_ready(queue, key, state, State::kActive, Place::kInFront);
            return where_it_is(state);
          },
          [&](const outcome::Stalled& stalled) -> Result<FinishResult> {
            usage();
            return stall(queue, key, state, stalled.max_stalled, stalled.failure, finish.keep);
          },
      },
      finish.outcome);
}

FinishResult Engine::where_it_is(const JobState& state) {
  return {state.state, true, state.attempts_made, state.stalled,
          state.state == State::kDelayed ? to_time(state.due) : std::nullopt};
}

/// Completed or failed, kept or removed at once.
Result<FinishResult> Engine::end_run(QueueEntry& queue, JobKey key, JobState& state, State to,
                                     const Retention& keep, std::string_view detail) {
  const std::string id = own_id(key);
  lift(queue, key, state);
  locks_.release(key);
  ++totals_.finished;
  state.state = to;
  state.finished_on = to_ms(now_.wall);
  event(queue, to == State::kCompleted ? EventKind::kCompleted : EventKind::kFailed, key.job, id,
        State::kActive, detail);
  FinishResult moved = where_it_is(state);
  if (keep.count == 0) {  // the older ones of this set go as well, below
    moved.kept = false;
    erase_job(queue, key, state);
  } else {
    put(queue, key, state);
    write_state(key, state);
  }
  retain(queue, to, keep, key.job, moved.kept);
  return moved;
}

FinishResult Engine::run_later(QueueEntry& queue, JobKey key, JobState& state, Duration delay) {
  lift(queue, key, state);
  if (delay <= Duration{0}) {
    const bool front = semantics_.retry_place == Semantics::RetryPlace::kFront ||
                       (state.has(JobState::kLifo) && state.priority == 0);
    to_ready(queue, key, state, State::kActive, front ? Place::kInFront : Place::kBehind);
    return where_it_is(state);
  }
  locks_.release(key);
  state.delay = delay.count();
  delay_until(queue, key, state, to_ms(now_.wall + delay));
  write_state(key, state);
  event(queue, EventKind::kDelayed, key.job, own_id(key), State::kActive, std::to_string(state.due));
  return where_it_is(state);
}

Result<FinishResult> Engine::stall(QueueEntry& queue, JobKey key, JobState& state, std::uint32_t max_stalled,
                                   const Failure& failure, const Retention& keep) {
  const bool fails = state.stalled + 1 > max_stalled;
  if (fails) GAUR_CHECK(write_failure(key, state, failure, false));
  ++state.stalled;
  event(queue, EventKind::kStalled, key.job, own_id(key));
  if (fails) return end_run(queue, key, state, State::kFailed, keep, failure.message);
  lift(queue, key, state);
  to_ready(queue, key, state, State::kActive, Place::kInFront);
  return where_it_is(state);
}

/// A job that was lifted from a waiting place fails without having been run, and is kept.
void Engine::end_wait(QueueEntry& queue, JobKey key, JobState& state, State previous,
                      const Failure& failure) {
  if (!write_failure(key, state, failure, false))
    state.set(JobState::kHasFailure, false);  // the old one is damaged
  state.due = kNoTime;
  state.delay = 0;
  state.finished_on = to_ms(now_.wall);
  state.state = State::kFailed;
  put(queue, key, state);
  write_state(key, state);
  event(queue, EventKind::kFailed, key.job, own_id(key), previous, failure.message);
}

/// The failure, cut to its bound, beside the stack traces of earlier ones.
Status Engine::write_failure(JobKey key, JobState& state, const Failure& failure, bool with_stack) {
  const std::size_t bound = Limits{}.failure_bytes;
  StoredFailure stored;
  if (state.has(JobState::kHasFailurePart)) {
    GAUR_TRY(stored, load_failure(*txn_, key));
  }
  stored.failure = failure;
  cut_utf8(stored.failure.message, bound);
  cut_utf8(stored.failure.stack, bound);
  if (with_stack && !failure.stack.empty()) {
    GAUR_TRY(const JobBody body, load_body(*txn_, key));
    const auto options = decode_options(body.options);
    if (!options) return damaged("the options of a job", Key(key).view());
    stored.stacktrace.push_back(stored.failure.stack);
    while (stored.stacktrace.size() > options->stack_trace_limit)
      stored.stacktrace.erase(stored.stacktrace.begin());
  }
  const Key at = part_key(key, Part::kFailure);
  encode_failure(stored, at.view(), record_);
  txn_->put(Table::kParts, at.view(), record_);
  state.set(JobState::kHasFailure);
  state.set(JobState::kHasFailurePart);
  return ok();
}

void Engine::note_usage(JobKey key, JobState& state, const Usage& usage) {
  state.cpu_us = usage.cpu_us;
  state.peak_rss_bytes = usage.peak_rss_bytes;
  state.wall_us = usage.wall_us;
  state.set(JobState::kHasUsage);
  state.set(JobState::kHasUsageDetails, !usage.details.empty());
  if (!usage.details.empty()) write_part(key, Part::kUsageDetails, usage.details);
}

ExtendReply Engine::extend_locks(const ExtendRequest& request) {
  ExtendReply reply;
  QueueEntry* const queue = find_queue(request.queue);
  for (const HeldLock& held : request.held) {
    const auto key = queue == nullptr ? Result<JobKey>(not_found(held.id))
                                      : find_job(*txn_, queue->record.number, held.id);
    const auto state = key ? load_state(*txn_, *key) : Result<JobState>(key.error());
    Status lock = state ? check_lock(held.id, *key, *state, held.token)
                        : Status(Error{Errc::kLockMissing, fmt::format("job {} was removed", held.id.value)});
    if (lock && request.renew) locks_.renew(*key, now_.steady + request.lock);
    reply.locks.push_back(std::move(lock));
  }
  if (queue != nullptr) reply.cancels = cancels_for(*queue, request.worker);
  return reply;
}

/// Newest first, so that the oldest ends up in front.
Result<Recovered> Engine::recover(const RecoverRequest& request) {
  Recovered recovered;
  QueueEntry* const queue = find_queue(request.queue);
  if (queue == nullptr || queue->count(State::kActive) == 0) return recovered;
  std::vector<JobKey> lost;
  for (Walk walk(*txn_, Table::kActive, Key().u32(queue->record.number).view(), Walk::Order::kBackward);
       !walk.done(); walk.next()) {
    const auto number = number_of(walk.value());
    if (!number) return damaged("the list of active jobs", walk.key());
    const JobKey key{queue->record.number, *number};
    const Lock* lock = locks_.find(key);
    if (lock == nullptr || now_.steady >= lock->until) lost.push_back(key);
  }
  const Failure failure{"stalled", "stalled more often than allowed", "", ""};
  for (const JobKey key : lost) {
    auto state = load_state(*txn_, key);
    if (!state) continue;  // damaged: named to whoever asks for it
    touch(*queue);
    const JobId id = id_of(key);
    const auto moved = stall(*queue, key, *state, request.max_stalled, failure, request.keep_failed);
    if (moved) (moved->state == State::kFailed ? recovered.failed : recovered.requeued).push_back(id);
  }
  serve();
  return recovered;
}

}  // namespace gaur::embedded
