#include "conformance/checker.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/transitions.hpp"

namespace gaur::conformance {

namespace {

/// Events do not distinguish prioritized from waiting.
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

/// True if a verb removed it or a retention may have removed it.
bool Checker::may_be_missing(const Key& key) {
  const Known& known = jobs_.at(key);
  const bool ended = !has_event_log_ || known.state_by_events == State::kCompleted ||
                     known.state_by_events == State::kFailed;
  return known.may_be_removed || (ended && trims_[key.first]);
}

void Checker::added(const AddRequest& request, const std::vector<Added>& reply, Time now) {
  if (reply.size() != request.jobs.size()) {
    violations_.push_back(
        fmt::format("I2: the add of {} jobs got a reply for {}", request.jobs.size(), reply.size()));
    return;
  }
  for (std::size_t i = 0; i < reply.size(); ++i) {
    const NewJob& job = request.jobs[i];
    const Key key{request.queue, reply[i].id};
    if (job.options.id && *job.options.id != reply[i].id)
      violation("I13", key, "is the reply to custom id " + job.options.id->value);
    if (reply[i].duplicate) {
      if (!jobs_.contains(key)) violation("I3", key, "reported as a duplicate but never added");
      continue;
    }
    const auto present = jobs_.find(key);
    if (present != jobs_.end() && !may_be_missing(key)) {
      const auto& state = present->second.state_by_events;
      violation("I13", key, fmt::format("added again while it is {}", state ? to_string(*state) : "stored"));
    }
    Known known{.name = job.name, .data = job.data};
    // A dialect may count the delay from the job's timestamp.
    if (job.options.delay > Duration{0} && !job.options.timestamp) known.due = now + job.options.delay;
    // Its events may have been read already, for example those of a hand-off.
    if (present != jobs_.end()) known.state_by_events = present->second.state_by_events;
    jobs_[key] = std::move(known);
  }
}

void Checker::sent(const TakeRequest& request) {
  if (request.finished.empty()) return;
  for (const Finish& finish : request.finished) {
    const auto known = jobs_.find({request.queue, finish.id});
    if (finish.keep.count || finish.keep.age) trims_[request.queue] = true;
    if (known == jobs_.end()) continue;
    known->second.ending.insert(finish.token);
    if (finish.keep.count == 0U) known->second.may_be_removed = true;
  }
}

void Checker::took(const TakeRequest& request, const TakeReply& reply, Time now) {
  if (reply.finished.size() != request.finished.size())
    violations_.push_back("I5: some finishes have no reply");
  for (std::size_t i = 0; i < std::min(reply.finished.size(), request.finished.size()); ++i) {
    if (reply.finished[i]) finished(request.queue, request.finished[i], *reply.finished[i]);
  }
  for (const Finish& finish : request.finished) {
    if (const auto known = jobs_.find({request.queue, finish.id}); known != jobs_.end())
      known->second.ending.erase(finish.token);
  }
  if (reply.taken.size() > request.take)
    violations_.push_back(fmt::format("I15: {} jobs taken, {} requested", reply.taken.size(), request.take));
  for (const Taken& one : reply.taken) taken(request.queue, one, now);
}

void Checker::finished(const QueueName& queue, const Finish& finish, const FinishResult& result) {
  const Key key{queue, finish.id};
  const auto found = jobs_.find(key);
  if (found == jobs_.end()) return;  // removed before the reply arrived
  Known& known = found->second;
  // A late reply: the job was removed, requeued or started again since.
  if (known.running != finish.token && known.ending.contains(finish.token)) return;
  if (!known.running) {
    violation("I6", key, "a run was finished twice, last by " + finish.token.value);
  } else if (*known.running != finish.token) {
    violation("I5", key,
              fmt::format("accepted the finish of {} while {} is the current run", finish.token.value,
                          known.running->value));
  }
  known.running.reset();
  // A late reply contains a past state; the job may have been promoted since.
  known.due = known.ending.contains(finish.token) ? std::nullopt : result.due;
  if (finish.keep.count || finish.keep.age) trims_[queue] = true;
  if (!result.kept) known.may_be_removed = true;
}

void Checker::taken(const QueueName& queue, const Taken& taken, Time now) {
  const Key key{queue, taken.job.id};
  const auto found = jobs_.find(key);
  if (found == jobs_.end()) return violation("I3", key, "taken but never added");
  Known& known = found->second;
  if (known.running && !known.ending.contains(*known.running))
    violation("I7", key,
              fmt::format("started as {} while run {} is active", taken.token.value, known.running->value));
  if (taken.job.attempts_started != known.started + 1) {
    violation("I8", key, fmt::format("start {} follows start {}", taken.job.attempts_started, known.started));
  }
  if (known.due && now < *known.due)
    violation("I9", key, fmt::format("started {} ms early", (*known.due - now).count()));
  if (taken.job.name != known.name || taken.job.data != known.data)
    violation("I3", key, "taken with other data than it was added with");
  known.running = taken.token;
  known.may_be_active_unlocked = false;
  known.started = taken.job.attempts_started;
  known.due.reset();
}

void Checker::recovered(const QueueName& queue, const Recovered& reply) {
  for (const auto& ids : {reply.requeued, reply.failed}) {
    for (const JobId& id : ids) {
      Known& known = jobs_[{queue, id}];
      if (!known.running && !known.may_be_active_unlocked)
        violation("I7", {queue, id}, "recovered without an active run");
      known.may_be_active_unlocked = false;
      known.running.reset();
    }
  }
}

void Checker::retried(const JobRef& job, bool reset) {
  Known& known = jobs_[{job.queue, job.id}];
  if (reset) known.made = 0;
  known.due.reset();  // it may have been cancelled while delayed
}

void Checker::due_changed(const JobRef& job, std::optional<Time> due) {
  jobs_[{job.queue, job.id}].due = due;
}

void Checker::data_updated(const JobRef& job, const std::string& data) {
  jobs_[{job.queue, job.id}].data = data;
}

void Checker::removed(const JobRef& job) {
  Known& known = jobs_[{job.queue, job.id}];
  known.may_be_removed = true;
  known.running.reset();
}

void Checker::may_be_removed_in(const QueueName& queue, const std::set<State>& states) {
  for (auto& [key, known] : jobs_) {
    const bool there = !has_event_log_ || (known.state_by_events && states.contains(*known.state_by_events));
    if (key.first == queue && there) known.may_be_removed = true;
  }
}

void Checker::obliterated(const QueueName& queue) {
  std::erase_if(jobs_, [&](const auto& entry) { return entry.first.first == queue; });
}

void Checker::reopened() {
  for (auto& [key, known] : jobs_) {
    known.may_be_active_unlocked = unlocked_stay_active_ && (known.may_be_active_unlocked || known.running);
    known.running.reset();
    known.ending.clear();
  }
}

void Checker::one_job(const Key& key, const Job& job) {
  const auto found = jobs_.find(key);
  if (found == jobs_.end()) return violation("I3", key, "is stored but was never added");
  Known& known = found->second;
  if (job.name != known.name || job.data != known.data)
    violation("I3", key, "has other data than it was added with: " + job.data);
  if (job.attempts_made > job.attempts_started)
    violation("I8", key, "attempts_made exceeds attempts_started");
  if (job.attempts_made < known.made) violation("I8", key, "attempts_made decreased");
  if (job.attempts_started != known.started) {
    violation("I8", key,
              fmt::format("attempts_started is {}, replies reported {} starts", job.attempts_started,
                          known.started));
  }
  if (job.stalled < known.stalled) violation("I8", key, "stalled decreased");
  if (known.ending.empty() && !known.may_be_active_unlocked &&
      (job.state == State::kActive) != known.running.has_value()) {
    violation(
        "I5", key,
        fmt::format("is {}, and its client has {} run", to_string(job.state), known.running ? "a" : "no"));
  }
  if ((job.state == State::kDelayed) != job.due.has_value())
    violation("I9", key, "must have a due time exactly while delayed");
  const bool ended = job.state == State::kCompleted || job.state == State::kFailed;
  if (ended != job.finished_on.has_value())
    violation("I6", key, "must have finished_on exactly while completed or failed");
  if (has_event_log_ && !same_but_for_priority(known.state_by_events, job.state)) {
    violation("I12", key,
              fmt::format("is {}, but {} according to its events", to_string(job.state),
                          known.state_by_events ? to_string(*known.state_by_events) : "unknown"));
  }
  known.made = job.attempts_made;
  known.stalled = job.stalled;
}

void Checker::snapshot(const QueueSnapshot& snapshot) {
  std::set<JobId> seen;
  for (const auto& [state, jobs] : snapshot.jobs) {
    if (snapshot.counts[state] != jobs.size()) {
      violations_.push_back(fmt::format("I11: queue {}: {} counts {} jobs, but {} are listed",
                                        snapshot.queue.value, to_string(state), snapshot.counts[state],
                                        jobs.size()));
    }
    for (const Job& job : jobs) {
      const Key key{snapshot.queue, job.id};
      if (!seen.insert(job.id).second) violation("I1", key, "is in two states");
      if (job.state != state)
        violation("I1", key,
                  fmt::format("is listed as {} but is {}", to_string(state), to_string(job.state)));
      one_job(key, job);
    }
  }
  for (auto known = jobs_.begin(); known != jobs_.end();) {
    const auto here = known++;
    if (here->first.first != snapshot.queue || seen.contains(here->first.second)) continue;
    if (!may_be_missing(here->first)) violation("I2", here->first, "is lost");
    jobs_.erase(here);
  }
}

void Checker::event(const QueueName& queue, const Event& event) {
  if (event.id.empty()) return;
  const Key key{queue, event.id};
  if (event.kind == EventKind::kAdded) {
    jobs_[key].state_by_events.reset();
    return;
  }
  const auto found = jobs_.find(key);
  if (found == jobs_.end()) return;  // removed since
  auto& state_by_events = found->second.state_by_events;
  const bool moves = event.kind == EventKind::kWaiting || event.kind == EventKind::kDelayed ||
                     event.kind == EventKind::kActive || event.kind == EventKind::kCompleted ||
                     event.kind == EventKind::kFailed || event.kind == EventKind::kRemoved;
  if (!moves) return;
  const auto after = state_after(event);
  const bool delay_changed = event.kind == EventKind::kDelayed && state_by_events == State::kDelayed;
  if (!delay_changed && !is_legal_by_some_verb(state_by_events, after) &&
      !same_but_for_priority(state_by_events, after)) {
    violation("I12", key,
              fmt::format("event {} in state {}", to_string(event.kind),
                          state_by_events ? to_string(*state_by_events) : "unknown"));
  }
  if (event.previous && !same_but_for_priority(event.previous, state_by_events)) {
    violation("I12", key,
              fmt::format("event {} from {}, was {}", to_string(event.kind), to_string(*event.previous),
                          state_by_events ? to_string(*state_by_events) : "unknown"));
  }
  state_by_events = after;
}

void Checker::long_poll_open_while_ready(const QueueName& queue, const std::string& worker) {
  violations_.push_back(
      fmt::format("I20: queue {}: jobs are ready while a long poll of {} is open", queue.value, worker));
}

}  // namespace gaur::conformance
