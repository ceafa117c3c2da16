// The event log. Events are collected in memory and written as few records at the end of the transaction.
#include "embedded/bytes.hpp"
#include "embedded/engine.hpp"

namespace gaur::embedded {

namespace {
constexpr std::size_t kRecordBytes = 1800;     // a larger record would need overflow pages
constexpr std::size_t kDetailBytes = 4 << 10;  // longer details are omitted; the job contains them
constexpr std::uint64_t kKeptEvents = 10'000;
}  // namespace

void Engine::event(QueueEntry& queue, EventKind kind, JobNumber job, std::string_view custom_id,
                   std::optional<State> previous, std::string_view detail) {
  if (detail.size() > kDetailBytes) detail = {};
  encode_event({kind, previous, job, custom_id, to_ms(now_.wall), detail}, queue.events);
  ++queue.pending_events;
  if (queue.events.size() >= kRecordBytes) flush_events(queue);
}

void Engine::flush_events(QueueEntry& queue) {
  if (queue.pending_events == 0) return;
  const Key key = events_key(queue.record.number, queue.record.next_event);
  encode_events({queue.pending_events, queue.record.last_id, queue.record.last_custom}, queue.events,
                key.view(), record_);
  txn_->append(Table::kEvents, key.view(), record_);
  queue.record.next_event += queue.pending_events;
  queue.events.clear();
  queue.pending_events = 0;
  trim_events(queue);
}

/// Removes the oldest records of which no event is among the newest kKeptEvents.
void Engine::trim_events(QueueEntry& queue) {
  if (queue.record.next_event - queue.record.first_event <= kKeptEvents) return;
  PrefixScan scan(*txn_, Table::kEvents, Key().u32(queue.record.number).view());
  while (!scan.done()) {
    const std::uint64_t first = u64_at(scan.key(), 4);
    ByteReader reader(scan.value().substr(std::min(kFrameBytes, scan.value().size())));
    const std::uint64_t end = first + reader.number<std::uint32_t>();
    if (queue.record.next_event - end < kKeptEvents) {
      queue.record.first_event = first;
      return;
    }
    scan.erase();
  }
}

std::string Engine::custom_id(JobKey job) {
  if (job.job < kFirstCustomNumber) return {};
  const auto body = load_body(*txn_, job);
  return body ? std::string(body->id) : std::string();
}

JobId Engine::id_of(JobKey job) {
  return JobId(job.job < kFirstCustomNumber ? std::to_string(job.job) : custom_id(job));
}

}  // namespace gaur::embedded
