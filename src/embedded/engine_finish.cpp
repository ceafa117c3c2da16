// finish_and_take, and the outcomes of runs.
#include <fmt/format.h>

#include <algorithm>

#include "base/overloaded.hpp"
#include "base/try.hpp"
#include "base/utf8.hpp"
#include "core/result_json.hpp"
#include "embedded/engine.hpp"

namespace gaur::embedded {

namespace {

/// About how many bytes the outcome stores; the highest number if that is not known.
std::uint64_t bytes_of(const Outcome& outcome) {
  if (const auto* done = std::get_if<outcome::Completed>(&outcome)) return done->result.size() + (4 << 10);
  return std::holds_alternative<outcome::Requeue>(outcome) ? 0 : UINT64_MAX / 2;
}

}  // namespace

Result<Engine::TakeResult> Engine::finish_and_take(const TakeRequest& request) {
  GAUR_TRY(const std::optional<std::string> remembered, remembered_reply(request.op, OperationKind::kTake));
  if (remembered) {
    GAUR_TRY(TakeReply reply, decode_take_reply(request, *remembered));
    return TakeResult{std::move(reply), false};
  }
  GAUR_CHECK(validate_queue_name(request.queue.value));
  if (request.limit) return Error{Errc::kUnsupported, "the embedded store lacks rate limits"};
  QueueEntry* const queue = find_queue(request.queue);
  TakeResult result;
  TakeReply& reply = result.reply;
  if (queue == nullptr) {
    for (const Finish& one : request.finished) reply.finished.emplace_back(not_found(one.id));
  } else {
    bool any_finished = false;
    reply.finished.reserve(request.finished.size());
    for (const Finish& one : request.finished) {
      const auto& finished = reply.finished.emplace_back(finish(*queue, one));
      any_finished |= finished && (finished->state == State::kCompleted || finished->state == State::kFailed);
    }
    GAUR_TRY(Selection selection, take(*queue, request));
    if (any_finished && queue->ready() == 0 && queue->count(State::kActive) == 0)
      event(*queue, EventKind::kDrained, 0, {});
    complete(reply, *queue, request, std::move(selection));
    notify_ready();  // for jobs that the request requeued and did not take
  }
  result.waits = request.take > 0 && request.long_poll > Duration{0} && reply.taken.empty() &&
                 !reply.blocked && !reply.next.store_full;
  if (request.op.sequence > 0) remember(request.op, OperationKind::kTake, encode_take_reply(request, reply));
  return result;
}

Result<FinishResult> Engine::finish(QueueEntry& queue, const Finish& finish) {
  GAUR_TRY(const JobKey key, find_job(*txn_, queue.record.number, finish.id));
  auto state = load_state(*txn_, key);
  if (!state) return state.error().code == Errc::kNotFound ? not_found(finish.id) : state.error();
  GAUR_CHECK(check_lock(finish.id, key, *state, finish.token));
  if (space_ != nullptr) space_->end_run(locks_.find(key)->reserved_bytes, bytes_of(finish.outcome));
  touch(queue);
  return apply_outcome(queue, key, *state, finish);
}

Result<FinishResult> Engine::apply_outcome(QueueEntry& queue, JobKey key, JobState& state,
                                           const Finish& finish) {
  const auto usage = [&] {
    if (finish.usage) store_usage(key, state, *finish.usage);
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
            return finish_run(queue, key, state, State::kCompleted, finish.keep, result);
          },
          [&](const outcome::Failed& failed) -> Result<FinishResult> {
            GAUR_CHECK(write_failure(key, state, failed.failure, true));
            usage();
            ++state.attempts_made;
            const std::uint32_t attempts = state.attempts_made;
            const std::string id = custom_id(key);
            GAUR_TRY(const FinishResult result,
                     finish_run(queue, key, state, State::kFailed, finish.keep, failed.failure.message));
            if (failed.exhausted)
              event(queue, EventKind::kRetriesExhausted, key.job, id, {}, std::to_string(attempts));
            return result;
          },
          [&](const outcome::RetryAfter& again) -> Result<FinishResult> {
            if (again.counted) {
              GAUR_CHECK(write_failure(key, state, again.failure, true));
              ++state.attempts_made;
            }
            usage();
            return retry_run(queue, key, state, again.delay);
          },
          [&](const outcome::WaitForChildren&) -> Result<FinishResult> {
            return Error{Errc::kUnsupported, "the embedded store lacks flows"};
          },
          [&](const outcome::Requeue&) -> Result<FinishResult> {
            usage();
            remove_from_set(queue, key, state);
            move_to_ready(queue, key, state, State::kActive, ListEnd::kFront);
            return current_result(state);
          },
          [&](const outcome::Stalled& stalled) -> Result<FinishResult> {
            usage();
            return stall(queue, key, state, stalled.max_stalled, stalled.failure, finish.keep);
          },
      },
      finish.outcome);
}

FinishResult Engine::current_result(const JobState& state) {
  return {state.state, true, state.attempts_made, state.stalled,
          state.state == State::kDelayed ? to_time(state.due) : std::nullopt};
}

/// Ends an active job as completed or failed, and removes it at once if `keep` says so.
Result<FinishResult> Engine::finish_run(QueueEntry& queue, JobKey key, JobState& state, State to,
                                        const Retention& keep, std::string_view detail) {
  const std::string id = custom_id(key);
  remove_from_set(queue, key, state);
  locks_.release(key);
  ++totals_.finished;
  state.state = to;
  state.finished_on = to_ms(now_.wall);
  event(queue, to == State::kCompleted ? EventKind::kCompleted : EventKind::kFailed, key.job, id,
        State::kActive, detail);
  FinishResult result = current_result(state);
  if (keep.count == 0) {  // retain() below removes the older ones
    result.kept = false;
    erase_job(queue, key, state);
  } else {
    insert_last(queue, key, state);
    write_state(key, state);
  }
  retain(queue, to, keep, key.job, result.kept);
  return result;
}

FinishResult Engine::retry_run(QueueEntry& queue, JobKey key, JobState& state, Duration delay) {
  remove_from_set(queue, key, state);
  if (delay <= Duration{0}) {
    const bool front = semantics_.retry_place == Semantics::RetryPlace::kFront ||
                       (state.has(JobState::kLifo) && state.priority == 0);
    move_to_ready(queue, key, state, State::kActive, front ? ListEnd::kFront : ListEnd::kBack);
    return current_result(state);
  }
  locks_.release(key);
  state.delay = delay.count();
  delay_until(queue, key, state, to_ms(now_.wall + delay));
  write_state(key, state);
  event(queue, EventKind::kDelayed, key.job, custom_id(key), State::kActive, std::to_string(state.due));
  return current_result(state);
}

Result<FinishResult> Engine::stall(QueueEntry& queue, JobKey key, JobState& state, std::uint32_t max_stalled,
                                   const Failure& failure, const Retention& keep) {
  const bool fails = state.stalled + 1 > max_stalled;
  if (fails) GAUR_CHECK(write_failure(key, state, failure, false));
  ++state.stalled;
  event(queue, EventKind::kStalled, key.job, custom_id(key));
  if (fails) return finish_run(queue, key, state, State::kFailed, keep, failure.message);
  remove_from_set(queue, key, state);
  move_to_ready(queue, key, state, State::kActive, ListEnd::kFront);
  return current_result(state);
}

/// Fails a job that the caller removed from the ready or delayed jobs. Retention does not apply.
void Engine::fail_waiting(QueueEntry& queue, JobKey key, JobState& state, State previous,
                          const Failure& failure) {
  if (!write_failure(key, state, failure, false))
    state.set(JobState::kHasFailure, false);  // the stored failure is damaged
  state.due = kNoTime;
  state.delay = 0;
  state.finished_on = to_ms(now_.wall);
  state.state = State::kFailed;
  insert_last(queue, key, state);
  write_state(key, state);
  event(queue, EventKind::kFailed, key.job, custom_id(key), previous, failure.message);
}

/// Stores the failure, truncated to its limit, and the newest stack traces.
Status Engine::write_failure(JobKey key, JobState& state, const Failure& failure, bool with_stack) {
  const std::size_t limit = Limits{}.failure_bytes;
  StoredFailure stored;
  if (state.has(JobState::kHasFailurePart)) {
    GAUR_TRY(stored, load_failure(*txn_, key));
  }
  stored.failure = failure;
  cut_utf8(stored.failure.message, limit);
  cut_utf8(stored.failure.stack, limit);
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

void Engine::store_usage(JobKey key, JobState& state, const Usage& usage) {
  state.cpu_us = usage.cpu_us;
  state.peak_rss_bytes = usage.peak_rss_bytes;
  state.wall_us = usage.wall_us;
  state.set(JobState::kHasUsage);
  state.set(JobState::kHasUsageDetails, !usage.details.empty());
  if (!usage.details.empty()) write_part(key, Part::kUsageDetails, usage.details);
}

}  // namespace gaur::embedded
