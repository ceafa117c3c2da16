#include "embedded/snapshot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "base/try.hpp"
#include "embedded/bytes.hpp"
#include "gaur/job.hpp"

namespace gaur::embedded {

namespace {
constexpr std::uint64_t kCountedExactly = 1000;
constexpr std::uint32_t kPage = 1000;
constexpr std::uint64_t kKeptEvents = 10'000;
}  // namespace

Result<std::optional<QueueRecord>> Snapshot::queue(const QueueName& name) {
  if (!validate_queue_name(name.value)) return std::optional<QueueRecord>();
  const Key key = queue_key(name);
  const auto record = txn_.get(Table::kMeta, key.view());
  if (!record) return std::optional<QueueRecord>();
  const auto queue = decode_queue(*record, key.view());
  if (!queue) return damaged("queue " + name.value, key.view());
  return std::optional(*queue);
}

Result<JobKey> Snapshot::find(const JobRef& job) {
  GAUR_TRY(const auto record, queue(job.queue));
  if (!record) return not_found(job.id).in("queue " + job.queue.value);
  return find_job(txn_, record->number, job.id);
}

Result<Job> Snapshot::get(const JobRef& job) {
  GAUR_TRY(const JobKey key, find(job));
  auto state = load_state(txn_, key);
  if (!state) return state.error().in("queue " + job.queue.value);
  return load_job(txn_, job.queue, key, *state);
}

Result<State> Snapshot::state(const JobRef& job) {
  GAUR_TRY(const JobKey key, find(job));
  auto state = load_state(txn_, key);
  if (!state) return state.error().in("queue " + job.queue.value);
  return state->state;
}

Result<Position> Snapshot::position(const JobRef& job) {
  GAUR_TRY(const JobKey key, find(job));
  GAUR_TRY(const JobState state, load_state(txn_, key));
  if (state.state != State::kWaiting && state.state != State::kPrioritized) {
    return Error{Errc::kNotInState, fmt::format("job {} is {}, not waiting or prioritized", job.id.value,
                                                to_string(state.state))};
  }
  const Key entry = set_key(key, state);
  Position position;
  PrefixScan scan(txn_, Table::kReady, ready_prefix(key.queue).view());
  std::int64_t first = 0;
  for (; !scan.done() && scan.key() != entry.view(); scan.next()) {
    if (position.before == 0) first = i64_at(scan.key(), 8);
    if (++position.before <= kCountedExactly) continue;
    GAUR_TRY(const auto record, queue(job.queue));
    const std::uint64_t ready = record->counts[static_cast<std::size_t>(State::kWaiting)] +
                                record->counts[static_cast<std::size_t>(State::kPrioritized)];
    // Waiting jobs have increasing orders, with gaps where jobs were taken or removed from the middle.
    const std::int64_t distance =
        state.priority == 0 ? state.order - first : static_cast<std::int64_t>(ready);
    return Position{std::clamp<std::uint64_t>(static_cast<std::uint64_t>(distance), kCountedExactly, ready),
                    false};
  }
  return position;
}

Result<std::vector<QueueName>> Snapshot::queues() {
  std::vector<QueueName> names;
  for (PrefixScan scan(txn_, Table::kMeta, "q"); !scan.done(); scan.next())
    names.emplace_back(std::string(scan.key().substr(1)));
  return names;
}

Result<Counts> Snapshot::counts(const QueueName& name) {
  GAUR_TRY(const auto record, queue(name));
  Counts counts;
  if (record) {
    counts.of = record->counts;
    counts.paused = record->paused;
  }
  return counts;
}

Result<std::vector<Job>> Snapshot::range(const RangeRequest& request) {
  std::vector<Job> jobs;
  GAUR_TRY(const auto record, queue(request.queue));
  if (!record || request.state == State::kWaitingChildren) return jobs;
  const Table table = set_table(request.state);
  Key prefix = ready_prefix(record->number);
  if (request.state == State::kWaiting) prefix.u32(0);
  if (table == Table::kFinished) prefix = finished_prefix(record->number, request.state);
  const std::size_t limit = std::min(request.limit, kPage);
  std::uint64_t skip = request.offset;
  const auto order = request.newest_first ? PrefixScan::Order::kBackward : PrefixScan::Order::kForward;
  // Prioritized jobs follow the jobs without priority in the same table.
  const Key from = ready_key(record->number, 1, INT64_MIN);
  const bool prioritized = request.state == State::kPrioritized;
  PrefixScan scan(txn_, table, prefix.view(), order,
                  prioritized && !request.newest_first ? from.view() : std::string_view());
  for (; !scan.done() && jobs.size() < limit; scan.next()) {
    if (prioritized && u32_at(scan.key(), 4) == 0) break;
    if (skip > 0) {
      --skip;
      continue;
    }
    const auto number = decode_job_number(scan.value());
    if (!number) return damaged("a list of jobs", scan.key());
    const JobKey key{record->number, *number};
    GAUR_TRY(const JobState state, load_state(txn_, key));
    GAUR_TRY(Job job, load_job(txn_, request.queue, key, state));
    jobs.push_back(std::move(job));
  }
  return jobs;
}

/// A skip scan over the functions in the index. The first job of each contains its name.
Result<std::vector<WaitingFunction>> Snapshot::waiting_functions(const QueueName& name,
                                                                 const std::string& function_field,
                                                                 std::uint32_t limit) {
  GAUR_TRY(const auto record, queue(name));
  std::map<FunctionName, WaitingFunction> found;
  if (!record) return std::vector<WaitingFunction>{};
  const Key all = ready_prefix(record->number);
  std::string from(all.view());
  while (found.size() < std::min(limit, kPage)) {
    PrefixScan scan(txn_, Table::kByFunction, all.view(), PrefixScan::Order::kForward, from);
    if (scan.done()) break;
    const FunctionHash hash = u64_at(scan.key(), 4);
    const Key first = std::move(Key().u32(record->number).text(scan.key().substr(12)));
    const Key prefix = function_prefix(record->number, hash);
    std::uint64_t jobs = 0;
    for (; !scan.done() && scan.key().starts_with(prefix.view()) && jobs <= kCountedExactly; scan.next())
      ++jobs;
    if (const auto function = function_at(first.view(), function_field)) {
      WaitingFunction& one = found[*function];
      one.function = *function;
      one.jobs += std::min(jobs, kCountedExactly);
      one.exact = one.exact && jobs <= kCountedExactly;
    }
    if (hash == UINT64_MAX) break;
    from = function_prefix(record->number, hash + 1).view();
  }
  std::vector<WaitingFunction> functions;
  for (auto& [function, one] : found) functions.push_back(std::move(one));
  return functions;
}

std::optional<FunctionName> Snapshot::function_at(std::string_view ready_key,
                                                  const std::string& function_field) {
  const auto value = txn_.get(Table::kReady, ready_key);
  const auto entry = value ? decode_ready_entry(*value) : std::nullopt;
  if (!entry) return std::nullopt;
  const auto body = load_body(txn_, {u32_at(ready_key, 0), entry->job});
  if (!body) return std::nullopt;  // damaged: get() reports it
  return function_of(body->name, body->data, function_field);
}

Result<LogPage> Snapshot::logs(const JobRef& job, std::uint64_t offset, std::uint32_t limit) {
  GAUR_TRY(const JobKey key, find(job));
  GAUR_TRY(const JobState state, load_state(txn_, key));
  LogPage page;
  if (!state.has(JobState::kHasLogs)) return page;
  const Key prefix(key);
  const PrefixScan newest(txn_, Table::kLogs, prefix.view(), PrefixScan::Order::kBackward);
  if (newest.done()) return page;
  const std::uint64_t end = u64_at(newest.key(), 12) + 1;
  const PrefixScan oldest(txn_, Table::kLogs, prefix.view());
  const std::uint64_t first = u64_at(oldest.key(), 12);
  page.total = end - first;
  if (offset >= page.total) return page;
  const Key from = log_key(key, first + offset);
  for (PrefixScan scan(txn_, Table::kLogs, prefix.view(), PrefixScan::Order::kForward, from.view());
       !scan.done() && page.lines.size() < std::min(limit, kPage); scan.next()) {
    const auto line = decode_text(Magic::kLog, scan.value(), scan.key());
    if (!line) return damaged("a log line", scan.key());
    page.lines.emplace_back(*line);
  }
  return page;
}

Result<EventPage> Snapshot::events(const QueueName& name, const std::string& cursor, std::uint32_t limit) {
  GAUR_TRY(const auto record, queue(name));
  const std::uint64_t last = record ? record->next_event - 1 : 0;
  const std::uint64_t oldest =
      record ? std::max(record->first_event - 1, last > kKeptEvents ? last - kKeptEvents : 0) : 0;
  std::uint64_t after = cursor.empty() ? oldest : last;
  if (!cursor.empty() && cursor != "$") {
    const auto [end, problem] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), after);
    if (problem != std::errc() || end != cursor.data() + cursor.size() || after > last) {
      return Error{Errc::kInvalidArgument, "the cursor is not one of this queue"};
    }
  }
  EventPage page;
  page.gap = after < oldest;
  after = std::max(after, oldest);
  if (record && after < last) GAUR_CHECK(add_events(record->number, after, std::min(limit, kPage), page));
  page.cursor = page.events.empty() ? std::to_string(after) : page.events.back().cursor;
  return page;
}

Status Snapshot::add_events(QueueNumber number, std::uint64_t after, std::uint32_t limit, EventPage& page) {
  const Key prefix = std::move(Key().u32(number));
  // The record that contains event after + 1 starts at or before it: seek the first record that starts later,
  // then step back.
  MDB_cursor* const cursor = txn_.cursor(Table::kEvents);
  const Key later = events_key(number, after + 2);
  MDB_val key = to_val(later.view());
  MDB_val value{};
  const int found = txn_.read(mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE));
  const int back = txn_.read(mdb_cursor_get(cursor, &key, &value, found == 0 ? MDB_PREV : MDB_LAST));
  const std::string from = back == 0 && to_view(key).starts_with(prefix.view()) ? std::string(to_view(key))
                                                                                : std::string(prefix.view());
  std::size_t bytes = 0;
  const auto full = [&] { return page.events.size() >= limit || bytes > kEventPageBytes; };
  for (PrefixScan scan(txn_, Table::kEvents, prefix.view(), PrefixScan::Order::kForward, from);
       !scan.done() && !full(); scan.next()) {
    const auto payload = open_record(scan.value(), Magic::kEvents, scan.key());
    if (!payload || payload->size() < kEventsHeaderBytes) return damaged("the log of events", scan.key());
    std::uint64_t at = u64_at(scan.key(), 4);
    const bool intact = decode_events(payload->substr(kEventsHeaderBytes), [&](const StoredEvent& event) {
      const std::uint64_t here = at++;
      if (here <= after || full()) return;
      bytes += event.id.size() + event.detail.size();
      if (full() && !page.events.empty()) return;
      JobId id(event.job == 0     ? std::string()
               : event.id.empty() ? std::to_string(event.job)
                                  : std::string(event.id));
      page.events.push_back({std::to_string(here), event.kind, std::move(id), event.previous,
                             std::string(event.detail), from_ms(event.at)});
    });
    if (!intact) return damaged("the log of events", scan.key());
  }
  return ok();
}

}  // namespace gaur::embedded
