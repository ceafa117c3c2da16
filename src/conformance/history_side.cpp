#include "conformance/history_side.hpp"

#include <algorithm>

namespace gaur::conformance {

std::string Side::read_events(const QueueName& queue) {
  std::string& cursor = cursors_[queue];
  const auto page = now(store().events(queue, cursor, 1000, Duration(0)));
  if (!page) {
    // The event log of an obliterated queue starts again.
    cursor.clear();
    return show(page);
  }
  for (const Event& event : page->events) checker.event(queue, event);
  cursor = page->cursor;
  return show(*page);
}

std::string Side::snapshot_text(const QueueName& queue) {
  QueueSnapshot snapshot{.queue = queue};
  const auto counts = now(store().counts(queue));
  if (!counts) return show(counts);
  snapshot.counts = *counts;
  std::string text = show(*counts);
  for (const State state : kAllStates) {
    auto jobs = now(store().range({.queue = queue, .state = state, .limit = 1000}));
    if (!jobs) return show(jobs);
    text += "\n  " + std::string(to_string(state)) + ":";
    for (const Job& job : *jobs) text += "\n    " + show(job);
    snapshot.jobs[state] = *std::move(jobs);
  }
  checker.snapshot(snapshot);
  return text;
}

void Side::handle_reply(std::list<LongPoll>::iterator one) {
  answers_.emplace_back(one->request, one->reply.get());
  const auto& [request, reply] = answers_.back();
  if (reply && !one->again) {
    checker.took(request, *reply, wall());
    if (updates_script) on_take_reply(request, *reply);
  }
  long_polls.erase(one);
}

void Side::end_long_polls_of(const TakeRequest& next) {
  for (auto poll = long_polls.begin(); poll != long_polls.end();) {
    const auto here = poll++;
    if (here->request.op.session == next.op.session && here->request.op.sequence < next.op.sequence)
      handle_reply(here);
  }
}

void Side::collect(const std::vector<OperationId>& expected) {
  for (auto poll = long_polls.begin(); poll != long_polls.end();) {
    const auto here = poll++;
    const bool wanted = std::count(expected.begin(), expected.end(), here->request.op) > 0;
    if (wanted || here->reply.ready()) handle_reply(here);
  }
}

std::string Side::answers_as_text() {
  std::string text;
  for (const auto& [request, reply] : answers_) {
    text += request.op.session.value + ":" + std::to_string(request.op.sequence) + " " + show(reply) + "\n";
  }
  return text;
}

std::vector<OperationId> Side::answered() const {
  std::vector<OperationId> operations;
  for (const auto& [request, reply] : answers_) operations.push_back(request.op);
  return operations;
}

void Side::check_long_polls() {
  for (LongPoll& one : long_polls) {
    if (one.request.filter || one.reply.ready()) continue;
    const auto counts = now(store().counts(one.request.queue));
    if (counts && counts->ready() > 0 && !counts->paused && !one.reply.ready())
      checker.long_poll_open_while_ready(one.request.queue, one.request.worker);
  }
}

}  // namespace gaur::conformance
