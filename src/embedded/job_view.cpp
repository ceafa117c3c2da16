#include "embedded/job_view.hpp"

#include <fmt/format.h>

#include <cstring>
#include "core/result_json.hpp"

#include "base/try.hpp"

namespace gaur::embedded {

Key queue_key(const QueueName& name) {
  return std::move(Key().u8('q').text(name.value));
}
Key name_key(std::uint32_t number) {
  return std::move(Key().u8('n').u32(number));
}
Key part_key(JobKey job, Part part) {
  return std::move(Key(job).u8(static_cast<std::uint8_t>(part)));
}
Key id_key(QueueNumber queue, std::string_view id) {
  return std::move(Key().u32(queue).text(id));
}
Key ready_prefix(QueueNumber queue) {
  return std::move(Key().u32(queue));
}
Key ready_key(QueueNumber queue, std::uint32_t priority, std::int64_t order) {
  return std::move(Key().u32(queue).u32(priority).i64(order));
}
Key function_prefix(QueueNumber queue, FunctionHash function) {
  return std::move(Key().u32(queue).u64(function));
}
Key function_key(QueueNumber queue, FunctionHash function, std::string_view priority_and_order) {
  return std::move(Key().u32(queue).u64(function).text(priority_and_order));
}
Key delayed_key(QueueNumber queue, std::int64_t due, std::int64_t order) {
  return std::move(Key().u32(queue).i64(due).i64(order));
}
Key active_key(QueueNumber queue, std::int64_t order) {
  return std::move(Key().u32(queue).i64(order));
}
Key finished_prefix(QueueNumber queue, State state) {
  return std::move(Key().u32(queue).u8(static_cast<std::uint8_t>(state)));
}
Key finished_key(QueueNumber queue, State state, std::int64_t order) {
  return std::move(Key().u32(queue).u8(static_cast<std::uint8_t>(state)).i64(order));
}
Key events_key(QueueNumber queue, std::uint64_t first) {
  return std::move(Key().u32(queue).u64(first));
}
Key log_key(JobKey job, std::uint64_t line) {
  return std::move(Key(job).u64(line));
}

Key set_key(JobKey job, const JobState& s) {
  switch (s.state) {
    case State::kWaiting:
    case State::kPrioritized: return ready_key(job.queue, s.priority, s.order);
    case State::kDelayed: return delayed_key(job.queue, s.due, s.order);
    case State::kActive: return active_key(job.queue, s.order);
    default: return finished_key(job.queue, s.state, s.order);
  }
}

Table set_table(State state) {
  switch (state) {
    case State::kWaiting:
    case State::kPrioritized: return Table::kReady;
    case State::kDelayed: return Table::kDelayed;
    case State::kActive: return Table::kActive;
    default: return Table::kFinished;
  }
}

std::string encode_job_number(JobNumber job) {
  std::string value(8, '\0');
  std::memcpy(value.data(), &job, 8);
  return value;
}

std::optional<JobNumber> decode_job_number(std::string_view value) {
  JobNumber job = 0;
  if (value.size() != 8 && value.size() != sizeof(ReadyEntry)) return std::nullopt;
  std::memcpy(&job, value.data(), 8);
  return job;
}

std::array<char, 16> encode_ready_entry(const ReadyEntry& entry) {
  std::array<char, 16> value{};
  std::memcpy(value.data(), &entry.job, 8);
  std::memcpy(value.data() + 8, &entry.function, 8);
  return value;
}

std::optional<ReadyEntry> decode_ready_entry(std::string_view value) {
  ReadyEntry entry;
  if (value.size() != sizeof(entry)) return std::nullopt;
  std::memcpy(&entry.job, value.data(), 8);
  std::memcpy(&entry.function, value.data() + 8, 8);
  return entry;
}

Error not_found(const JobId& id) {
  return {Errc::kNotFound, fmt::format("there is no job {}", id.value)};
}

Error missing(const Txn& txn, const JobId& id) {
  const auto damage = txn.damage();
  if (!damage) return not_found(id);
  return {Errc::kCorrupt,
          fmt::format("job {} cannot be found, and the store is damaged: {}", id.value, *damage)};
}

Result<JobKey> find_job(Txn& txn, QueueNumber queue, const JobId& id) {
  if (const auto number = generated_number(id.value)) return JobKey{queue, *number};
  if (id.empty() || id.value.size() > Key::kLongest - 8) return not_found(id);
  const Key key = id_key(queue, id.value);
  const auto value = txn.get(Table::kIds, key.view());
  if (!value) return missing(txn, id);
  const auto number = decode_job_number(*value);
  if (!number) return damaged("a job's id", key.view());
  return JobKey{queue, *number};
}

Result<JobState> load_state(Txn& txn, JobKey job) {
  const Key key(job);
  const auto record = txn.get(Table::kState, key.view());
  if (!record) return missing(txn, JobId(std::to_string(job.job)));
  auto state = decode_state(*record, key.view());
  if (!state) return damaged(fmt::format("the state of job {}", job.job), key.view());
  return *state;
}

Result<JobBody> load_body(Txn& txn, JobKey job) {
  const Key key(job);
  const auto record = txn.get(Table::kBody, key.view());
  auto body = record ? decode_body(*record, key.view()) : std::nullopt;
  if (!body) return damaged(fmt::format("the data of job {}", job.job), key.view());
  return *body;
}

Result<StoredFailure> load_failure(Txn& txn, JobKey job) {
  const Key key = part_key(job, Part::kFailure);
  const auto record = txn.get(Table::kParts, key.view());
  auto failure = record ? decode_failure(*record, key.view()) : std::nullopt;
  if (!failure) return damaged(fmt::format("the failure of job {}", job.job), key.view());
  return *std::move(failure);
}

namespace {

Result<std::string> load_text(Txn& txn, JobKey job, Part part) {
  const Key key = part_key(job, part);
  const auto record = txn.get(Table::kParts, key.view());
  const auto text = record ? decode_text(Magic::kPart, *record, key.view()) : std::nullopt;
  if (!text) return damaged(fmt::format("a part of job {}", job.job), key.view());
  return std::string(*text);
}

Status add_parts(Txn& txn, JobKey key, const JobState& s, Job& job) {
  if (s.has(JobState::kResultIsNull)) job.result = "null";
  if (s.has(JobState::kHasResult)) {
    GAUR_TRY(job.result, load_text(txn, key, Part::kResult));
    if (s.has(JobState::kHasResultFile)) set_result(job, std::move(job.result));
  }
  if (s.has(JobState::kHasProgress)) {
    GAUR_TRY(job.progress, load_text(txn, key, Part::kProgress));
  }
  if (s.has(JobState::kHasFailurePart)) {
    GAUR_TRY(auto stored, load_failure(txn, key));
    job.stacktrace = std::move(stored.stacktrace);
    if (s.has(JobState::kHasFailure)) job.failure = std::move(stored.failure);
  }
  if (s.has(JobState::kHasUsage)) {
    job.usage = Usage{s.cpu_us, s.peak_rss_bytes, s.wall_us, {}};
    if (s.has(JobState::kHasUsageDetails)) {
      GAUR_TRY(job.usage->details, load_text(txn, key, Part::kUsageDetails));
    }
  }
  if (s.processed_by != 0) {
    const Key name = name_key(s.processed_by);
    const auto record = txn.get(Table::kMeta, name.view());
    const auto text = record ? decode_text(Magic::kName, *record, name.view()) : std::nullopt;
    if (!text) return damaged("a worker's name", name.view());
    job.processed_by = *text;
  }
  return ok();
}

}  // namespace

Result<Job> load_job(Txn& txn, const QueueName& queue, JobKey key, const JobState& s) {
  GAUR_TRY(const JobBody body, load_body(txn, key));
  auto options = decode_options(body.options);
  if (!options) return damaged(fmt::format("the options of job {}", key.job), Key(key).view());
  Job job;
  job.queue = queue;
  job.id = JobId(body.id.empty() ? std::to_string(key.job) : std::string(body.id));
  job.name = body.name;
  job.data = body.data;
  job.options = *std::move(options);
  job.state = s.state;
  job.timestamp = from_ms(s.timestamp);
  job.delay = Duration(s.delay);
  job.priority = s.priority;
  job.attempts_made = s.attempts_made;
  job.attempts_started = s.attempts_started;
  job.stalled = s.stalled;
  if (s.state == State::kDelayed) job.due = to_time(s.due);
  job.processed_on = to_time(s.processed_on);
  job.finished_on = to_time(s.finished_on);
  GAUR_CHECK(add_parts(txn, key, s, job));
  return job;
}

}  // namespace gaur::embedded
