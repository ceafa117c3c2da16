#include "redis_store/event_feed.hpp"

#include <fmt/format.h>

#include <list>
#include <map>
#include <mutex>

#include "redis_store/event_ring.hpp"

namespace gaur::redis_store {

namespace {
constexpr Duration kListensWithin{5'000};
}  // namespace

class EventFeed::Impl : public std::enable_shared_from_this<Impl> {
 public:
  explicit Impl(ContextPtr context)
      : context_(std::move(context)), instance_(fmt::format("{:x}", context_->env.random.next())) {}

  Async<EventPage> read(const QueueName& name, std::string cursor, std::uint32_t limit, Duration at_most) {
    Waiter waiter{.cursor = std::move(cursor), .limit = limit, .may_wait = at_most > Duration{0}};
    auto future = waiter.promise.future();
    if (Status valid = EventRing::check_cursor(waiter.cursor); !valid)
      return context_->answer<EventPage>(valid.error());
    const Instant now = context_->env.clock.now();
    waiter.until = now + at_most;
    std::optional<EventPage> page;
    bool is_first = false;
    {
      std::lock_guard lock(mutex_);
      if (closed_) return context_->answer<EventPage>(store_closed());
      Queue& queue = queues_.try_emplace(name, instance_).first->second;
      is_first = !std::exchange(queue.opened, true);
      if (queue.listening) page = page_for(queue, waiter);
      if (!page) {
        waiter.id = ++last_waiter_;
        const Duration wait = queue.listening ? at_most : std::max(at_most, kListensWithin);
        waiter.timer = time_out_at(name, waiter.id, now + wait);
        queue.waiters.push_back(std::move(waiter));
      }
    }
    if (page) return context_->answer<EventPage>(*std::move(page));
    if (is_first) open(name);
    return future;
  }

  void close() {
    std::map<QueueName, Queue> queues;
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
      queues.swap(queues_);
    }
    for (auto& [name, queue] : queues) {
      for (const Waiter& waiter : queue.waiters) {
        context_->env.loop.cancel(waiter.timer);
        context_->env.loop.post([promise = waiter.promise] { promise.set(store_closed()); });
      }
    }
  }

 private:
  struct Waiter {
    std::uint64_t id = 0;
    std::string cursor{};
    std::uint32_t limit = 0;
    bool may_wait = false;
    Instant until{};
    Loop::TimerId timer = 0;
    Promise<Result<EventPage>> promise{};
  };
  struct Queue {
    explicit Queue(std::string instance) : ring(std::move(instance)) {}
    bool opened = false;
    bool listening = false;
    /// The source listened before and does not now.
    bool lost = false;
    std::unique_ptr<Watch> watch{};
    EventRing ring;
    std::list<Waiter> waiters{};
  };

  Loop::TimerId time_out_at(const QueueName& name, std::uint64_t id, Instant when) {
    return context_->env.loop.post_at(when, [weak = weak_from_this(), name, id] {
      if (const auto self = weak.lock()) self->time_out(name, id);
    });
  }

  void open(const QueueName& name) {
    context_->check.wait(name, [weak = weak_from_this(), name](const Status& use) {
      const auto self = weak.lock();
      if (!self) return;
      use ? self->listen(name) : self->reject(name, use.error());
    });
  }

  void listen(const QueueName& name) {
    const auto weak = weak_from_this();
    EventSource::Listener listener;
    listener.on_event = [weak, name](Event event) {
      if (const auto self = weak.lock()) self->on_event(name, std::move(event));
    };
    listener.on_state = [weak, name](bool listening) {
      if (const auto self = weak.lock()) self->on_state(name, listening);
    };
    if (!context_->open) return;
    auto watch =
        context_->dialect.events->listen(context_->client, context_->keys(name), std::move(listener));
    std::lock_guard lock(mutex_);
    if (const auto found = queues_.find(name); found != queues_.end()) found->second.watch = std::move(watch);
  }

  /// The queue must not be used: all waiting calls get the error, and the next call checks again.
  void reject(const QueueName& name, const Error& error) {
    std::list<Waiter> waiters;
    {
      std::lock_guard lock(mutex_);
      const auto found = queues_.find(name);
      if (found == queues_.end()) return;
      waiters.swap(found->second.waiters);
      queues_.erase(found);
    }
    for (const Waiter& waiter : waiters) {
      context_->env.loop.cancel(waiter.timer);
      waiter.promise.set(error);
    }
  }

  void on_state(const QueueName& name, bool listening) {
    {
      std::lock_guard lock(mutex_);
      const auto found = queues_.find(name);
      if (found == queues_.end()) return;
      Queue& queue = found->second;
      queue.lost = queue.lost || (queue.listening && !listening);
      queue.listening = listening;
      if (listening && std::exchange(queue.lost, false)) queue.ring.add_gap();
      for (Waiter& waiter :
           queue.waiters) {  // kListensWithin is over: from now on each waits for its own time
        if (!listening) break;
        context_->env.loop.cancel(waiter.timer);
        waiter.timer = time_out_at(name, waiter.id, waiter.until);
      }
    }
    if (listening) answer_waiters(name);
  }

  void on_event(const QueueName& name, Event event) {
    if (event.at == Time{}) event.at = context_->clock().wall();
    {
      std::lock_guard lock(mutex_);
      const auto found = queues_.find(name);
      if (found == queues_.end()) return;
      found->second.ring.add(std::move(event));
    }
    answer_waiters(name);
  }

  /// What there is after the waiter's cursor, or nothing if it may wait for more.
  static std::optional<EventPage> page_for(const Queue& queue, Waiter& waiter) {
    waiter.cursor = queue.ring.resolve(std::move(waiter.cursor));
    EventPage page = queue.ring.after(waiter.cursor, waiter.limit);
    if (page.events.empty() && !page.gap && waiter.may_wait) return std::nullopt;
    return page;
  }

  void answer_waiters(const QueueName& name) {
    std::vector<std::pair<Promise<Result<EventPage>>, EventPage>> answers;
    {
      std::lock_guard lock(mutex_);
      const auto found = queues_.find(name);
      if (found == queues_.end()) return;
      auto& waiters = found->second.waiters;
      for (auto waiter = waiters.begin(); waiter != waiters.end();) {
        const auto here = waiter++;
        auto page = page_for(found->second, *here);
        if (!page) continue;
        context_->env.loop.cancel(here->timer);
        answers.emplace_back(here->promise, *std::move(page));
        waiters.erase(here);
      }
    }
    for (auto& [promise, page] : answers) promise.set(std::move(page));
  }

  void time_out(const QueueName& name, std::uint64_t id) {
    std::optional<Promise<Result<EventPage>>> promise;
    Result<EventPage> answer = EventPage{};
    {
      std::lock_guard lock(mutex_);
      const auto found = queues_.find(name);
      if (found == queues_.end()) return;
      auto& waiters = found->second.waiters;
      const auto waiter =
          std::find_if(waiters.begin(), waiters.end(), [id](const Waiter& one) { return one.id == id; });
      if (waiter == waiters.end()) return;
      waiter->may_wait = false;
      if (found->second.listening) {
        answer = *page_for(found->second, *waiter);
      } else {
        answer = Error{Errc::kDisconnected, "redis: not subscribed to the queue's events"};
      }
      promise = waiter->promise;
      waiters.erase(waiter);
    }
    promise->set(std::move(answer));
  }

  const ContextPtr context_;
  const std::string instance_;
  std::mutex mutex_;  // guards all below; never held while a promise, the source or the client is called
  bool closed_ = false;
  std::uint64_t last_waiter_ = 0;
  std::map<QueueName, Queue> queues_;
};

EventFeed::EventFeed(ContextPtr context) : impl_(std::make_shared<Impl>(std::move(context))) {}

EventFeed::~EventFeed() {
  impl_->close();
}

Async<EventPage> EventFeed::events(QueueName queue, std::string cursor, std::uint32_t limit,
                                   Duration at_most) {
  return impl_->read(queue, std::move(cursor), limit, at_most);
}

}  // namespace gaur::redis_store
