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
      locks_.request_cancel(key, {who, why});
      event(*queue, EventKind::kCancelRequested, key.job, custom_id(key), {}, who);
    }
    return CancelReply::kRequested;
  }
  const State previous = state.state;
  remove_from_set(*queue, key, state);
  fail_waiting(*queue, key, state, previous,
               {"cancelled", fmt::format("cancelled by {}: {}", who, why), "", ""});
  return CancelReply::kRemoved;
}

Status Engine::retry(const JobRef& job, bool reset_attempts) {
  GAUR_TRY(Found found, find(job));
  auto& [queue, key, state] = found;
  const State previous = state.state;
  if (previous != State::kCompleted && previous != State::kFailed)
    return not_in_state(job, previous, "completed or failed");
  touch(*queue);
  remove_from_set(*queue, key, state);
  if (state.has(JobState::kHasResult)) txn_->erase(Table::kParts, part_key(key, Part::kResult).view());
  for (const auto flag :
       {JobState::kHasResult, JobState::kHasResultFile, JobState::kResultIsNull, JobState::kHasFailure})
    state.set(flag, false);
  state.processed_on = state.finished_on = kNoTime;
  if (reset_attempts) state.attempts_made = 0;
  const bool front = state.has(JobState::kLifo) && state.priority == 0;
  move_to_ready(*queue, key, state, previous, front ? ListEnd::kFront : ListEnd::kBack);
  notify_ready();
  return ok();
}

Status Engine::promote(const JobRef& job) {
  GAUR_TRY(Found found, find(job));
  auto& [queue, key, state] = found;
  if (state.state != State::kDelayed) return not_in_state(job, state.state, "delayed");
  touch(*queue);
  remove_from_set(*queue, key, state);
  move_to_ready(*queue, key, state, State::kDelayed, ListEnd::kBack);
  notify_ready();
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
  const std::string id = custom_id(key);
  remove_from_set(*queue, key, state);
  erase_job(*queue, key, state);
  event(*queue, EventKind::kRemoved, key.job, id, state.state);
  return ok();
}

Status Engine::update_data(const JobRef& job, const std::string& data) {
  GAUR_TRY(Found found, find(job));
  const Key key(found.key);
  GAUR_TRY(const JobBody body, load_body(*txn_, found.key));
  const std::string id(body.id);  // copies: the first write invalidates the views
  const std::string name(body.name);
  const std::string options(body.options);
  encode_body({id, name, data, options}, key.view(), record_);
  txn_->put(Table::kBody, key.view(), record_);
  functions_.erase(found.key);
  if (is_waiting(found.state.state)) update_index(*found.queue, found.key, found.state);
  ready_changed(*found.queue);  // its function may have changed
  return ok();
}

Status Engine::update_progress(const JobRef& job, const std::optional<LockToken>& token,
                               const std::string& progress) {
  /// The space of a run covers progress up to this size.
  constexpr std::size_t kReservedBytes = 4 << 10;
  GAUR_TRY(Found found, find(job));
  auto& [queue, key, state] = found;
  if (token) GAUR_CHECK(check_lock(job.id, key, state, *token));
  const bool covered = progress.size() <= kReservedBytes && locks_.find(key) != nullptr;
  if (space_ != nullptr && !covered) GAUR_CHECK(space_->book(progress.size()));
  touch(*queue);
  write_part(key, Part::kProgress, progress);
  if (!state.has(JobState::kHasProgress)) {
    state.set(JobState::kHasProgress);
    write_state(key, state);
  }
  event(*queue, EventKind::kProgress, key.job, custom_id(key), {}, progress);
  return ok();
}

/// Lines of a run use the space that was reserved at its start. Other lines need space as an add does.
Status Engine::book_logs(JobKey job, const std::vector<std::string>& lines) {
  constexpr std::uint64_t kRecordBytes = 64;
  if (space_ == nullptr) return ok();
  std::uint64_t bytes = 0;
  for (const std::string& line : lines) bytes += line.size() + kRecordBytes;
  const Lock* lock = locks_.find(job);
  if (lock == nullptr || lock->log_bytes < bytes) return space_->book(bytes);
  locks_.use_log_bytes(job, bytes);
  return ok();
}

Result<std::uint64_t> Engine::append_logs(const JobRef& job, const std::vector<std::string>& lines) {
  GAUR_TRY(Found found, find(job));
  auto& [queue, key, state] = found;
  GAUR_TRY(const JobBody body, load_body(*txn_, key));
  const auto options = decode_options(body.options);
  if (!options) return damaged("the options of a job", Key(key).view());
  GAUR_CHECK(book_logs(key, lines));
  const Key prefix(key);
  std::uint64_t next = 0;
  std::uint64_t first = 0;
  if (state.has(JobState::kHasLogs)) {
    if (PrefixScan newest(*txn_, Table::kLogs, prefix.view(), PrefixScan::Order::kBackward); !newest.done())
      next = u64_at(newest.key(), 12) + 1;
    if (PrefixScan oldest(*txn_, Table::kLogs, prefix.view()); !oldest.done())
      first = u64_at(oldest.key(), 12);
  }
  const std::size_t limit = Limits{}.log_line_bytes;
  for (const std::string& line : lines) {
    const Key at = log_key(key, next++);
    encode_text(Magic::kLog, utf8_prefix(line, limit), at.view(), record_);
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
  remove_from_set(*queue, key, state);
  state.delay = delay.count();
  delay_until(*queue, key, state, to_ms(now_.wall + delay));
  write_state(key, state);
  event(*queue, EventKind::kDelayed, key.job, custom_id(key), State::kDelayed, std::to_string(state.due));
  return ok();
}

Status Engine::change_priority(const JobRef& job, std::uint32_t priority, bool lifo) {
  if (priority > kMaxPriority) {
    return Error{Errc::kInvalidArgument,
                 fmt::format("priority {} is not in 0 to {}", priority, kMaxPriority)};
  }
  GAUR_TRY(Found found, find(job));
  auto& [queue, key, state] = found;
  if (!is_waiting(state.state) && state.state != State::kDelayed) {
    return not_in_state(job, state.state, "waiting, prioritized or delayed");
  }
  touch(*queue);
  const bool moves = is_waiting(state.state);
  const FunctionHash function = moves ? remove_from_set(*queue, key, state) : 0;
  state.priority = priority;
  if (moves) make_ready(*queue, key, state, lifo ? ListEnd::kFront : ListEnd::kBack, function);
  write_state(key, state);
  notify_ready();
  return ok();
}

}  // namespace gaur::embedded
