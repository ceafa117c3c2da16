// Whoever waits: parked turns, workers that wait for work, readers of events.
#include <charconv>

#include "model/model_step.hpp"

namespace gaur {

void ModelStore::end_at(Instant when) {
  if (loop_ == nullptr) return;
  loop_->post_at(when, [alive = alive_] {
    if (ModelStore* store = *alive) store->tick();
  });
}

void ModelStore::end_waits_that_are_over() {
  const Instant now = clock_.now();
  for (auto parked = parked_.begin(); parked != parked_.end();) {
    const auto here = parked++;
    if (here->until <= now) end_parked(here);
  }
  for (auto waiting = waiting_.begin(); waiting != waiting_.end();) {
    const auto here = waiting++;
    if (here->until > now) continue;
    deliver<WorkReply>(here->promise, WorkReply{});
    waiting_.erase(here);
  }
  for (auto following = following_.begin(); following != following_.end();) {
    const auto here = following++;
    if (here->until > now) continue;
    deliver<EventPage>(here->promise, page_after(world_.queues[here->queue], here->after, here->limit));
    following_.erase(here);
  }
}

// ---- parked turns ----------------------------------------------------------------------------

void ModelStore::end_parked(std::list<Parked>::iterator parked) {
  const QueueState& queue = world_.queues[parked->turn.queue];
  parked->reply.next = next_of(queue, 0);
  parked->reply.cancels = cancels_for(queue, parked->turn.queue, parked->turn.worker);
  for (auto& waiter : parked->waiters) deliver<TakeReply>(waiter, parked->reply);
  remember(parked->turn.op, parked->reply);
  parked_.erase(parked);
}

void ModelStore::end_parked_of(const SessionName& session) {
  for (auto parked = parked_.begin(); parked != parked_.end();) {
    const auto here = parked++;
    if (here->turn.op.session == session) end_parked(here);
  }
}

/// Longest parked first. Whoever takes may have cleared the way for one that was parked longer: all over
/// again.
void ModelStore::serve_parked() {
  for (auto parked = parked_.begin(); parked != parked_.end();) {
    QueueState& queue = world_.queues[parked->turn.queue];
    Walk walk = take(queue, parked->turn);
    if (walk.taken.empty()) {
      ++parked;
      continue;
    }
    complete(parked->reply, queue, parked->turn, std::move(walk));
    for (auto& waiter : parked->waiters) deliver<TakeReply>(waiter, parked->reply);
    remember(parked->turn.op, parked->reply);
    parked_.erase(parked);
    parked = parked_.begin();
  }
}

// ---- waiting for work ------------------------------------------------------------------------

Async<WorkReply> ModelStore::wait_for_work(WorkRequest request) {
  Step step(*this);
  if (auto reply = work_for(request)) return answer<WorkReply>(*std::move(reply));
  const Instant until = clock_.now() + request.at_most;
  waiting_.push_back({std::move(request), until, {}});
  end_at(until);
  return waiting_.back().promise.future();
}

std::optional<WorkReply> ModelStore::work_for(const WorkRequest& request) {
  WorkReply reply;
  for (const QueueName& name : request.queues) {
    QueueState& queue = world_.queues[name];
    std::uint64_t& told = reported_[{request.worker, name}];
    if (told < queue.arrivals && queue.ready() > 0 && !queue.paused) {
      told = queue.arrivals;
      reply.queues.push_back(name);
    }
    for (const CancelRequest& cancel : cancels_for(queue, name, request.worker)) {
      model::CancelMark& mark = *queue.find(cancel.id)->cancel;
      if (!std::exchange(mark.told_waiter, true)) reply.cancels.push_back(cancel);
    }
  }
  if (reply.queues.empty() && reply.cancels.empty()) return std::nullopt;
  return reply;
}

void ModelStore::serve_waits() {
  for (auto waiting = waiting_.begin(); waiting != waiting_.end();) {
    const auto here = waiting++;
    auto reply = work_for(here->request);
    if (!reply) continue;
    deliver<WorkReply>(here->promise, *std::move(reply));
    waiting_.erase(here);
  }
  for (auto following = following_.begin(); following != following_.end();) {
    const auto here = following++;
    const QueueState& queue = world_.queues[here->queue];
    if (queue.last_event == here->after) continue;
    deliver<EventPage>(here->promise, page_after(queue, here->after, here->limit));
    following_.erase(here);
  }
}

// ---- events ----------------------------------------------------------------------------------

Async<EventPage> ModelStore::events(QueueName name, std::string cursor, std::uint32_t limit,
                                    Duration at_most) {
  Step step(*this);
  QueueState& queue = world_.queues[name];
  const std::uint64_t oldest = queue.last_event - queue.log.size();
  std::uint64_t after = cursor.empty() ? oldest : queue.last_event;
  if (!cursor.empty() && cursor != "$") {
    const auto [end, problem] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), after);
    if (problem != std::errc() || end != cursor.data() + cursor.size() || after > queue.last_event) {
      return answer<EventPage>(Error{Errc::kInvalidArgument, "cursor: not one that this queue gave out"});
    }
  }
  if (after < queue.last_event || at_most == Duration{0})
    return answer<EventPage>(page_after(queue, after, limit));
  following_.push_back({name, after, limit, clock_.now() + at_most, {}});
  end_at(following_.back().until);
  return following_.back().promise.future();
}

EventPage ModelStore::page_after(const QueueState& queue, std::uint64_t after, std::uint32_t limit) const {
  EventPage page;
  const std::uint64_t oldest = queue.last_event - queue.log.size();
  page.gap = after < oldest;
  std::uint64_t at = std::max(after, oldest);
  for (; at < queue.last_event && page.events.size() < limit; ++at)
    page.events.push_back(queue.log[at - oldest]);
  page.cursor = std::to_string(at);
  return page;
}

}  // namespace gaur
