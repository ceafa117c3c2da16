// Finishes: what a take request carries of them, and how the store's results are handled.
#include <fmt/format.h>

#include <algorithm>

#include "worker/machine.hpp"

namespace gaur::worker {

namespace {

constexpr std::size_t kMostFinishes = 1'000;  // of one request
constexpr std::size_t kFinishesToSplit = 8;   // from so many on, two requests share them

/// The run is no longer the current one of its job.
bool is_stale(Errc code) {
  return code == Errc::kLockMissing || code == Errc::kLockMismatch || code == Errc::kNotFound ||
         code == Errc::kNotInState;
}

}  // namespace

bool is_rejection(Errc code) {
  return code == Errc::kInvalidArgument || code == Errc::kTooLarge || code == Errc::kUnsupported ||
         code == Errc::kNotFound || code == Errc::kPermission;
}

/// How many finishes the next request carries: half of them if a second request can carry the rest. The store
/// then processes one half while this worker starts the jobs that the other one took.
std::size_t Machine::finishes_to_send(const QueueState& state) const {
  const std::size_t waiting = state.finishes.size();
  if (state.one_by_one) return std::min<std::size_t>(1, waiting);
  const bool halve = state.sessions.size() > 1 && !state.has_pending() && waiting >= kFinishesToSplit;
  return std::min(kMostFinishes, halve ? (waiting + 1) / 2 : waiting);
}

void Machine::move_finishes(QueueState& state, TakeRequest& request) {
  const auto end = state.finishes.begin() + static_cast<std::ptrdiff_t>(finishes_to_send(state));
  request.finished.assign(std::make_move_iterator(state.finishes.begin()), std::make_move_iterator(end));
  state.finishes.erase(state.finishes.begin(), end);
  if (state.finishes.empty()) state.one_by_one = false;
}

/// The store rejects this finish: the job fails with the error. If that is rejected as well, the result is
/// dropped and the lock expires.
void Machine::fail_rejected(QueueState& state, Finish finish, const Error& error) {
  const auto run = runs_.find(finish.token);
  if (run == runs_.end()) return;
  if (std::exchange(run->second.replaced, true))
    return drop_result(run->second, "the store rejects every outcome of it: " + error.message);
  Failure failure{.code = "error", .message = "the store rejected the outcome: " + error.message};
  run->second.decision.outcome_name = "failed";
  run->second.decision.code = failure.code;
  run->second.decision.message = failure.message;
  finish.outcome = outcome::Failed{std::move(failure), false};
  state.finishes.insert(state.finishes.begin(), std::move(finish));
}

void Machine::on_finish_result(QueueState& state, const Finish& finish, const Result<FinishResult>& result) {
  const auto found = runs_.find(finish.token);
  if (found == runs_.end()) return;
  Run& run = found->second;
  if (!result && is_stale(result.error().code)) return drop_result(run, result.error().message);
  if (!result && is_rejection(result.error().code)) return fail_rejected(state, finish, result.error());
  if (!result) {
    log_store_error("finish of job " + finish.id.value, result.error());
    state.hold_until = now_.instant + Duration(500);
    state.finishes.push_back(finish);
    return;
  }
  if (result->due) {
    const Instant due = now_.instant + (*result->due - now_.wall);
    state.due = state.due ? std::min(*state.due, due) : due;
  }
  const bool above_max_stalled = run.decision.outcome_name == "stalled" && result->state == State::kFailed;
  const std::string outcome = above_max_stalled ? "failed" : run.decision.outcome_name;
  count(run, outcome);
  report(run, outcome);
  runs_.erase(found);
}

/// Does not store the run's result: another run has the job.
void Machine::drop_result(Run& run, const std::string& why) {
  ++counters_.stale_finishes;
  const std::string line = fmt::format("the result of run {} is dropped: {}", run.token.value, why);
  log_to_job(run, line);
  if (!run.lost) {  // else lose_lock() has logged it
    log(WorkerEvents::Level::kWarning,
        fmt::format("job {} of queue {}: {}", run.job.id.value, run.job.queue.value, line));
  }
  // The client that moved the job may have put it back to waiting; Bull publishes no event for that.
  if (QueueState* state = state_of(run.job.queue)) state->may_have_work = state->recheck_head = true;
  run.decision.message = why;
  report(run, "stale");
  runs_.erase(LockToken(run.token));
}

void Machine::count(const Run& run, const std::string& outcome) {
  const std::pair<const char*, std::uint64_t*> outcomes[] = {
      {"completed", &counters_.completed}, {"failed", &counters_.failed},
      {"cancelled", &counters_.cancelled}, {"retried", &counters_.retried},
      {"snoozed", &counters_.snoozed},     {"stalled", &counters_.stalled},
      {"requeued", &counters_.requeued}};
  for (const auto& [name, counter] : outcomes) *counter += outcome == name ? 1 : 0;
  const std::pair<const char*, std::uint64_t*> codes[] = {{"timeout", &counters_.timed_out},
                                                          {"memory", &counters_.out_of_memory},
                                                          {"queue_timeout", &counters_.queue_timeouts}};
  for (const auto& [name, counter] : codes) *counter += run.decision.code == name ? 1 : 0;
}

void Machine::report(const Run& run, std::string outcome) const {
  if (!options_.events.on_end) return;
  options_.events.on_end({run.job.queue, run.job.id, run.function, std::move(outcome), run.decision.code,
                          run.decision.message, run.job.attempts_made + 1, run.waited, run.usage});
}

}  // namespace gaur::worker
