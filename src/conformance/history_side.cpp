#include "conformance/history_side.hpp"

#include <algorithm>

namespace gaur::conformance {

std::string Side::read_events(const QueueName& queue) {
  std::string& cursor = cursors_[queue];
  const auto page = now(store().events(queue, cursor, 1000, Duration(0)));
  if (!page) {
    // An obliterated queue begins its log anew.
    cursor.clear();
    return show(page);
  }
  for (const Event& event : page->events) checker.event(queue, event);
  cursor = page->cursor;
  return show(*page);
}

std::string Side::look(const QueueName& queue) {
  Snapshot snapshot{.queue = queue};
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

void Side::follow(std::list<LongPoll>::iterator one) {
  answers_.emplace_back(one->turn, one->reply.get());
  const auto& [turn, reply] = answers_.back();
  if (reply && !one->again) {
    checker.turned(turn, *reply, wall());
    if (teaches) on_reply(turn, *reply);
  }
  parked.erase(one);
}

void Side::end_parked_of(const TakeRequest& next) {
  for (auto turn = parked.begin(); turn != parked.end();) {
    const auto here = turn++;
    if (here->turn.op.session == next.op.session && here->turn.op.sequence < next.op.sequence) follow(here);
  }
}

void Side::collect(const std::vector<OperationId>& expected) {
  for (auto turn = parked.begin(); turn != parked.end();) {
    const auto here = turn++;
    const bool wanted = std::count(expected.begin(), expected.end(), here->turn.op) > 0;
    if (wanted || here->reply.ready()) follow(here);
  }
}

std::string Side::answers_as_text() {
  std::string text;
  for (const auto& [turn, reply] : answers_) {
    text += turn.op.session.value + ":" + std::to_string(turn.op.sequence) + " " + show(reply) + "\n";
  }
  return text;
}

std::vector<OperationId> Side::answered() const {
  std::vector<OperationId> operations;
  for (const auto& [turn, reply] : answers_) operations.push_back(turn.op);
  return operations;
}

void Side::check_parked() {
  for (LongPoll& one : parked) {
    if (one.turn.filter || one.reply.ready()) continue;
    const auto counts = now(store().counts(one.turn.queue));
    if (counts && counts->ready() > 0 && !counts->paused && !one.reply.ready())
      checker.parked_while_ready(one.turn.queue, one.turn.worker);
  }
}

}  // namespace gaur::conformance
