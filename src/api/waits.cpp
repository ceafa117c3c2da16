#include "api/waits.hpp"
#include "core/result_json.hpp"

namespace gaur {

namespace {

constexpr std::uint32_t kEventsAtATime = 256;
constexpr Duration kListenFor{5'000};
constexpr Duration kPauseAfterError{1'000};
constexpr int kMostPagesSearched = 64;

bool is_finished(const Job& job) {
  return job.state == State::kCompleted || job.state == State::kFailed;
}
bool is_finish(const Event& event) {
  return event.kind == EventKind::kCompleted || event.kind == EventKind::kFailed;
}

/// A job that was removed as it finished, as far as the event describes it.
Job from_event(Job job, const Event& end) {
  job.id = end.id;
  job.finished_on = end.at;
  if (end.kind == EventKind::kCompleted) {
    job.state = State::kCompleted;
    set_result(job, end.detail);
  } else {
    job.state = State::kFailed;
    Failure failure;
    failure.message = end.detail;
    job.failure = failure;
  }
  return job;
}

}  // namespace

Async<std::string> Waits::cursor(QueueName queue) {
  {
    std::lock_guard lock(mutex_);
    const auto found = queues_.find(queue);
    if (found != queues_.end() && found->second.listening)
      return ready(Result<std::string>(found->second.cursor));
  }
  Promise<Result<std::string>> promise;
  auto future = promise.future();
  store_.events(std::move(queue), "$", 1, Duration{0}).then([promise](Result<EventPage> page) {
    if (page) {
      promise.set(std::move(page->cursor));
    } else {
      promise.set(std::move(page).error());
    }
  });
  return future;
}

Async<Job> Waits::wait(JobRef job, Duration at_most, std::string since, std::stop_token cancel) {
  Waiter waiter;
  waiter.job = job;
  waiter.since = std::move(since);
  auto future = waiter.promise.future();
  WaiterId id = 0;
  bool listening = false;
  bool begin = false;
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return ready(Result<Job>(Error{Errc::kStopping, "this host is stopping"}));
    if (waiters_.size() >= capacity_) {
      return ready(Result<Job>(Error{Errc::kBusy, "too many requests wait for results; retry later"}));
    }
    id = ++last_id_;
    waiters_.emplace(id, std::move(waiter));
    Queue& queue = queues_[job.queue];
    queue.by_job.emplace(job.id, id);
    listening = queue.listening;
    begin = !queue.reading;
    if (begin) queue.reading = true;
  }
  arm(id, at_most, std::move(cancel));
  if (begin) open(job.queue);
  if (listening) read_job(id, false, std::nullopt);
  return future;
}

/// Sets what ends a wait before the job does. Either may fire before it is stored here.
void Waits::arm(WaiterId id, Duration at_most, std::stop_token cancel) {
  const auto timer = env_.loop.post_at(env_.clock.now() + at_most, [weak = weak_from_this(), id] {
    if (const auto self = weak.lock()) self->read_job(id, true, std::nullopt);
  });
  std::shared_ptr<const Waiter::OnCancel> on_cancel;
  if (cancel.stop_possible()) {
    on_cancel = std::make_shared<const Waiter::OnCancel>(std::move(cancel), [weak = weak_from_this(), id] {
      const auto self = weak.lock();
      if (self) self->finish(id, Error{Errc::kDisconnected, "the wait was cancelled"});
    });
  }
  std::unique_lock lock(mutex_);
  const auto found = waiters_.find(id);
  if (found == waiters_.end()) {
    lock.unlock();
    env_.loop.cancel(timer);
    return;
  }
  found->second.timer = timer;
  found->second.on_cancel = std::move(on_cancel);
}

std::optional<Waits::Waiter> Waits::find(WaiterId id) const {
  std::lock_guard lock(mutex_);
  const auto found = waiters_.find(id);
  if (found == waiters_.end()) return std::nullopt;
  return found->second;
}

void Waits::read_job(WaiterId id, bool last_look, std::optional<Event> end) {
  const auto waiter = find(id);
  if (!waiter) return;
  store_.get(waiter->job)
      .then([self = shared_from_this(), id, last_look, end = std::move(end)](Result<Job> answer) {
        self->on_job(id, last_look, end, std::move(answer));
      });
}

void Waits::on_job(WaiterId id, bool last_look, const std::optional<Event>& end, Result<Job> answer) {
  if (answer) {
    if (last_look || is_finished(*answer)) return finish(id, std::move(answer));
    std::lock_guard lock(mutex_);
    if (const auto found = waiters_.find(id); found != waiters_.end())
      found->second.last = std::make_shared<const Job>(*std::move(answer));
    return;
  }
  const auto waiter = find(id);
  if (!waiter) return;
  const bool gone = answer.error().code == Errc::kNotFound;
  if (gone && end) {
    Job job = waiter->last ? *waiter->last : Job{};
    job.queue = waiter->job.queue;
    return finish(id, from_event(std::move(job), *end));
  }
  if (gone && !waiter->since.empty()) return search(id, waiter->since, kMostPagesSearched);
  finish(id, std::move(answer));
}

/// The job no longer exists although it was just added: its finish is in the event log unless that was
/// trimmed.
void Waits::search(WaiterId id, std::string cursor, int pages_left) {
  const auto waiter = find(id);
  if (!waiter) return;
  const auto missing = [&] {
    finish(id, Error{Errc::kNotFound, "job " + waiter->job.id.value + " does not exist (any more)"});
  };
  if (pages_left == 0) return missing();
  store_.events(waiter->job.queue, std::move(cursor), kEventsAtATime, Duration{0})
      .then([self = shared_from_this(), id, job = waiter->job, last = waiter->last,
             pages_left](Result<EventPage> page) {
        if (!page) return self->finish(id, std::move(page).error());
        for (const Event& event : page->events) {
          if (!is_finish(event) || event.id != job.id) continue;
          Job ended = last ? *last : Job{};
          ended.queue = job.queue;
          return self->finish(id, from_event(std::move(ended), event));
        }
        self->search(id, page->cursor, page->events.empty() ? 0 : pages_left - 1);
      });
}

void Waits::open(const QueueName& name) {
  store_.events(name, "$", 1, Duration{0}).then([self = shared_from_this(), name](Result<EventPage> page) {
    self->on_opened(name, std::move(page));
  });
}

void Waits::on_opened(const QueueName& name, Result<EventPage> page) {
  if (page) {
    std::lock_guard lock(mutex_);
    Queue& queue = queues_[name];
    queue.cursor = page->cursor;
    queue.listening = true;
  }
  read_all(name);
  page ? listen(name) : try_again_later(name);
}

void Waits::try_again_later(const QueueName& name) {
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return;
    Queue& queue = queues_[name];
    queue.listening = false;
    if (queue.by_job.empty()) {
      queues_.erase(name);
      return;
    }
  }
  env_.loop.post_at(env_.clock.now() + kPauseAfterError, [weak = weak_from_this(), name] {
    if (const auto self = weak.lock()) self->open(name);
  });
}

void Waits::listen(const QueueName& name) {
  std::string cursor;
  {
    std::lock_guard lock(mutex_);
    const auto found = queues_.find(name);
    if (found == queues_.end()) return;
    if (stopped_ || found->second.by_job.empty()) {
      queues_.erase(found);
      return;
    }
    cursor = found->second.cursor;
  }
  store_.events(name, std::move(cursor), kEventsAtATime, kListenFor)
      .then([self = shared_from_this(), name](Result<EventPage> page) {
        self->on_events(name, std::move(page));
      });
}

void Waits::on_events(const QueueName& name, Result<EventPage> page) {
  if (!page) return try_again_later(name);
  std::vector<std::pair<WaiterId, Event>> ended;
  {
    std::lock_guard lock(mutex_);
    Queue& queue = queues_[name];
    queue.cursor = page->cursor;
    for (const Event& event : page->events) {
      if (!is_finish(event)) continue;
      const auto [first, last] = queue.by_job.equal_range(event.id);
      for (auto it = first; it != last; ++it) ended.emplace_back(it->second, event);
    }
  }
  for (auto& [id, event] : ended) read_job(id, false, std::move(event));
  if (page->gap) read_all(name);
  listen(name);
}

void Waits::read_all(const QueueName& name) {
  std::vector<WaiterId> all;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [job, id] : queues_[name].by_job) all.push_back(id);
  }
  for (const WaiterId id : all) read_job(id, false, std::nullopt);
}

void Waits::finish(WaiterId id, Result<Job> answer) {
  std::optional<Waiter> waiter;
  {
    std::lock_guard lock(mutex_);
    const auto found = waiters_.find(id);
    if (found == waiters_.end()) return;
    waiter = std::move(found->second);
    waiters_.erase(found);
    if (const auto queue = queues_.find(waiter->job.queue); queue != queues_.end()) {
      const auto [first, last] = queue->second.by_job.equal_range(waiter->job.id);
      const auto mine = std::find_if(first, last, [id](const auto& entry) { return entry.second == id; });
      if (mine != last) queue->second.by_job.erase(mine);
    }
  }
  env_.loop.cancel(waiter->timer);
  waiter->promise.set(std::move(answer));
}

void Waits::stop() {
  std::vector<WaiterId> all;
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    for (const auto& [id, waiter] : waiters_) all.push_back(id);
  }
  for (const WaiterId id : all) finish(id, Error{Errc::kStopping, "this host is stopping"});
}

std::size_t Waits::size() const {
  std::lock_guard lock(mutex_);
  return waiters_.size();
}

}  // namespace gaur
