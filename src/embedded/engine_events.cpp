// The log of events: gathered in memory during a transaction, written as few records at its end.
#include "embedded/bytes.hpp"
#include "embedded/engine.hpp"

namespace gaur::embedded {

namespace {
constexpr std::size_t kRunBytes = 1800;        // a larger record would need pages of its own
constexpr std::size_t kDetailBytes = 4 << 10;  // longer details are left out: the job has them
constexpr std::uint64_t kKept = 10'000;
}  // namespace

void Engine::event(QueueEntry& queue, EventKind kind, JobNumber job, std::string_view own_id,
                   std::optional<State> previous, std::string_view detail) {
  if (detail.size() > kDetailBytes) detail = {};
  encode_event({kind, previous, job, own_id, to_ms(now_.wall), detail}, queue.events);
  ++queue.pending_events;
  if (queue.events.size() >= kRunBytes) flush_events(queue);
}

void Engine::flush_events(QueueEntry& queue) {
  if (queue.pending_events == 0) return;
  const Key key = events_key(queue.record.number, queue.record.next_event);
  begin_record(record_);
  ByteWriter(record_).number(queue.pending_events);
  record_.append(queue.events);
  seal_record(record_, Magic::kEvents, key.view());
  txn_->append(Table::kEvents, key.view(), record_);
  queue.record.next_event += queue.pending_events;
  queue.events.clear();
  queue.pending_events = 0;
  trim_events(queue);
}

/// Whole runs at the old end go once all of their events are beyond the kept number.
void Engine::trim_events(QueueEntry& queue) {
  if (queue.record.next_event - queue.record.first_event <= kKept) return;
  Walk walk(*txn_, Table::kEvents, Key().u32(queue.record.number).view());
  while (!walk.done()) {
    const std::uint64_t first = u64_at(walk.key(), 4);
    ByteReader reader(walk.value().substr(std::min(kFrameBytes, walk.value().size())));
    const std::uint64_t end = first + reader.number<std::uint32_t>();
    if (queue.record.next_event - end < kKept) {
      queue.record.first_event = first;
      return;
    }
    walk.erase();
  }
}

std::string Engine::own_id(JobKey job) {
  if (job.job < kOwnIds) return {};
  const auto body = load_body(*txn_, job);
  return body ? std::string(body->id) : std::string();
}

}  // namespace gaur::embedded
