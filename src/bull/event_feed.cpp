#include "bull/event_feed.hpp"

#include <fmt/format.h>

#include <charconv>
#include <deque>
#include <list>
#include <map>
#include <mutex>

#include "base/json_text.hpp"
#include "bull/job_codec.hpp"
#include "bull/queue_scan.hpp"

namespace gaur::bull {

namespace {

constexpr std::size_t kKept = 10'000;
constexpr std::size_t kKeptBytes = std::size_t{32} << 20U;  // of details, a queue
constexpr std::size_t kLongestDetail = std::size_t{2} << 20U;
constexpr Duration kSubscribesWithin{5'000};

/// Payload of completed, failed and progress: the job's id and the raw JSON of one member.
std::optional<std::pair<JobId, std::string>> parts_of(std::string_view payload, std::string_view member) {
  const auto members = json::members(payload);
  if (!members) return std::nullopt;
  std::optional<JobId> id;
  std::string value;
  for (const json::Member& one : *members) {
    if (one.key == "jobId") id = JobId(json::unquote(one.value).value_or(std::string(one.value)));
    if (one.key == member) value = one.value;
  }
  if (!id || id->empty()) return std::nullopt;
  return std::pair{*id, std::move(value)};
}

std::optional<Event> ended(EventKind kind, std::string_view payload) {
  const auto parts = parts_of(payload, "val");
  if (!parts) return std::nullopt;
  // `val` is text: of a result its JSON, of a failure the message. Left out, it was undefined.
  std::string detail = json::unquote(parts->second).value_or(parts->second);
  if (kind == EventKind::kCompleted) {
    detail = detail.empty() ? "null" : json::Fragment::read_or_quote(detail).take();
  }
  return Event{.kind = kind, .id = parts->first, .detail = std::move(detail)};
}

std::optional<Event> progressed(std::string_view payload) {
  if (auto parts = parts_of(payload, "progress"))
    return Event{.kind = EventKind::kProgress, .id = parts->first, .detail = std::move(parts->second)};
  const auto comma = payload.find(',');  // the older form: id,JSON
  if (payload.starts_with('{') || comma == 0 || comma == std::string_view::npos) return std::nullopt;
  const std::string_view value = payload.substr(comma + 1);
  auto progress = json::Fragment::read(value);
  if (!progress) return std::nullopt;
  return Event{.kind = EventKind::kProgress,
               .id = JobId(std::string(payload.substr(0, comma))),
               .detail = std::move(*progress).take()};
}

std::optional<Event> of_job(EventKind kind, const std::string& id) {
  if (id.empty()) return std::nullopt;
  return Event{.kind = kind, .id = JobId(id)};
}

}  // namespace

std::optional<Event> event_of(const Keys& keys, const redis::Message& message) {
  if (message.channel == keys.own() + "cancel") return of_job(EventKind::kCancelRequested, message.payload);
  if (!message.channel.starts_with(keys.base())) return std::nullopt;
  const std::string_view rest = std::string_view(message.channel).substr(keys.base().size());
  const std::string_view name = rest.substr(0, rest.find('@'));
  if (name == "waiting") return of_job(EventKind::kWaiting, message.payload);
  if (name == "active") return of_job(EventKind::kActive, message.payload);
  if (name == "stalled") return of_job(EventKind::kStalled, message.payload);
  if (name == "duplicated" || name == "debounced") return of_job(EventKind::kDuplicated, message.payload);
  if (name == "completed") return ended(EventKind::kCompleted, message.payload);
  if (name == "failed") return ended(EventKind::kFailed, message.payload);
  if (name == "progress") return progressed(message.payload);
  if (name == "delayed")
    return Event{.kind = EventKind::kDelayed, .detail = std::to_string(whole_number(message.payload))};
  if (name == "drained") return Event{.kind = EventKind::kDrained};
  if (name == "paused") return Event{.kind = EventKind::kPaused};
  if (name == "resumed") return Event{.kind = EventKind::kResumed};
  return std::nullopt;
}

class EventFeed::Desk : public std::enable_shared_from_this<Desk> {
 public:
  explicit Desk(SharedPtr shared)
      : shared_(std::move(shared)), life_(fmt::format("{:x}", shared_->env.random.next())) {}

  Async<EventPage> ask(const QueueName& name, std::string cursor, std::uint32_t limit, Duration at_most) {
    Waiter waiter{.cursor = std::move(cursor), .limit = limit, .may_wait = at_most > Duration{0}};
    auto future = waiter.promise.future();
    if (Status valid = readable(waiter.cursor); !valid) return shared_->answer<EventPage>(valid.error());
    const Instant now = shared_->env.clock.now();
    waiter.until = now + at_most;
    std::optional<EventPage> page;
    bool subscribe = false;
    {
      std::lock_guard lock(mutex_);
      if (closed_) return shared_->answer<EventPage>(Error{Errc::kStopping, "the store was closed"});
      Queue& queue = queues_[name];
      subscribe = !std::exchange(queue.asked, true);
      if (queue.listening) page = page_for(queue, waiter);
      if (!page) {
        waiter.id = ++last_;
        const Duration patience = queue.listening ? at_most : std::max(at_most, kSubscribesWithin);
        waiter.timer = end_at(name, waiter.id, now + patience);
        queue.waiters.push_back(std::move(waiter));
      }
    }
    if (page) return shared_->answer<EventPage>(*std::move(page));
    if (subscribe) open(name);
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
        shared_->env.loop.cancel(waiter.timer);
        shared_->env.loop.post([promise = waiter.promise] {
          promise.set(Error{Errc::kStopping, "the store was closed"});
        });
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
  /// A number of the ring with its event; without one it marks a gap.
  struct Entry {
    std::uint64_t number = 0;
    std::optional<Event> event{};
  };
  struct Queue {
    bool asked = false;
    bool listening = false;
    bool lost = false;
    std::unique_ptr<redis::Subscription> subscription{};
    std::deque<Entry> ring{};
    std::size_t bytes = 0;
    std::uint64_t last = 0;  ///< number of the newest entry
    std::list<Waiter> waiters{};
  };

  Loop::TimerId end_at(const QueueName& name, std::uint64_t id, Instant when) {
    return shared_->env.loop.post_at(when, [weak = weak_from_this(), name, id] {
      if (const auto desk = weak.lock()) desk->give_up(name, id);
    });
  }

  void open(const QueueName& name) {
    shared_->gate.wait(name, [weak = weak_from_this(), name](const Status& use) {
      const auto desk = weak.lock();
      if (!desk) return;
      use ? desk->subscribe(name) : desk->refuse(name, use.error());
    });
  }

  void subscribe(const QueueName& name) {
    const auto weak = weak_from_this();
    redis::Listener listener;
    listener.on_message = [weak, name](const redis::Message& message) {
      if (const auto desk = weak.lock()) desk->hear(name, message);
    };
    listener.on_state = [weak, name](bool listening) {
      if (const auto desk = weak.lock()) desk->state(name, listening);
    };
    const Keys keys = shared_->keys(name);
    std::vector<std::string> channels{keys.own() + "cancel"};
    for (const char* channel : {"completed", "failed", "progress", "delayed", "drained", "paused", "resumed"})
      channels.push_back(keys.at(channel));
    std::vector<std::string> patterns;
    for (const char* pattern : {"waiting@*", "active@*", "stalled@*", "duplicated@*", "debounced@*"})
      patterns.push_back(escape_glob(keys.base()) + pattern);
    if (!shared_->open) return;
    auto subscription =
        shared_->client.subscribe(std::move(channels), std::move(patterns), std::move(listener));
    std::lock_guard lock(mutex_);
    if (const auto found = queues_.find(name); found != queues_.end())
      found->second.subscription = std::move(subscription);
  }

  /// The queue must not be used: whoever asks hears why, and the next question tries again.
  void refuse(const QueueName& name, const Error& error) {
    std::list<Waiter> waiters;
    {
      std::lock_guard lock(mutex_);
      const auto found = queues_.find(name);
      if (found == queues_.end()) return;
      waiters.swap(found->second.waiters);
      queues_.erase(found);
    }
    for (const Waiter& waiter : waiters) {
      shared_->env.loop.cancel(waiter.timer);
      waiter.promise.set(error);
    }
  }

  void state(const QueueName& name, bool listening) {
    {
      std::lock_guard lock(mutex_);
      const auto found = queues_.find(name);
      if (found == queues_.end()) return;
      Queue& queue = found->second;
      queue.lost = queue.lost || (queue.listening && !listening);
      queue.listening = listening;
      if (listening && std::exchange(queue.lost, false)) keep(queue, std::nullopt);
      for (Waiter& waiter : queue.waiters) {  // from now on their own time counts
        if (!listening) break;
        shared_->env.loop.cancel(waiter.timer);
        waiter.timer = end_at(name, waiter.id, waiter.until);
      }
    }
    if (listening) serve(name);
  }

  void hear(const QueueName& name, const redis::Message& message) {
    auto event = event_of(shared_->keys(name), message);
    if (!event) {
      shared_->options.log.debug("a message that tells no event", {{"channel", message.channel}});
      return;
    }
    event->at = shared_->options.clock_for_tests == nullptr ? shared_->env.clock.wall()
                                                            : shared_->options.clock_for_tests->wall();
    {
      std::lock_guard lock(mutex_);
      const auto found = queues_.find(name);
      if (found == queues_.end()) return;
      keep(found->second, std::move(event));
    }
    serve(name);
  }

  void keep(Queue& queue, std::optional<Event> event) const {
    ++queue.last;
    if (event) {
      event->cursor = cursor(queue.last);
      if (event->detail.size() > kLongestDetail) event->detail.clear();  // the job has it
      queue.bytes += event->detail.size();
    }
    queue.ring.push_back({queue.last, std::move(event)});
    while (queue.ring.size() > kKept || queue.bytes > kKeptBytes) {
      if (queue.ring.front().event) queue.bytes -= queue.ring.front().event->detail.size();
      queue.ring.pop_front();
    }
  }

  std::string cursor(std::uint64_t number) const { return fmt::format("{}-{}", life_, number); }

  static Status readable(const std::string& cursor) {
    if (cursor.empty() || cursor == "$" || number_of(cursor)) return ok();
    return Error{Errc::kInvalidArgument, "cursor: not one that this store gave out"};
  }
  static std::optional<std::uint64_t> number_of(std::string_view cursor) {
    const auto dash = cursor.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    std::uint64_t number = 0;
    const auto [end, problem] =
        std::from_chars(cursor.data() + dash + 1, cursor.data() + cursor.size(), number);
    if (problem != std::errc() || end != cursor.data() + cursor.size()) return std::nullopt;
    return number;
  }

  /// What there is after the waiter's cursor, or nothing if it may wait for more.
  std::optional<EventPage> page_for(const Queue& queue, Waiter& waiter) const {
    const std::uint64_t oldest = queue.ring.empty() ? queue.last : queue.ring.front().number - 1;
    if (waiter.cursor == "$") waiter.cursor = cursor(queue.last);
    if (waiter.cursor.empty()) waiter.cursor = cursor(oldest);
    EventPage page;
    std::uint64_t after = number_of(waiter.cursor).value_or(oldest);
    if (!waiter.cursor.starts_with(life_ + "-") || after > queue.last) {
      page.gap = true;  // of an earlier life of this store
      after = oldest;
    }
    if (after < oldest) {
      page.gap = true;
      after = oldest;
    }
    for (auto at = static_cast<std::size_t>(after - oldest); at < queue.ring.size(); ++at) {
      if (page.events.size() >= waiter.limit) break;
      const Entry& entry = queue.ring[at];
      after = entry.number;
      if (entry.event) {
        page.events.push_back(*entry.event);
      } else {
        page.gap = true;
      }
    }
    page.cursor = cursor(after);
    if (page.events.empty() && !page.gap && waiter.may_wait) return std::nullopt;
    return page;
  }

  void serve(const QueueName& name) {
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
        shared_->env.loop.cancel(here->timer);
        answers.emplace_back(here->promise, *std::move(page));
        waiters.erase(here);
      }
    }
    for (auto& [promise, page] : answers) promise.set(std::move(page));
  }

  void give_up(const QueueName& name, std::uint64_t id) {
    std::optional<Promise<Result<EventPage>>> promise;
    Result<EventPage> answer = EventPage{};
    {
      std::lock_guard lock(mutex_);
      const auto found = queues_.find(name);
      if (found == queues_.end()) return;
      auto& waiters = found->second.waiters;
      for (auto waiter = waiters.begin(); waiter != waiters.end(); ++waiter) {
        if (waiter->id != id) continue;
        waiter->may_wait = false;
        if (found->second.listening) {
          answer = *page_for(found->second, *waiter);
        } else {
          answer = Error{Errc::kDisconnected, "redis: no subscription stands; events are not heard"};
        }
        promise = waiter->promise;
        waiters.erase(waiter);
        break;
      }
    }
    if (promise) promise->set(std::move(answer));
  }

  const SharedPtr shared_;
  const std::string life_;
  std::mutex mutex_;  // guards all below; never held over a promise or the client
  bool closed_ = false;
  std::uint64_t last_ = 0;
  std::map<QueueName, Queue> queues_;
};

EventFeed::EventFeed(SharedPtr shared) : desk_(std::make_shared<Desk>(std::move(shared))) {}

EventFeed::~EventFeed() {
  desk_->close();
}

Async<EventPage> EventFeed::events(QueueName queue, std::string cursor, std::uint32_t limit,
                                   Duration at_most) {
  return desk_->ask(queue, std::move(cursor), limit, at_most);
}

}  // namespace gaur::bull
