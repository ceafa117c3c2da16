#include "observer.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gaur::simulation {

Observer::Observer(Backend& backend, Store& store, const ManualClock& clock, std::vector<QueueName> queues)
    : backend_(backend), store_(store), clock_(clock), queues_(std::move(queues)) {
  for (const QueueName& queue : queues_) counts_[queue] = {};
}

std::vector<std::string> Observer::violations() const {
  std::vector<std::string> all = checker_.violations();
  all.insert(all.end(), violations_.begin(), violations_.end());
  return all;
}

/// The clock may be set back after a job became due.
Time Observer::latest_wall() {
  latest_wall_ = std::max(latest_wall_, clock_.wall());
  return latest_wall_;
}

// ---- calls -----------------------------------------------------------------------------------

template <class T>
Result<T> Observer::now(Async<T> future) {
  (void)latest_wall();
  auto reply = std::make_shared<std::optional<Result<T>>>();
  std::move(future).then([reply](Result<T> value) { reply->emplace(std::move(value)); });
  backend_.pump();
  if (!*reply) return Error{Errc::kTimeout, "the store did not answer"};
  return **reply;
}

/// The call's own reply is checked first, then those of the long polls that it ended.
template <class T, class Seen>
Async<T> Observer::observed(Async<T> future, Seen seen) {
  Result<T> reply = now(std::move(future));
  if (reply) seen(*reply);
  settle_late();
  return ready(std::move(reply));
}

void Observer::settle_late() {
  while (!late_.empty()) {
    Late one = std::move(late_.front());
    late_.pop_front();
    std::erase_if(open_polls_, [&](const TakeRequest& open) { return open.op == one.request.op; });
    if (one.reply && !one.repeated) took(one.request, *one.reply);
    one.promise.set(std::move(one.reply));
  }
}

bool Observer::is_repeat(const OperationId& op) const {
  const auto last = executed_.find(op.session);
  return op.sequence > 0 && last != executed_.end() && last->second >= op.sequence;
}

Async<std::vector<Added>> Observer::add(AddRequest request) {
  const bool repeated = is_repeat(request.op);
  std::vector<bool> duplicate;  // by own id, before the add
  for (const NewJob& job : request.jobs)
    duplicate.push_back(job.options.id && exists({request.queue, *job.options.id}));
  auto reply = observed(store_.add(request), [&](const std::vector<Added>& added) {
    if (!repeated) checker_.added(request, added, clock_.wall());
    executed_[request.op.session] = std::max(executed_[request.op.session], request.op.sequence);
    for (std::size_t i = 0; i < added.size() && i < request.jobs.size(); ++i) {
      const NewJob& job = request.jobs[i];
      const Key key{request.queue, added[i].id};
      if (!repeated && added[i].duplicate != duplicate[i])
        violation(fmt::format("I13: the add of job {} is {}a duplicate", key.second.value,
                              added[i].duplicate ? "" : "not "));
      if (added[i].duplicate) continue;
      const auto [place, is_new] = data_.try_emplace(job.data, key);
      if (place->second != key)
        violation(fmt::format("I19: {} was added as job {} and again as {}", job.data,
                              place->second.second.value, key.second.value));
      const JobOptions& options = job.options;
      if (!is_new || repeated || options.priority > 0 || options.lifo || options.delay > Duration{0})
        continue;
      order_[{request.queue, job.name}][++adds_] = key;
      place_[key] = adds_;
    }
  });
  check_long_polls();
  return reply;
}

/// I20: no long poll stays open while every ready job of its queue fits it.
void Observer::check_long_polls() {
  for (const TakeRequest& open : open_polls_) {
    if (paused_.contains(open.queue) || !open.filter) continue;
    std::size_t ready = 0, fitting = 0;
    for (const State state : {State::kWaiting, State::kPrioritized}) {
      const auto jobs = now(store_.range({.queue = open.queue, .state = state, .limit = 1000}));
      if (!jobs) return;
      for (const Job& job : *jobs) {
        const auto needs = open.filter->needs.find(FunctionName(job.name));
        ++ready;
        if (needs != open.filter->needs.end() && !needs->second.unavailable &&
            fits(needs->second, open.filter->free))
          ++fitting;
      }
    }
    if (ready > 0 && fitting == ready) checker_.long_poll_open_while_ready(open.queue, open.worker);
  }
}

Async<TakeReply> Observer::finish_and_take(TakeRequest request) {
  const bool repeated = is_repeat(request.op);
  auto own = std::make_shared<std::optional<Result<TakeReply>>>();
  auto is_late = std::make_shared<bool>(false);
  Promise<Result<TakeReply>> promise;
  auto future = promise.future();
  store_.finish_and_take(request).then([=, this](Result<TakeReply> reply) {
    if (*is_late) {
      late_.push_back({request, std::move(reply), promise, repeated});
    } else {
      own->emplace(std::move(reply));
    }
  });
  backend_.pump();
  if (*own) {
    if (**own && !repeated) took(request, ***own);
    promise.set(**own);
  } else {
    *is_late = true;
    open_polls_.push_back(request);
    executed_[request.op.session] = std::max(executed_[request.op.session], request.op.sequence);
  }
  settle_late();
  return future;
}

void Observer::took(const TakeRequest& request, const TakeReply& reply) {
  executed_[request.op.session] = std::max(executed_[request.op.session], request.op.sequence);
  checker_.took(request, reply, latest_wall());
  for (std::size_t i = 0; i < std::min(reply.finished.size(), request.finished.size()); ++i) {
    if (reply.finished[i]) finished(request.queue, request.finished[i], *reply.finished[i]);
  }
  for (const Taken& taken : reply.taken) started(request, taken);
}

void Observer::finished(const QueueName& queue, const Finish& finish, const FinishResult& result) {
  const Key key{queue, finish.id};
  const auto run = runs_.find(key);
  if (run == runs_.end() || run->second.token != finish.token) {
    violation(fmt::format("I5: job {}: accepted the finish of {}, which is not its current run",
                          key.second.value, finish.token.value));
  }
  end_run(key);
  const auto before = jobs_.find(key);
  if (std::holds_alternative<outcome::Stalled>(finish.outcome) && before != jobs_.end() &&
      result.stalled <= before->second.stalled) {
    violation(fmt::format("I8: job {}: its runner died, and stalled is still {}", key.second.value,
                          result.stalled));
  }
  if (const auto* completed = std::get_if<outcome::Completed>(&finish.outcome))
    results_[key] = completed->result;
}

void Observer::started(const TakeRequest& request, const Taken& taken) {
  const Key key{request.queue, taken.job.id};
  if (paused_.contains(request.queue))
    violation(fmt::format("I15: job {} started while its queue is paused", key.second.value));
  runs_[key] = {taken.token, request.worker, clock_.now(), clock_.now() + request.lock};
  if (const auto place = place_.find(key); place != place_.end()) {
    const auto& waiting = order_[{request.queue, taken.job.name}];
    if (!waiting.empty() && waiting.begin()->first < place->second) {
      violation(fmt::format("I10: job {} started before job {}, which was added earlier", key.second.value,
                            waiting.begin()->second.second.value));
    }
  }
  leave_order(key);
}

void Observer::leave_order(const Key& key) {
  const auto place = place_.find(key);
  if (place == place_.end()) return;
  for (auto& [name, waiting] : order_) {
    const auto found = waiting.find(place->second);
    if (found != waiting.end() && found->second == key) waiting.erase(found);
  }
  place_.erase(place);
}

// ---- locks and time --------------------------------------------------------------------------

Async<ExtendReply> Observer::extend_locks(ExtendRequest request) {
  return observed(store_.extend_locks(request), [&](const ExtendReply& reply) {
    for (std::size_t i = 0; i < std::min(reply.locks.size(), request.held.size()); ++i) {
      const auto run = runs_.find({request.queue, request.held[i].id});
      const bool is_current = run != runs_.end() && run->second.token == request.held[i].token;
      if (reply.locks[i] && !is_current)
        violation(fmt::format("I5: renewed the lock of {}, which is not the current run",
                              request.held[i].token.value));
      if (reply.locks[i] && is_current && request.renew) run->second.lock_until = clock_.now() + request.lock;
    }
  });
}

Async<Recovered> Observer::recover(RecoverRequest request) {
  return observed(store_.recover(request), [&](const Recovered& reply) {
    for (const auto& ids : {reply.requeued, reply.failed}) {
      for (const JobId& id : ids) {
        ++recovered_;
        const Key key{request.queue, id};
        const auto run = runs_.find(key);
        if (run == runs_.end()) continue;  // the checker reports it
        if (clock_.now() < run->second.lock_until) {
          violation(fmt::format("I7: job {} was recovered, but the lock of its run is valid", id.value));
        } else if (on_recovered) {
          on_recovered(key, run->second);
        }
        end_run(key);
      }
    }
    checker_.recovered(request.queue, reply);
  });
}

Async<QueueHint> Observer::wake_delayed(QueueName queue) {
  return observed(store_.wake_delayed(std::move(queue)), [](const QueueHint&) {});
}

Async<WorkReply> Observer::wait_for_work(WorkRequest request) {
  return store_.wait_for_work(std::move(request));  // its replies are hints, which need no check
}

void Observer::tick() {
  (void)latest_wall();
  backend_.tick();
  backend_.pump();
  settle_late();
}

void Observer::crash_and_reopen() {
  backend_.crash_and_reopen();
  backend_.pump();
  settle_late();
  checker_.reopened();
  runs_.clear();
}

// ---- operations on jobs and queues -----------------------------------------------------------

Async<CancelReply> Observer::cancel(JobRef job, std::string who, std::string why) {
  return observed(store_.cancel(job, std::move(who), std::move(why)), [&](const CancelReply& reply) {
    if (reply == CancelReply::kRemoved) leave_order({job.queue, job.id});
  });
}
Async<Unit> Observer::retry(JobRef job, bool reset_attempts) {
  return observed(store_.retry(job, reset_attempts), [&](const Unit&) {
    retried_by_hand_.insert({job.queue, job.id});
    results_.erase({job.queue, job.id});
    checker_.retried(job, reset_attempts);
  });
}
Async<Unit> Observer::promote(JobRef job) {
  return observed(store_.promote(job), [&](const Unit&) { checker_.due_changed(job, {}); });
}
Async<Unit> Observer::remove(JobRef job) {
  return observed(store_.remove(job), [&](const Unit&) {
    leave_order({job.queue, job.id});
    end_run({job.queue, job.id});
    edited_.insert(job.queue);
    checker_.removed(job);
  });
}
Async<Unit> Observer::update_data(JobRef job, std::string data) {
  return observed(store_.update_data(job, data), [&](const Unit&) {
    edited_.insert(job.queue);
    checker_.data_updated(job, data);
  });
}
Async<Unit> Observer::update_progress(JobRef job, std::optional<LockToken> token, std::string progress) {
  return observed(store_.update_progress(std::move(job), std::move(token), std::move(progress)),
                  [](const Unit&) {});
}
Async<std::uint64_t> Observer::append_logs(JobRef job, std::vector<std::string> lines) {
  return observed(store_.append_logs(std::move(job), std::move(lines)), [](std::uint64_t) {});
}
Async<Unit> Observer::change_delay(JobRef job, Duration delay) {
  return observed(store_.change_delay(job, delay),
                  [&](const Unit&) { checker_.due_changed(job, clock_.wall() + delay); });
}
Async<Unit> Observer::change_priority(JobRef job, std::uint32_t priority, bool lifo) {
  return observed(store_.change_priority(job, priority, lifo), [&](const Unit&) {
    edited_.insert(job.queue);
    leave_order({job.queue, job.id});
  });
}
void Observer::pause(const QueueName& queue) {
  if (now(store_.pause(queue))) paused_.insert(queue);
  settle_late();
}
void Observer::resume(const QueueName& queue) {
  paused_.erase(queue);
  (void)now(store_.resume(queue));
  settle_late();
}
void Observer::clean(const QueueName& queue, State state) {
  edited_.insert(queue);
  checker_.may_be_removed_in(queue, {state});
  (void)now(store_.clean(queue, state, Duration(1000), 0));
  settle_late();
}
void Observer::drain(const QueueName& queue, bool delayed_too) {
  edited_.insert(queue);
  std::set<State> states{State::kWaiting, State::kPrioritized};
  if (delayed_too) states.insert(State::kDelayed);
  checker_.may_be_removed_in(queue, states);
  for (const auto& [key, job] : jobs_) {
    if (key.first == queue && states.contains(job.state)) leave_order(key);
  }
  (void)now(store_.drain(queue, delayed_too));
  settle_late();
}

// ---- snapshots -------------------------------------------------------------------------------

/// Every transition has an event, and edits without a transition are remembered, so that a queue without new
/// events is as before. An event that is missing shows at the next one.
void Observer::check() {
  for (const QueueName& queue : queues_) {
    const bool edited = edited_.erase(queue) > 0;
    if (read_events(queue) || edited) read_jobs(queue);
  }
}

/// Returns whether there are any.
bool Observer::read_events(const QueueName& queue) {
  const auto page = now(store_.events(queue, cursors_[queue], 1000, Duration(0)));
  if (!page) {
    violation("I11: the events of " + queue.value + " cannot be read: " + page.error().message);
    return false;
  }
  for (const Event& event : page->events) {
    checker_.event(queue, event);
    // A job that a take fails at its limit of starts has not started.
    if (event.kind == EventKind::kFailed || event.kind == EventKind::kRemoved) leave_order({queue, event.id});
  }
  const bool any = cursors_[queue] != page->cursor;
  cursors_[queue] = page->cursor;
  return any;
}

void Observer::read_jobs(const QueueName& queue) {
  conformance::QueueSnapshot snapshot{.queue = queue};
  const auto counts = now(store_.counts(queue));
  if (!counts) return;  // the queue does not exist yet
  snapshot.counts = counts_[queue] = *counts;
  jobs_.erase(jobs_.lower_bound({queue, JobId()}),
              jobs_.lower_bound({QueueName(queue.value + '\0'), JobId()}));
  for (const State state : kAllStates) {
    if (state == State::kWaitingChildren) continue;
    auto jobs = now(store_.range({.queue = queue, .state = state, .limit = 1000}));
    if (!jobs) return violation("I1: jobs cannot be read: " + jobs.error().message);
    for (const Job& job : *jobs) check_job({queue, job.id}, job);
    snapshot.jobs[state] = *std::move(jobs);
  }
  checker_.snapshot(snapshot);
}

void Observer::check_job(const Key& key, const Job& job) {
  const std::uint32_t most = std::max(job.options.attempts, 1U);
  if (job.attempts_made > most && !retried_by_hand_.contains(key))
    violation(fmt::format("I8: job {} made {} attempts of {}", key.second.value, job.attempts_made, most));
  if (job.state == State::kCompleted) {
    const auto expected = results_.find(key);
    if (expected == results_.end() || expected->second != job.result)
      violation(fmt::format("I6: job {} has the result {}, not that of its accepted finish", key.second.value,
                            job.result));
  }
  if (const auto run = runs_.find(key); run != runs_.end() && job.state != State::kActive)
    violation(fmt::format("I5: job {} is {} while it has a run", key.second.value, to_string(job.state)));
  jobs_[key] = job;
}

}  // namespace gaur::simulation
