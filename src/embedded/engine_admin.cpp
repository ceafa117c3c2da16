// Verbs on whole queues. Removals work in batches, so that they do not block the writer for long.
#include <fmt/format.h>

#include "base/try.hpp"
#include "embedded/engine.hpp"

namespace gaur::embedded {

Status Engine::pause(const QueueName& name) {
  GAUR_TRY(QueueEntry* const queue, queue_for_writing(name));
  if (!std::exchange(queue->record.paused, true)) event(*queue, EventKind::kPaused, 0, {});
  return ok();
}

Status Engine::resume(const QueueName& name) {
  QueueEntry* const queue = find_queue(name);
  if (queue == nullptr || !queue->record.paused) return ok();
  touch(*queue);
  queue->record.paused = false;
  ++queue->arrivals;  // the ready jobs can be taken again
  ready_changed(*queue);
  event(*queue, EventKind::kResumed, 0, {});
  notify_ready();
  return ok();
}

Result<std::uint64_t> Engine::drain(const QueueName& name, bool delayed_too, std::uint64_t limit) {
  QueueEntry* const queue = find_queue(name);
  std::uint64_t removed = 0;
  if (queue == nullptr) return removed;
  touch(*queue);
  for (const Table table : {Table::kReady, Table::kDelayed}) {
    if (table == Table::kDelayed && !delayed_too) continue;
    while (removed < limit) {
      PrefixScan scan(*txn_, table, Key().u32(queue->record.number).view());
      if (scan.done()) break;
      const auto number = decode_job_number(scan.value());
      if (!number) return damaged("the list of waiting jobs", scan.key());
      GAUR_CHECK(remove_entry(*queue, table, scan.key(), *number));
      ++removed;
    }
  }
  return removed;
}

Result<std::uint64_t> Engine::clean(const QueueName& name, State state, Duration grace, std::uint64_t limit) {
  if (state != State::kCompleted && state != State::kFailed) {
    return Error{Errc::kInvalidArgument,
                 fmt::format("clean removes completed or failed jobs, not {}", to_string(state))};
  }
  QueueEntry* const queue = find_queue(name);
  std::uint64_t removed = 0;
  if (queue == nullptr) return removed;
  touch(*queue);
  const Key prefix = finished_prefix(queue->record.number, state);
  for (; removed < limit; ++removed) {
    PrefixScan scan(*txn_, Table::kFinished, prefix.view());
    if (scan.done()) break;
    const auto number = decode_job_number(scan.value());
    if (!number) return damaged("the list of finished jobs", scan.key());
    GAUR_TRY(const JobState job, load_state(*txn_, {queue->record.number, *number}));
    if (job.finished_on > to_ms(now_.wall - grace)) break;
    GAUR_CHECK(remove_entry(*queue, Table::kFinished,
                            finished_key(queue->record.number, state, job.order).view(), *number));
  }
  return removed;
}

Status Engine::cleaned(const QueueName& name, std::uint64_t removed) {
  QueueEntry* const queue = find_queue(name);
  if (queue == nullptr) return ok();
  touch(*queue);
  event(*queue, EventKind::kCleaned, 0, {}, {}, std::to_string(removed));
  return ok();
}

/// Removes the jobs in batches. The last batch also removes the events and the queue.
Result<std::uint64_t> Engine::obliterate(const QueueName& name, bool force, std::uint64_t limit) {
  QueueEntry* const queue = find_queue(name);
  std::uint64_t removed = 0;
  if (queue == nullptr) return removed;
  const QueueNumber number = queue->record.number;
  if (!force && queue->count(State::kActive) > 0) {
    return Error{Errc::kBusy,
                 fmt::format("queue {}: {} jobs are running", name.value, queue->count(State::kActive))};
  }
  touch(*queue);
  for (const Table table : {Table::kActive, Table::kReady, Table::kDelayed, Table::kFinished}) {
    while (removed < limit) {
      PrefixScan scan(*txn_, table, Key().u32(number).view());
      if (scan.done()) break;
      const auto job = decode_job_number(scan.value());
      const std::string key(scan.key());
      ++removed;
      // The records of a damaged job are erased below.
      if (!job || !remove_entry(*queue, table, key, *job)) txn_->erase(table, key);
    }
  }
  if (removed == limit) return removed;
  queue->events.clear();
  queue->pending_events = 0;
  for (const Table table : {Table::kByFunction, Table::kEvents, Table::kState, Table::kBody, Table::kParts,
                            Table::kLogs, Table::kIds}) {
    for (PrefixScan scan(*txn_, table, Key().u32(number).view()); !scan.done();) scan.erase();
  }
  txn_->erase(Table::kMeta, queue_key(name).view());
  std::erase(touched_, queue);
  queue->record = *queue->before;
  queue->before.reset();
  std::erase_if(reported_, [&](const auto& hint) { return hint.first.second == name; });
  auto entry = queues_.extract(name);
  if (!queue->created) obliterated_.push_back(std::move(entry.mapped()));  // abort() restores it
  return removed;
}

}  // namespace gaur::embedded
