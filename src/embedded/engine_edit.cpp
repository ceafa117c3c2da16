// Verbs on one job.
#include <fmt/format.h>

#include "base/json.hpp"
#include "base/try.hpp"
#include "base/utf8.hpp"
#include "embedded/engine.hpp"

namespace gaur::embedded {

namespace {
constexpr std::uint32_t kMaxPriority = (1U << 21) - 1;

bool is_waiting(State state) {
  return state == State::kWaiting || state == State::kPrioritized;
}
}  // namespace

Result<CancelReply> Engine::cancel(const JobRef& job, const std::string& who, const std::string& why) {
  GAUR_TRY(Found found, find(job));
  auto& [queue, key, state] = found;
  if (state.state == State::kCompleted || state.state == State::kFailed) return CancelReply::kFinished;
  touch(*queue);
  if (state.state == State::kActive) {
    const Lock* lock = locks_.find(key);
    if (lock != nullptr && !lock->cancel) {
      locks_.ask_to_end(key, {who, why, false});
      event(*queue, EventKind::kCancelRequested, key.job, own_id(key), {}, who);
    }
    return CancelReply::kRequested;
  }
  const State previous = state.state;
  lift(*queue, key, state);
  end_wait(*queue, key, state, previous, {"cancelled", fmt::format("cancelled by {}: {}", who, why), "", ""});
  return CancelReply::kRemoved;
}

Status Engine::retry(const JobRef& job, bool reset_attempts) {
  GAUR_TRY(Found found, find(job));
  auto& [queue, key, state] = found;
  const State previous = state.state;
  if (previous != State::kCompleted && previous != State::kFailed)
    return not_in_state(job, previous, "completed or failed");
  touch(*queue);
  lift(*queue, key, state);
  if (state.has(JobState::kHasResult)) txn_->erase(Table::kParts, part_key(key, Part::kResult).view());
  for (const auto flag :
       {JobState::kHasResult, JobState::kHasResultFile, JobState::kResultIsNull, JobState::kHasFailure})
    state.set(flag, false);
  state.processed_on = state.finished_on = kNoTime;
  if (reset_attempts) state.attempts_made = 0;
  const bool front = state.has(JobState::kLifo) && state.priority == 0;
  to_ready(*queue, key, state, previous, front ? Place::kInFront : Place::kBehind);
  serve();
  return ok();
}

Status Engine::promote(const JobRef& job) {
  GAUR_TRY(Found found, find(job));
  auto& [queue, key, state] = found;
  if (state.state != State::kDelayed) return not_in_state(job, state.state, "delayed");
  touch(*queue);
  lift(*queue, key, state);
  to_ready(*queue, key, state, State::kDelayed, Place::kBehind);
  serve();
  return ok();
}

Status Engine::remove(const JobRef& job) {
  GAUR_TRY(Found found, find(job));
  auto& [queue, key, state] = found;
  if (state.state == State::kActive) {
    const Lock* lock = locks_.find(key);
    if (lock != nullptr && now_.steady < lock->until) {
      return Error{Errc::kBusy,
                   fmt::format("job {} is running on {}: cancel it first", job.id.value, lock->worker)};
    }
  }
  touch(*queue);
  const std::string id = own_id(key);
  lift(*queue, key, state);
  erase_job(*queue, key, state);
  event(*queue, EventKind::kRemoved, key.job, id, state.state);
  return ok();
}

Status Engine::update_data(const JobRef& job, const std::string& data) {
  GAUR_TRY(Found found, find(job));
  const Key key(found.key);
  GAUR_TRY(const JobBody body, load_body(*txn_, found.key));
  const std::string id(body.id);  // the views end with the first write
  const std::string name(body.name);
  const std::string options(body.options);
  encode_body({id, name, data, options}, key.view(), record_);
  txn_->put(Table::kBody, key.view(), record_);
  functions_.erase(found.key);
  if (is_waiting(found.state.state)) index_new_data(*found.queue, found.key, found.state);
  ready_changed(*found.queue);  // it may ask for another function now
  return ok();
}

Status Engine::update_progress(const JobRef& job, const std::optional<LockToken>& token,
                               const std::string& progress) {
  GAUR_TRY(Found found, find(job));
  auto& [queue, key, state] = found;
  if (token) GAUR_CHECK(check_lock(job.id, key, state, *token));
  touch(*queue);
  write_part(key, Part::kProgress, progress);
  if (!state.has(JobState::kHasProgress)) {
    state.set(JobState::kHasProgress);
    write_state(key, state);
  }
  event(*queue, EventKind::kProgress, key.job, own_id(key), {}, progress);
  return ok();
}

Result<std::uint64_t> Engine::append_logs(const JobRef& job, const std::vector<std::string>& lines) {
  GAUR_TRY(Found found, find(job));
  auto& [queue, key, state] = found;
  GAUR_TRY(const JobBody body, load_body(*txn_, key));
  const auto options = decode_options(body.options);
  if (!options) return damaged("the options of a job", Key(key).view());
  const Key prefix(key);
  std::uint64_t next = 0;
  std::uint64_t first = 0;
  if (state.has(JobState::kHasLogs)) {
    if (Walk newest(*txn_, Table::kLogs, prefix.view(), Walk::Order::kBackward); !newest.done())
      next = u64_at(newest.key(), 12) + 1;
    if (Walk oldest(*txn_, Table::kLogs, prefix.view()); !oldest.done()) first = u64_at(oldest.key(), 12);
  }
  const std::size_t longest = Limits{}.log_line_bytes;
  for (const std::string& line : lines) {
    const Key at = log_key(key, next++);
    encode_text(Magic::kLog, utf8_prefix(line, longest), at.view(), record_);
    txn_->append(Table::kLogs, at.view(), record_);
  }
  for (; next - first > options->keep_logs; ++first) txn_->erase(Table::kLogs, log_key(key, first).view());
  if (!state.has(JobState::kHasLogs) && !lines.empty()) {
    state.set(JobState::kHasLogs);
    write_state(key, state);
  }
  return next - first;
}

Status Engine::change_delay(const JobRef& job, Duration delay) {
  GAUR_TRY(Found found, find(job));
  auto& [queue, key, state] = found;
  if (state.state != State::kDelayed) return not_in_state(job, state.state, "delayed");
  touch(*queue);
  lift(*queue, key, state);
  state.delay = delay.count();
  delay_until(*queue, key, state, to_ms(now_.wall + delay));
  write_state(key, state);
  event(*queue, EventKind::kDelayed, key.job, own_id(key), State::kDelayed, std::to_string(state.due));
  return ok();
}

Status Engine::change_priority(const JobRef& job, std::uint32_t priority, bool lifo) {
  if (priority > kMaxPriority) {
    return Error{Errc::kInvalidArgument, fmt::format("priority: 0 to {}, was {}", kMaxPriority, priority)};
  }
  GAUR_TRY(Found found, find(job));
  auto& [queue, key, state] = found;
  if (!is_waiting(state.state) && state.state != State::kDelayed) {
    return not_in_state(job, state.state, "waiting, prioritized or delayed");
  }
  touch(*queue);
  const bool moves = is_waiting(state.state);
  const FunctionHash function = moves ? lift(*queue, key, state) : 0;
  state.priority = priority;
  if (moves) make_ready(*queue, key, state, lifo ? Place::kInFront : Place::kBehind, function);
  write_state(key, state);
  serve();
  return ok();
}

}  // namespace gaur::embedded
