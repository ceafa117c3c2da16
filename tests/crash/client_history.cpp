#include "client_history.hpp"

#include <sstream>

#include "protocol.hpp"

namespace gaur::crash {

std::size_t ClientHistory::finishes_in_flight() const {
  std::size_t count = 0;
  for (const auto& [op, finish] : takes_) count += finish ? 1 : 0;
  return count;
}

void ClientHistory::read_line(const std::string& line) {
  std::istringstream words(line);
  std::string what;
  Op op;
  words >> what;
  if (what == "!") {
    driver_error_ = line;
    return;
  }
  words >> op.first >> op.second;
  if (what == "A") {
    adds_.insert(op);
  } else if (what == "a") {
    std::vector<std::string> ids;
    for (std::string id; words >> id;) ids.push_back(id);
    adds_.erase(op);
    ++acknowledged_adds;
    learn_added(add_request(op.first, op.second), ids);
  } else if (what == "T") {
    takes_[op] = std::nullopt;
  } else if (what == "F") {
    Finishing finish;
    words >> finish.id >> finish.token >> finish.kind;
    takes_[op] = finish;
  } else if (what == "f") {
    std::string state, taken, token;
    words >> state >> taken >> token;
    if (const auto finish = takes_[op]) learn_finished(*finish, state);
    takes_.erase(op);
    held_.erase(op.first);
    if (taken != "-") {
      held_[op.first] = {taken, token};
      Known& known = jobs_[taken];
      ++known.reported_starts;
      if (known.terminal) violation("I6: job " + taken + " was started after it had finished");
    }
  }
}

void ClientHistory::learn_added(const AddRequest& request, const std::vector<std::string>& ids) {
  if (ids.size() != request.jobs.size())
    return violation("I2: the reply of an add has another number of jobs");
  for (std::size_t i = 0; i < ids.size(); ++i) {
    // Another session may have reported its start already.
    if (!jobs_[ids[i]].data.empty()) violation("I13: id " + ids[i] + " was used twice");
    jobs_[ids[i]].data = request.jobs[i].data;
  }
}

void ClientHistory::learn_finished(const Finishing& finish, const std::string& state) {
  ++acknowledged_finishes;
  Known& known = jobs_[finish.id];
  if (state != "completed" && state != "failed" && state != "waiting") {
    return violation("I5: the finish of job " + finish.id + " by its only owner was rejected: " + state);
  }
  if (state == "waiting") return;
  if (known.terminal)
    violation("I6: job " + finish.id + " finished twice, by " + *known.terminal + " and " + finish.token);
  known.terminal = finish.token;
  known.terminal_state = state == "completed" ? State::kCompleted : State::kFailed;
}

void ClientHistory::driver_killed() {
  lost_adds_.insert(adds_.begin(), adds_.end());
  adds_.clear();
  for (const auto& [op, finish] : takes_) {
    if (finish) jobs_[finish->id].maybe[finish->token] = finish->kind;
  }
  for (const auto& [session, run] : held_) dead_runs_.push_back(run);
  takes_.clear();
  held_.clear();
}

void ClientHistory::check(const std::map<State, std::vector<Job>>& jobs) {
  std::set<std::string> seen;
  for (const auto& [state, list] : jobs) {
    for (const Job& job : list) {
      if (!seen.insert(job.id.value).second) violation("I1: job " + job.id.value + " is in two states");
      if (job.state != state) violation("I1: job " + job.id.value + " is listed in another state");
      check_job(job);
    }
  }
  for (const auto& [id, known] : jobs_) {
    if (!seen.contains(id)) violation("I2: job " + id + " was acknowledged and is lost");
  }
}

void ClientHistory::check_job(const Job& job) {
  const std::string& id = job.id.value;
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) {
    // An add without a reply may have created it, with that add's data.
    for (const auto& [session, number] : lost_adds_) {
      for (const NewJob& sent : add_request(session, number).jobs) {
        if (sent.data == job.data) return;
      }
    }
    return violation("I3: no request added job " + id + " " + job.data);
  }
  Known& known = found->second;
  if (job.data != known.data)
    violation("I3: the data of job " + id + " is " + job.data + ", was " + known.data);
  if (job.attempts_started < known.reported_starts)
    violation("I8: job " + id + " has fewer starts than were reported");
  if (job.state == State::kActive) violation("I4: job " + id + " is active without a run");
  check_terminal(job, known);
  known.maybe.clear();
}

void ClientHistory::check_terminal(const Job& job, Known& known) {
  const std::string& id = job.id.value;
  const bool ended = job.state == State::kCompleted || job.state == State::kFailed;
  if (known.terminal) {
    if (job.state != known.terminal_state) {
      return violation("I2: job " + id + " was acknowledged as finished and is " +
                       std::string(to_string(job.state)));
    }
    const std::string& mark = job.state == State::kCompleted ? job.result
                              : job.failure                  ? job.failure->message
                                                             : job.result;
    if (mark != result_of(*known.terminal))
      violation("I6: job " + id + " finished by " + *known.terminal + ", but its result is " + mark);
    return;
  }
  if (!ended) {
    for (const auto& [token, kind] : known.maybe)
      unknown_lost += kind == static_cast<char>(Kind::kRetried) ? 0 : 1;
    return;
  }
  if (job.failure && job.failure->code == "stalled" && job.attempts_started >= 10) {
    known.terminal_state = State::kFailed;  // the store's limit of starts
    return;
  }
  // Finished without an acknowledgement, by a finish without a reply.
  for (const auto& [token, kind] : known.maybe) {
    const bool completed = kind == static_cast<char>(Kind::kCompleted) && job.state == State::kCompleted &&
                           job.result == result_of(token);
    const bool failed =
        kind == static_cast<char>(Kind::kFailed) && job.failure && job.failure->message == result_of(token);
    if (!completed && !failed) continue;
    known.terminal = token;
    known.terminal_state = job.state;
    ++unknown_executed;
    return;
  }
  violation("I5: job " + id + " finished as " + job.result + " without such a finish");
}

std::vector<AddRequest> ClientHistory::unknown_adds() const {
  std::vector<AddRequest> requests;
  for (const auto& [session, number] : lost_adds_) requests.push_back(add_request(session, number));
  return requests;
}

void ClientHistory::sent_again(const AddRequest& request, const std::vector<Added>& reply) {
  std::vector<std::string> ids;
  for (const Added& added : reply) {
    if (added.duplicate) violation("I19: the repeat of an add returned a duplicate: " + added.id.value);
    ids.push_back(added.id.value);
  }
  lost_adds_.erase({request.op.session.value, request.op.sequence});
  learn_added(request, ids);
}

std::vector<std::pair<JobId, LockToken>> ClientHistory::dead_runs() const {
  std::vector<std::pair<JobId, LockToken>> runs;
  for (const auto& [id, token] : dead_runs_) {
    if (jobs_.contains(id)) runs.emplace_back(JobId(id), LockToken(token));
  }
  return runs;
}

void ClientHistory::removed(const JobId& id) {
  jobs_.erase(id.value);
}

void ClientHistory::added(const JobId& id, const std::string& data) {
  jobs_[id.value].data = data;
}

std::vector<std::string> ClientHistory::take_violations() {
  return std::exchange(violations_, {});
}

}  // namespace gaur::crash
