// The calls that wait in the writer: long polls, wait_for_work and events.
#include <algorithm>

#include "embedded/writer.hpp"

namespace gaur::embedded {

std::optional<Instant> Writer::next_deadline() const {
  std::optional<Instant> next;
  const auto consider = [&](const auto& waits) {
    for (const auto& wait : waits) next = next ? std::min(*next, wait->until) : wait->until;
  };
  consider(long_polls_);
  consider(work_waits_);
  consider(event_waits_);
  if (full_) next = next ? std::min(*next, space_check_) : space_check_;
  return next;
}

void Writer::end_expired_waits() {
  end_if(long_polls_, [&](TakeCall& call) {
    if (call.until > now_.steady) return false;
    engine_->refresh(call.request, *call.reply);
    return true;
  });
  end_if(work_waits_, [&](WorkWait& wait) {
    if (wait.until > now_.steady) return false;
    wait.run(*engine_);
    return true;
  });
  end_if(event_waits_, [&](const EventWait& wait) { return wait.until <= now_.steady; });
}

void Writer::end_long_polls_of(const SessionName& session) {
  end_if(long_polls_, [&](TakeCall& call) {
    if (!(call.request.op.session == session)) return false;
    engine_->refresh(call.request, *call.reply);
    return true;
  });
}

/// Oldest first. After each hand-off it starts over: the taken jobs may have blocked an older long poll.
void Writer::serve_long_polls() {
  for (auto it = long_polls_.begin(); it != long_polls_.end();) {
    const auto here = it++;
    if (!hand_off_to(**here)) continue;
    done_.push_back(std::move(*here));
    long_polls_.erase(here);
    it = long_polls_.begin();
  }
}

bool Writer::hand_off_to(TakeCall& call) {
  const QueueEntry* queue = engine_->find_queue(call.request.queue);
  if (queue == nullptr || queue->ready() == 0 || queue->record.paused || queue->ready_change == call.tried_at)
    return false;
  call.tried_at = queue->ready_change;
  const Result<bool> handed_off = engine_->hand_off(call.request, *call.reply);
  return handed_off && *handed_off;
}

void Writer::answer_waits() {
  end_if(work_waits_, [&](WorkWait& wait) {
    wait.run(*engine_);
    return wait.reply.has_value();
  });
  end_if(event_waits_, [&](const EventWait& wait) { return last_event(wait.queue) != wait.after; });
}

void Writer::reject_waits() {
  const auto all = [](const Operation&) { return true; };
  end_if(long_polls_, all);
  end_if(work_waits_, all);
  end_if(event_waits_, all);
  const Error stopping{Errc::kStopping, "the store was closed"};
  for (auto& operation : done_) operation->reject(stopping);
  answer();
}

std::uint64_t Writer::last_event(const QueueName& name) {
  const QueueEntry* queue = engine_->find_queue(name);
  return queue == nullptr ? 0 : queue->record.next_event - 1 + queue->pending_events;
}

}  // namespace gaur::embedded
