#include "redis_store/wake_ups.hpp"

#include <algorithm>
#include <list>
#include <optional>
#include <set>

namespace gaur::redis_store {

namespace {
constexpr std::size_t kMostReported = 10'000;  // pairs of worker and queue; and cancellations
}  // namespace

class WakeUps::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(ContextPtr context, std::shared_ptr<TakeMemory> memory)
      : context_(std::move(context)), memory_(std::move(memory)) {}

  Async<WorkReply> wait(WorkRequest request) {
    Waiter waiter;
    auto future = waiter.promise.future();
    std::vector<QueueName> unknown;
    {
      std::lock_guard lock(mutex_);
      if (reported_.size() >= kMostReported) reported_.clear();  // at worst a hint is reported twice
      for (const QueueName& queue : request.queues) {
        if (reported_.emplace(std::pair{request.worker, queue}, queues_[queue].hints).second)
          unknown.push_back(queue);
      }
      const Instant until = context_->env.clock.now() + request.at_most;
      waiter.id = ++last_waiter_;
      waiter.request = std::move(request);
      waiter.timer = context_->env.loop.post_at(until, [weak = weak_from_this(), id = waiter.id] {
        if (const auto self = weak.lock()) self->time_out(id);
      });
      waiters_.push_back(std::move(waiter));
    }
    for (const QueueName& queue : unknown) watch(queue);
    context_->env.loop.post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->answer_waiters();
    });
    return future;
  }

  void hint(const QueueName& queue) {
    {
      std::lock_guard lock(mutex_);
      const auto found = queues_.find(queue);
      if (found == queues_.end()) return;
      ++found->second.hints;
      if (waiters_.empty()) return;
    }
    answer_waiters();
  }

  void close() {
    std::list<Waiter> waiters;
    std::map<QueueName, Queue> queues;
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
      waiters.swap(waiters_);
      queues.swap(queues_);
    }
    for (const Waiter& waiter : waiters) {
      context_->env.loop.cancel(waiter.timer);
      context_->env.loop.post([promise = waiter.promise] { promise.set(store_closed()); });
    }
  }

 private:
  struct Queue {
    std::unique_ptr<Watch> watch;
    bool listening = false;
    /// It listened before and does not now.
    bool lost = false;
    std::uint64_t hints = 0;
    /// As last read from the server.
    std::vector<CancelRequest> cancels;
  };
  struct Waiter {
    std::uint64_t id = 0;
    WorkRequest request;
    Loop::TimerId timer = 0;
    Promise<Result<WorkReply>> promise;
  };

  /// Opens the queue's source once. What waits already is read when it listens.
  void watch(const QueueName& queue) {
    const auto weak = weak_from_this();
    const auto calling = [weak, queue](void (Impl::*member)(const QueueName&)) {
      return [weak, queue, member] {
        if (const auto self = weak.lock()) ((*self).*member)(queue);
      };
    };
    WakeUpSource::Listener listener;
    listener.on_work = calling(&Impl::hint);
    listener.on_cancel = calling(&Impl::read_waiting);
    listener.on_arrival = [weak, queue](const JobId& id) {
      const auto self = weak.lock();
      if (!self) return;
      self->note_arrival(queue, id);
      self->hint(queue);
    };
    listener.on_state = [weak, queue](bool listening) {
      if (const auto self = weak.lock()) self->on_state(queue, listening);
    };
    bool listening = false;
    {
      std::lock_guard lock(mutex_);
      if (closed_) return;
      Queue& here = queues_[queue];
      listening = here.listening;
      if (here.watch == nullptr) {
        here.watch =
            context_->dialect.wake_ups->watch(context_->client, context_->keys(queue), std::move(listener));
      }
    }
    if (listening) read_waiting(queue);
  }

  void on_state(const QueueName& queue, bool listening) {
    bool again = false;
    {
      std::lock_guard lock(mutex_);
      const auto found = queues_.find(queue);
      if (found == queues_.end()) return;
      again = found->second.lost && listening;
      found->second.listening = listening;
      found->second.lost = !listening;
    }
    if (!listening || again) hint(queue);  // messages may have been missed
    if (listening) read_waiting(queue);
  }

  /// Reads whether a job waits, and the requested cancellations.
  void read_waiting(const QueueName& queue) {
    if (!context_->open) return;
    const Keys keys = context_->keys(queue);
    std::vector<redis::Command> commands{{"HGETALL", keys.own() + "cancels"}};
    for (const KeyLayout::Structure& waiting : context_->dialect.layout.waiting) {
      const bool is_list = waiting.kind == KeyLayout::Kind::kList;
      commands.push_back({is_list ? "LLEN" : "ZCARD", keys.at(waiting.name)});
    }
    const std::size_t expected = commands.size();
    context_->client.pipeline(std::move(commands))
        .then([weak = weak_from_this(), queue, expected](const Result<Replies>& replies) {
          const auto self = weak.lock();
          if (!self || !replies || replies->size() != expected) return;
          self->note_cancels(queue, replies->front());
          const bool waits = std::any_of(replies->begin() + 1, replies->end(),
                                         [](const redis::Reply& length) { return integer_of(length) > 0; });
          waits ? self->hint(queue) : self->answer_waiters();
        });
  }

  void note_cancels(const QueueName& queue, const redis::Reply& reply) {
    std::scoped_lock lock(mutex_, memory_->mutex);
    const auto found = queues_.find(queue);
    if (found == queues_.end()) return;
    found->second.cancels.clear();
    std::set<std::string> workers;
    for (const auto& [session, worker] : memory_->owners) workers.insert(worker);
    for (const std::string& worker : workers) {
      for (CancelRequest& request : cancels_of(reply, queue, worker, *memory_))
        found->second.cancels.push_back(std::move(request));
    }
  }

  /// With a priority the job may have entered the part of the list that was scanned already.
  void note_arrival(const QueueName& queue, const JobId& id) {
    std::lock_guard lock(memory_->mutex);
    const auto found = memory_->queues.find(queue);
    if (found != memory_->queues.end()) found->second.index.arrived(id);
  }

  void time_out(std::uint64_t id) {
    std::optional<Promise<Result<WorkReply>>> promise;
    {
      std::lock_guard lock(mutex_);
      const auto found =
          std::find_if(waiters_.begin(), waiters_.end(), [&](const Waiter& one) { return one.id == id; });
      if (found == waiters_.end()) return;
      promise = found->promise;
      waiters_.erase(found);
    }
    promise->set(WorkReply{});
  }

  /// The hints and cancellations not reported to this worker yet; nothing if there are none.
  std::optional<WorkReply> work_for(const WorkRequest& request) {
    WorkReply reply;
    for (const QueueName& queue : request.queues) {
      const auto found = queues_.find(queue);
      if (found == queues_.end()) continue;
      std::uint64_t& reported = reported_[{request.worker, queue}];
      if (reported < found->second.hints) {
        reported = found->second.hints;
        reply.queues.push_back(queue);
      }
      std::lock_guard lock(memory_->mutex);
      for (const CancelRequest& cancel : found->second.cancels) {
        if (memory_->owner_of(cancel.token.value) != request.worker) continue;
        if (reported_cancels_.insert(cancel.token).second) reply.cancels.push_back(cancel);
      }
    }
    if (reported_cancels_.size() > kMostReported)
      reported_cancels_.clear();  // reporting one twice has no effect
    if (reply.queues.empty() && reply.cancels.empty()) return std::nullopt;
    return reply;
  }

  void answer_waiters() {
    std::vector<std::pair<Promise<Result<WorkReply>>, WorkReply>> answers;
    {
      std::lock_guard lock(mutex_);
      for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
        const auto here = waiter++;
        auto reply = work_for(here->request);
        if (!reply) continue;
        context_->env.loop.cancel(here->timer);
        answers.emplace_back(here->promise, *std::move(reply));
        waiters_.erase(here);
      }
    }
    for (auto& [promise, reply] : answers) promise.set(std::move(reply));
  }

  const ContextPtr context_;
  const std::shared_ptr<TakeMemory> memory_;
  std::mutex mutex_;  // guards all below
  bool closed_ = false;
  std::uint64_t last_waiter_ = 0;
  std::map<QueueName, Queue> queues_;
  /// Worker and queue -> hints at its last answer.
  std::map<std::pair<std::string, QueueName>, std::uint64_t> reported_;
  std::set<LockToken> reported_cancels_;
  std::list<Waiter> waiters_;
};

WakeUps::WakeUps(ContextPtr context, std::shared_ptr<TakeMemory> memory)
    : impl_(std::make_shared<Impl>(std::move(context), std::move(memory))) {}

WakeUps::~WakeUps() {
  impl_->close();
}

std::function<void(const QueueName&)> WakeUps::hinter() {
  return [weak = std::weak_ptr<Impl>(impl_)](const QueueName& queue) {
    if (const auto impl = weak.lock()) impl->hint(queue);
  };
}

Async<WorkReply> WakeUps::wait_for_work(WorkRequest request) {
  return impl_->wait(std::move(request));
}

}  // namespace gaur::redis_store
