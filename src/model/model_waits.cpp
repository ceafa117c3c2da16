// The calls that wait: long polls, wait_for_work and events.
#include <charconv>

#include "model/model_step.hpp"

namespace gaur {

void ModelStore::tick_at(Instant when) {
  if (loop_ == nullptr) return;
  loop_->post_at(when, [alive = alive_] {
    if (ModelStore* store = *alive) store->tick();
  });
}

void ModelStore::end_expired_waits() {
  const Instant now = clock_.now();
  for (auto poll = long_polls_.begin(); poll != long_polls_.end();) {
    const auto here = poll++;
    if (here->until <= now) end_long_poll(here);
  }
  std::erase_if(work_waits_, [&](const WorkWait& wait) {
    if (wait.until > now) return false;
    deliver<WorkReply>(wait.promise, WorkReply{});
    return true;
  });
  std::erase_if(event_waits_, [&](const EventWait& wait) {
    if (wait.until > now) return false;
    deliver<EventPage>(wait.promise, page_after(state_.queues[wait.queue], wait.after, wait.limit));
    return true;
  });
}

// ---- long polls ------------------------------------------------------------------------------

void ModelStore::end_long_poll(std::list<LongPoll>::iterator poll) {
  const QueueState& queue = state_.queues[poll->request.queue];
  poll->reply.next = hint_for(queue, 0);
  poll->reply.cancels = cancels_for(queue, poll->request.queue, poll->request.worker);
  answer_long_poll(*poll);
  long_polls_.erase(poll);
}

void ModelStore::answer_long_poll(const LongPoll& poll) {
  for (auto& caller : poll.callers) deliver<TakeReply>(caller, poll.reply);
  remember(poll.request.op, poll.reply);
}

void ModelStore::end_long_polls_of(const SessionName& session) {
  for (auto poll = long_polls_.begin(); poll != long_polls_.end();) {
    const auto here = poll++;
    if (here->request.op.session == session) end_long_poll(here);
  }
}

/// Oldest first. After each hand-off it starts over: the taken jobs may have blocked an older long poll.
void ModelStore::serve_long_polls() {
  for (auto poll = long_polls_.begin(); poll != long_polls_.end();) {
    QueueState& queue = state_.queues[poll->request.queue];
    Selection selection = take(queue, poll->request);
    if (selection.taken.empty()) {
      ++poll;
      continue;
    }
    complete(poll->reply, queue, poll->request, std::move(selection));
    answer_long_poll(*poll);
    long_polls_.erase(poll);
    poll = long_polls_.begin();
  }
}

// ---- waiting for work ------------------------------------------------------------------------

Async<WorkReply> ModelStore::wait_for_work(WorkRequest request) {
  Step step(*this);
  if (auto reply = work_for(request)) return answer<WorkReply>(*std::move(reply));
  const Instant until = clock_.now() + request.at_most;
  work_waits_.push_back({std::move(request), until, {}});
  tick_at(until);
  return work_waits_.back().promise.future();
}

std::optional<WorkReply> ModelStore::work_for(const WorkRequest& request) {
  WorkReply reply;
  for (const QueueName& name : request.queues) {
    QueueState& queue = state_.queues[name];
    std::uint64_t& arrivals = reported_[{request.worker, name}];
    if (arrivals < queue.arrivals && queue.ready() > 0 && !queue.paused) {
      arrivals = queue.arrivals;
      reply.queues.push_back(name);
    }
    for (const CancelRequest& cancel : cancels_for(queue, name, request.worker)) {
      model::PendingCancel& pending = *queue.find(cancel.id)->cancel;
      if (!std::exchange(pending.reported, true)) reply.cancels.push_back(cancel);
    }
  }
  if (reply.queues.empty() && reply.cancels.empty()) return std::nullopt;
  return reply;
}

void ModelStore::answer_waits() {
  std::erase_if(work_waits_, [&](const WorkWait& wait) {
    auto reply = work_for(wait.request);
    if (!reply) return false;
    deliver<WorkReply>(wait.promise, *std::move(reply));
    return true;
  });
  std::erase_if(event_waits_, [&](const EventWait& wait) {
    const QueueState& queue = state_.queues[wait.queue];
    if (queue.last_event == wait.after) return false;
    deliver<EventPage>(wait.promise, page_after(queue, wait.after, wait.limit));
    return true;
  });
}

// ---- events ----------------------------------------------------------------------------------

Async<EventPage> ModelStore::events(QueueName name, std::string cursor, std::uint32_t limit,
                                    Duration at_most) {
  Step step(*this);
  QueueState& queue = state_.queues[name];
  const std::uint64_t oldest = queue.last_event - queue.log.size();
  std::uint64_t after = cursor.empty() ? oldest : queue.last_event;
  if (!cursor.empty() && cursor != "$") {
    const auto [end, problem] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), after);
    if (problem != std::errc() || end != cursor.data() + cursor.size() || after > queue.last_event) {
      return answer<EventPage>(Error{Errc::kInvalidArgument, "the cursor is not one of this queue"});
    }
  }
  if (after < queue.last_event || at_most == Duration{0})
    return answer<EventPage>(page_after(queue, after, limit));
  event_waits_.push_back({name, after, limit, clock_.now() + at_most, {}});
  tick_at(event_waits_.back().until);
  return event_waits_.back().promise.future();
}

EventPage ModelStore::page_after(const QueueState& queue, std::uint64_t after, std::uint32_t limit) const {
  EventPage page;
  const std::uint64_t oldest = queue.last_event - queue.log.size();
  page.gap = after < oldest;
  std::uint64_t at = std::max(after, oldest);
  std::size_t bytes = 0;
  for (; at < queue.last_event && page.events.size() < limit; ++at) {
    const Event& event = queue.log[at - oldest];
    bytes += page_bytes_of(event);
    if (bytes > kEventPageBytes && !page.events.empty()) break;
    page.events.push_back(event);
  }
  page.cursor = std::to_string(at);
  return page;
}

}  // namespace gaur
