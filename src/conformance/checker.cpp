#include "conformance/checker.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/transitions.hpp"

namespace gaur::conformance {

namespace {

/// As far as events tell: they do not tell prioritized from waiting.
std::optional<State> state_after(const Event& event) {
  switch (event.kind) {
    case EventKind::kWaiting: return State::kWaiting;
    case EventKind::kDelayed: return State::kDelayed;
    case EventKind::kActive: return State::kActive;
    case EventKind::kCompleted: return State::kCompleted;
    case EventKind::kFailed: return State::kFailed;
    default: return std::nullopt;
  }
}

bool is_legal_by_some_verb(std::optional<State> from, std::optional<State> to) {
  const auto table = legal_transitions();
  return std::any_of(table.begin(), table.end(),
                     [&](const Transition& t) { return t.from == from && t.to == to; });
}

bool same_but_for_priority(std::optional<State> a, std::optional<State> b) {
  const auto plain = [](std::optional<State> state) {
    return state == State::kPrioritized ? State::kWaiting : state;
  };
  return plain(a) == plain(b);
}

}  // namespace

void Checker::violation(std::string_view invariant, const Key& job, std::string what) {
  violations_.push_back(fmt::format("{}: job {}/{}: {}", invariant, job.first.value, job.second.value, what));
}

/// Somebody removed it, or a retention may have.
bool Checker::may_be_absent(const Key& key) {
  const Known& known = jobs_.at(key);
  const bool ended =
      !hears_events_ || known.by_events == State::kCompleted || known.by_events == State::kFailed;
  return known.may_be_gone || (ended && trims_[key.first]);
}

void Checker::added(const AddRequest& request, const std::vector<Added>& reply, Time now) {
  if (reply.size() != request.jobs.size()) {
    violations_.push_back(
        fmt::format("I2: {} jobs were sent, {} were answered", request.jobs.size(), reply.size()));
    return;
  }
  for (std::size_t i = 0; i < reply.size(); ++i) {
    const NewJob& job = request.jobs[i];
    const Key key{request.queue, reply[i].id};
    if (job.options.id && *job.options.id != reply[i].id)
      violation("I13", key, "answers the own id " + job.options.id->value);
    if (reply[i].duplicate) {
      if (!jobs_.contains(key)) violation("I3", key, "called a duplicate, but never added");
      continue;
    }
    const auto present = jobs_.find(key);
    if (present != jobs_.end() && !may_be_absent(key)) {
      const auto& state = present->second.by_events;
      violation("I13", key, fmt::format("added while it is {}", state ? to_string(*state) : "there"));
    }
    Known known{.name = job.name, .data = job.data};
    // A dialect may count the delay from the job's own timestamp.
    if (job.options.delay > Duration{0} && !job.options.timestamp) known.due = now + job.options.delay;
    // Its events may have been read before: a hand-off's are.
    if (present != jobs_.end()) known.by_events = present->second.by_events;
    jobs_[key] = std::move(known);
  }
}

void Checker::sent(const TakeRequest& turn) {
  if (turn.finished.empty()) return;
  for (const Finish& finish : turn.finished) {
    const auto known = jobs_.find({turn.queue, finish.id});
    if (finish.keep.count || finish.keep.age) trims_[turn.queue] = true;
    if (known == jobs_.end()) continue;
    known->second.ending.insert(finish.token);
    if (finish.keep.count == 0U) known->second.may_be_gone = true;
  }
}

void Checker::turned(const TakeRequest& turn, const TakeReply& reply, Time now) {
  if (reply.finished.size() != turn.finished.size())
    violations_.push_back("I5: not every finish has its answer");
  for (std::size_t i = 0; i < std::min(reply.finished.size(), turn.finished.size()); ++i) {
    if (reply.finished[i]) finished(turn.queue, turn.finished[i], *reply.finished[i]);
  }
  for (const Finish& finish : turn.finished) {
    if (const auto known = jobs_.find({turn.queue, finish.id}); known != jobs_.end())
      known->second.ending.erase(finish.token);
  }
  if (reply.taken.size() > turn.take)
    violations_.push_back(fmt::format("I15: took {} of {}", reply.taken.size(), turn.take));
  for (const Taken& one : reply.taken) taken(turn.queue, one, now);
}

void Checker::finished(const QueueName& queue, const Finish& finish, const FinishResult& moved) {
  const Key key{queue, finish.id};
  const auto found = jobs_.find(key);
  if (found == jobs_.end()) return;  // removed while the answer was on its way
  Known& known = found->second;
  // Its answer was long on its way: the job was removed, given back or started again since.
  if (known.running != finish.token && known.ending.contains(finish.token)) return;
  if (!known.running) {
    violation("I6", key, "a run was ended that had ended before, by " + finish.token.value);
  } else if (*known.running != finish.token) {
    violation(
        "I5", key,
        fmt::format("accepted the finish of {}, its run is {}", finish.token.value, known.running->value));
  }
  known.running.reset();
  // An answer that was long on its way tells where the job stood then; it may have been promoted since.
  known.due = known.ending.contains(finish.token) ? std::nullopt : moved.due;
  if (finish.keep.count || finish.keep.age) trims_[queue] = true;
  if (!moved.kept) known.may_be_gone = true;
}

void Checker::taken(const QueueName& queue, const Taken& taken, Time now) {
  const Key key{queue, taken.job.id};
  const auto found = jobs_.find(key);
  if (found == jobs_.end()) return violation("I3", key, "taken, but never added");
  Known& known = found->second;
  if (known.running && !known.ending.contains(*known.running))
    violation("I7", key, fmt::format("started as {} while {} runs", taken.token.value, known.running->value));
  if (taken.job.attempts_started != known.started + 1) {
    violation("I8", key, fmt::format("start {} follows start {}", taken.job.attempts_started, known.started));
  }
  if (known.due && now < *known.due)
    violation("I9", key, fmt::format("started {} ms early", (*known.due - now).count()));
  if (taken.job.name != known.name || taken.job.data != known.data)
    violation("I3", key, "taken with other data than it was given");
  known.running = taken.token;
  known.may_be_lost = false;
  known.started = taken.job.attempts_started;
  known.due.reset();
}

void Checker::recovered(const QueueName& queue, const Recovered& reply) {
  for (const auto& ids : {reply.requeued, reply.failed}) {
    for (const JobId& id : ids) {
      Known& known = jobs_[{queue, id}];
      if (!known.running && !known.may_be_lost) violation("I7", {queue, id}, "recovered, but nobody ran it");
      known.may_be_lost = false;
      known.running.reset();
    }
  }
}

void Checker::retried(const JobRef& job, bool reset) {
  Known& known = jobs_[{job.queue, job.id}];
  if (reset) known.made = 0;
  known.due.reset();  // it may have been cancelled while it was delayed
}

void Checker::due_changed(const JobRef& job, std::optional<Time> due) {
  jobs_[{job.queue, job.id}].due = due;
}

void Checker::data_updated(const JobRef& job, const std::string& data) {
  jobs_[{job.queue, job.id}].data = data;
}

void Checker::removed(const JobRef& job) {
  Known& known = jobs_[{job.queue, job.id}];
  known.may_be_gone = true;
  known.running.reset();
}

void Checker::may_vanish(const QueueName& queue, const std::set<State>& states) {
  for (auto& [key, known] : jobs_) {
    const bool there = !hears_events_ || (known.by_events && states.contains(*known.by_events));
    if (key.first == queue && there) known.may_be_gone = true;
  }
}

void Checker::obliterated(const QueueName& queue) {
  std::erase_if(jobs_, [&](const auto& entry) { return entry.first.first == queue; });
}

void Checker::reopened() {
  for (auto& [key, known] : jobs_) {
    known.may_be_lost = spares_lost_ && (known.may_be_lost || known.running);
    known.running.reset();
    known.ending.clear();
  }
}

void Checker::one_job(const Key& key, const Job& job) {
  const auto found = jobs_.find(key);
  if (found == jobs_.end()) return violation("I3", key, "is there, but was never added");
  Known& known = found->second;
  if (job.name != known.name || job.data != known.data)
    violation("I3", key, "differs from what was added: " + job.data);
  if (job.attempts_made > job.attempts_started) violation("I8", key, "more attempts made than started");
  if (job.attempts_made < known.made) violation("I8", key, "attempts made went back");
  if (job.attempts_started != known.started) {
    violation("I8", key,
              fmt::format("started {} times, {} starts were told", job.attempts_started, known.started));
  }
  if (job.stalled < known.stalled) violation("I8", key, "the count of stalls went back");
  if (known.ending.empty() && !known.may_be_lost &&
      (job.state == State::kActive) != known.running.has_value()) {
    violation("I5", key,
              fmt::format("is {}, but its client {} a run", to_string(job.state),
                          known.running ? "holds" : "does not hold"));
  }
  if ((job.state == State::kDelayed) != job.due.has_value())
    violation("I9", key, "only delayed jobs have a due time");
  const bool ended = job.state == State::kCompleted || job.state == State::kFailed;
  if (ended != job.finished_on.has_value()) violation("I6", key, "finished_on does not fit the state");
  if (hears_events_ && !same_but_for_priority(known.by_events, job.state)) {
    violation("I12", key,
              fmt::format("is {}, its events say {}", to_string(job.state),
                          known.by_events ? to_string(*known.by_events) : "nowhere"));
  }
  known.made = job.attempts_made;
  known.stalled = job.stalled;
}

void Checker::snapshot(const Snapshot& snapshot) {
  std::set<JobId> seen;
  for (const auto& [state, jobs] : snapshot.jobs) {
    if (snapshot.counts[state] != jobs.size()) {
      violations_.push_back(fmt::format("I11: queue {}: {} counts {}, {} are there", snapshot.queue.value,
                                        to_string(state), snapshot.counts[state], jobs.size()));
    }
    for (const Job& job : jobs) {
      const Key key{snapshot.queue, job.id};
      if (!seen.insert(job.id).second) violation("I1", key, "stands in two places");
      if (job.state != state)
        violation("I1", key, fmt::format("listed as {}, is {}", to_string(state), to_string(job.state)));
      one_job(key, job);
    }
  }
  for (auto known = jobs_.begin(); known != jobs_.end();) {
    const auto here = known++;
    if (here->first.first != snapshot.queue || seen.contains(here->first.second)) continue;
    if (!may_be_absent(here->first)) violation("I2", here->first, "is lost");
    jobs_.erase(here);
  }
}

void Checker::event(const QueueName& queue, const Event& event) {
  if (event.id.empty()) return;
  const Key key{queue, event.id};
  if (event.kind == EventKind::kAdded) {
    jobs_[key].by_events.reset();
    return;
  }
  const auto found = jobs_.find(key);
  if (found == jobs_.end()) return;  // removed since
  auto& by_events = found->second.by_events;
  const bool moves = event.kind == EventKind::kWaiting || event.kind == EventKind::kDelayed ||
                     event.kind == EventKind::kActive || event.kind == EventKind::kCompleted ||
                     event.kind == EventKind::kFailed || event.kind == EventKind::kRemoved;
  if (!moves) return;
  const auto after = state_after(event);
  const bool delay_changed = event.kind == EventKind::kDelayed && by_events == State::kDelayed;
  if (!delay_changed && !is_legal_by_some_verb(by_events, after) &&
      !same_but_for_priority(by_events, after)) {
    violation("I12", key,
              fmt::format("event {} in state {}", to_string(event.kind),
                          by_events ? to_string(*by_events) : "nowhere"));
  }
  if (event.previous && !same_but_for_priority(event.previous, by_events)) {
    violation("I12", key,
              fmt::format("event {} from {}, was {}", to_string(event.kind), to_string(*event.previous),
                          by_events ? to_string(*by_events) : "nowhere"));
  }
  by_events = after;
}

void Checker::parked_while_ready(const QueueName& queue, const std::string& by) {
  violations_.push_back(
      fmt::format("I20: queue {}: jobs wait while the turn of {} is parked", queue.value, by));
}

}  // namespace gaur::conformance
