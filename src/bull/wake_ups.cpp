#include "bull/wake_ups.hpp"

#include "bull/queue_scan.hpp"

#include <algorithm>
#include <optional>

namespace gaur::bull {

namespace {
constexpr std::size_t kMostTold = 10'000;  // workers and queues, and cancels, that are remembered
}  // namespace

/// What was heard, and who waits to be told. Listeners and timers hold it weakly.
class WakeUps::Board : public std::enable_shared_from_this<Board> {
 public:
  Board(SharedPtr shared, std::shared_ptr<TakeMemory> memory)
      : shared_(std::move(shared)), memory_(std::move(memory)) {}

  Async<WorkReply> wait(WorkRequest request) {
    Waiting waiting;
    auto future = waiting.promise.future();
    std::vector<QueueName> unknown;
    {
      std::lock_guard lock(mutex_);
      if (reported_.size() >= kMostTold)
        reported_.clear();  // whoever is forgotten is told once more: harmless
      for (const QueueName& queue : request.queues) {
        if (reported_.emplace(std::pair{request.worker, queue}, queues_[queue].arrivals).second)
          unknown.push_back(queue);
      }
      const Instant until = shared_->env.clock.now() + request.at_most;
      waiting.id = ++last_;
      waiting.request = std::move(request);
      waiting.timer = shared_->env.loop.post_at(until, [weak = weak_from_this(), id = waiting.id] {
        if (const auto board = weak.lock()) board->give_up(id);
      });
      waiting_.push_back(std::move(waiting));
    }
    for (const QueueName& queue : unknown) watch(queue);
    shared_->env.loop.post([weak = weak_from_this()] {
      if (const auto board = weak.lock()) board->serve();
    });
    return future;
  }

  void hint(const QueueName& queue) {
    {
      std::lock_guard lock(mutex_);
      const auto found = queues_.find(queue);
      if (found == queues_.end()) return;
      ++found->second.arrivals;
      if (waiting_.empty()) return;
    }
    serve();
  }

  void close() {
    std::list<Waiting> all;
    std::map<QueueName, Watch> watches;
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
      all.swap(waiting_);
      watches.swap(queues_);
    }
    for (Waiting& waiting : all) {
      shared_->env.loop.cancel(waiting.timer);
      shared_->env.loop.post([promise = waiting.promise] {
        promise.set(Error{Errc::kStopping, "the store was closed"});
      });
    }
  }

 private:
  struct Watch {
    std::unique_ptr<redis::Subscription> subscription;
    bool listening = false;
    bool lost = false;                   ///< it stood before and does not now
    std::uint64_t arrivals = 0;          ///< hints so far
    std::vector<CancelRequest> cancels;  ///< as the server had them when it was looked last
  };
  struct Waiting {
    std::uint64_t id = 0;
    WorkRequest request;
    Loop::TimerId timer = 0;
    Promise<Result<WorkReply>> promise;
  };

  /// Subscribes once for each queue; what is there already is looked for when the subscription stands.
  void watch(const QueueName& queue) {
    const auto weak = weak_from_this();
    redis::Listener listener;
    listener.on_message = [weak, queue](const redis::Message& message) {
      const auto board = weak.lock();
      if (!board) return;
      const bool cancel = message.channel == board->shared_->keys(queue).own() + "cancel";
      if (cancel) return board->look(queue);
      if (message.channel.starts_with(board->shared_->keys(queue).base() + "waiting@"))
        board->note_arrival(queue, JobId(message.payload));
      board->hint(queue);
    };
    listener.on_state = [weak, queue](bool listening) {
      if (const auto board = weak.lock()) board->state(queue, listening);
    };
    bool listening = false;
    {
      std::lock_guard lock(mutex_);
      if (closed_) return;
      Watch& here = queues_[queue];
      listening = here.listening;
      if (here.subscription == nullptr) {
        const Keys keys = shared_->keys(queue);
        here.subscription = shared_->client.subscribe(
            {keys.at("delayed"), keys.at("resumed"), keys.own() + "work", keys.own() + "cancel"},
            {escape_glob(keys.base()) + "waiting@*"}, std::move(listener));
      }
    }
    if (listening) look(queue);
  }

  void state(const QueueName& queue, bool listening) {
    bool again = false;
    {
      std::lock_guard lock(mutex_);
      const auto found = queues_.find(queue);
      if (found == queues_.end()) return;
      again = found->second.lost && listening;
      found->second.listening = listening;
      found->second.lost = !listening;
    }
    if (!listening || again) hint(queue);  // what was published meanwhile nobody tells
    if (listening) look(queue);
  }

  /// Whether something waits, and which runs are to end.
  void look(const QueueName& queue) {
    if (!shared_->open) return;
    const Keys keys = shared_->keys(queue);
    auto answer = shared_->client.pipeline({{"LLEN", keys.at("wait")}, {"HGETALL", keys.own() + "cancels"}});
    std::move(answer).then([weak = weak_from_this(), queue](Result<std::vector<redis::Reply>> replies) {
      const auto board = weak.lock();
      if (!board || !replies || replies->size() != 2) return;
      board->note_cancels(queue, (*replies)[1]);
      if (integer_of((*replies)[0]) > 0) return board->hint(queue);
      board->serve();
    });
  }

  void note_cancels(const QueueName& queue, const redis::Reply& reply) {
    std::scoped_lock lock(mutex_, memory_->mutex);
    const auto found = queues_.find(queue);
    if (found == queues_.end()) return;
    found->second.cancels.clear();
    std::set<std::string> workers;
    for (const auto& [session, by] : memory_->owners) workers.insert(by);
    for (const std::string& by : workers) {
      for (CancelRequest& request : cancels_of(reply, queue, by, *memory_))
        found->second.cancels.push_back(std::move(request));
    }
  }

  /// With a priority it may have entered the part of the list that is scanned already.
  void note_arrival(const QueueName& queue, const JobId& id) {
    std::lock_guard lock(memory_->mutex);
    const auto found = memory_->queues.find(queue);
    if (found != memory_->queues.end()) found->second.index.arrived(id);
  }

  void give_up(std::uint64_t id) {
    std::optional<Promise<Result<WorkReply>>> over;
    {
      std::lock_guard lock(mutex_);
      const auto found =
          std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting& one) { return one.id == id; });
      if (found == waiting_.end()) return;
      over = found->promise;
      waiting_.erase(found);
    }
    over->set(WorkReply{});
  }

  /// What this worker was not told yet; nothing if there is nothing.
  std::optional<WorkReply> work_for(const WorkRequest& request) {
    WorkReply reply;
    for (const QueueName& queue : request.queues) {
      const auto found = queues_.find(queue);
      if (found == queues_.end()) continue;
      std::uint64_t& told = reported_[{request.worker, queue}];
      if (told < found->second.arrivals) {
        told = found->second.arrivals;
        reply.queues.push_back(queue);
      }
      std::lock_guard lock(memory_->mutex);
      for (const CancelRequest& cancel : found->second.cancels) {
        if (memory_->owner_of(cancel.token.value) != request.worker) continue;
        if (told_cancels_.insert(cancel.token).second) reply.cancels.push_back(cancel);
      }
    }
    if (told_cancels_.size() > kMostTold) told_cancels_.clear();  // they are told again: harmless
    if (reply.queues.empty() && reply.cancels.empty()) return std::nullopt;
    return reply;
  }

  void serve() {
    std::vector<std::pair<Promise<Result<WorkReply>>, WorkReply>> answers;
    {
      std::lock_guard lock(mutex_);
      for (auto waiting = waiting_.begin(); waiting != waiting_.end();) {
        const auto here = waiting++;
        auto reply = work_for(here->request);
        if (!reply) continue;
        shared_->env.loop.cancel(here->timer);
        answers.emplace_back(here->promise, *std::move(reply));
        waiting_.erase(here);
      }
    }
    for (auto& [promise, reply] : answers) promise.set(std::move(reply));
  }

  const SharedPtr shared_;
  const std::shared_ptr<TakeMemory> memory_;
  std::mutex mutex_;  // guards all below
  bool closed_ = false;
  std::uint64_t last_ = 0;
  std::map<QueueName, Watch> queues_;
  std::map<std::pair<std::string, QueueName>, std::uint64_t>
      reported_;  // worker and queue -> arrivals at its last answer
  std::set<LockToken> told_cancels_;
  std::list<Waiting> waiting_;
};

WakeUps::WakeUps(SharedPtr shared, std::shared_ptr<TakeMemory> memory)
    : board_(std::make_shared<Board>(std::move(shared), std::move(memory))) {}

WakeUps::~WakeUps() {
  board_->close();
}

std::function<void(const QueueName&)> WakeUps::hinter() {
  return [weak = std::weak_ptr<Board>(board_)](const QueueName& queue) {
    if (const auto board = weak.lock()) board->hint(queue);
  };
}

Async<WorkReply> WakeUps::wait_for_work(WorkRequest request) {
  return board_->wait(std::move(request));
}

}  // namespace gaur::bull
