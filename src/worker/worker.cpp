// Performs the actions of the state machine and returns their results to it as events.
#include "worker/worker.hpp"

#include <atomic>
#include <mutex>

#include "worker/machine.hpp"

namespace gaur {

using namespace worker;  // NOLINT(google-build-using-namespace): events and actions, by their short names

/// Thread-safety: the inbox is locked, any thread pushes; all else is confined to the loop.
struct Worker::Impl final : RunObserver, std::enable_shared_from_this<Worker::Impl> {
  Impl(Env given, Transitions& transitions, Admission& ledger, RunHandler& runs, WorkerOptions options)
      : env(given),
        store(transitions),
        admission(ledger),
        handler(runs),
        machine(std::move(options), ledger, given.random) {}

  // Events from any thread. Those that arrive while the loop is busy are handled together.
  void push(Input event) {
    if (closed) return;  // a call of the store may end when the loop no longer exists
    std::lock_guard lock(inbox_mutex);
    inbox.push_back(std::move(event));
    if (std::exchange(scheduled, true)) return;
    env.loop.post([self = shared_from_this()] { self->drain(); });
  }
  void on_progress(const LockToken& run, std::string json) override {
    push(event::Progress{run, std::move(json)});
  }
  void on_log(const LockToken& run, std::string line) override { push(event::Log{run, std::move(line)}); }
  void on_end(const LockToken& run, RunEnd end, Usage usage) override {
    push(event::RunEnded{run, std::move(end), std::move(usage)});
  }

  void drain() {
    std::vector<Input> events;
    {
      std::lock_guard lock(inbox_mutex);
      events.swap(inbox);
      scheduled = false;
    }
    step(std::move(events));
  }
  void step(std::vector<Input> events) {
    if (closed) return;
    std::vector<Action> actions;
    machine.resume(std::move(events), now(), actions);
    for (Action& action : actions) std::visit([this](auto& one) { perform(one); }, action);
    arm();
  }
  Now now() const { return {env.clock.now(), env.clock.wall()}; }

  void arm() {
    const Instant at = machine.wake_at();
    if (at == armed_for) return;
    env.loop.cancel(timer);
    armed_for = at;
    if (at == Instant::max()) return;
    timer = env.loop.post_at(at, [self = shared_from_this()] {
      self->armed_for = Instant::max();
      self->step({event::Tick{}});
    });
  }

  /// Passes the reply of a call to the machine as the event that `make` creates.
  template <class T, class Make>
  void on_reply(Async<T> future, Make make) {
    std::move(future).then([self = shared_from_this(), make = std::move(make)](Result<T> reply) mutable {
      self->push(make(std::move(reply)));
    });
  }

  void perform(action::SendTake& action) {
    const QueueName queue = action.request.queue;
    const std::uint64_t sequence = action.request.op.sequence;
    on_reply(store.finish_and_take(std::move(action.request)),
             [queue, sequence](Result<TakeReply> reply) -> Input {
               return event::TakeEnded{queue, sequence, std::move(reply)};
             });
  }
  void perform(action::Extend& action) {
    const QueueName queue = action.request.queue;
    on_reply(store.extend_locks(action.request),
             [queue, held = action.request.held](Result<ExtendReply> reply) -> Input {
               return event::Extended{queue, held, std::move(reply)};
             });
  }
  void perform(action::Reclaim& action) {
    const QueueName queue = action.request.queue;
    on_reply(store.reclaim(std::move(action.request)), [queue](Result<std::vector<JobId>> reply) -> Input {
      return event::ReclaimEnded{queue, std::move(reply)};
    });
  }
  void perform(action::Recover& action) {
    const QueueName queue = action.request.queue;
    on_reply(store.recover(std::move(action.request)), [queue](Result<Recovered> reply) -> Input {
      return event::RecoverEnded{queue, std::move(reply)};
    });
  }
  void perform(action::Wake& action) {
    on_reply(store.wake_delayed(action.queue), [queue = action.queue](Result<QueueHint> reply) -> Input {
      return event::WakeEnded{queue, std::move(reply)};
    });
  }
  void perform(action::Wait& action) {
    on_reply(store.wait_for_work(std::move(action.request)),
             [](Result<WorkReply> reply) -> Input { return event::WaitEnded{std::move(reply)}; });
  }
  template <class T>
  void report_not_stored(Async<T> future, const LockToken& run) {
    std::move(future).then([self = shared_from_this(), run](Result<T> reply) {
      if (!reply) self->push(event::NotStored{run, std::move(reply).error()});
    });
  }
  void perform(action::StoreProgress& action) {
    report_not_stored(store.update_progress(action.job, action.run, std::move(action.json)), action.run);
  }
  void perform(action::StoreLogs& action) {
    report_not_stored(store.append_logs(action.job, std::move(action.lines)), action.run);
  }
  void perform(action::StartRun& action) { handler.start(std::move(action.request), *this); }
  void perform(action::StopRun& action) {
    handler.stop(action.run, action.reason, std::move(action.who), std::move(action.why));
  }
  void perform(action::Stopped& action) {
    for (const Promise<StopReport>& promise : std::exchange(stop_promises, {})) promise.set(action.report);
  }

  const Env env;
  Transitions& store;
  Admission& admission;
  RunHandler& handler;
  Machine machine;
  Loop::TimerId timer = 0;
  Instant armed_for = Instant::max();
  std::vector<Promise<StopReport>> stop_promises;
  std::atomic<bool> closed = false;

  std::mutex inbox_mutex;
  std::vector<Input> inbox;  // guarded by inbox_mutex
  bool scheduled = false;    // guarded by inbox_mutex
};

Worker::Worker(Env env, Transitions& store, Admission& admission, RunHandler& handler, WorkerOptions options)
    : impl_(std::make_shared<Impl>(env, store, admission, handler, std::move(options))) {}

Worker::~Worker() {
  impl_->closed = true;
}

void Worker::start() {
  impl_->push(event::Begin{});
}

void Worker::quiet() {
  impl_->push(event::Quiet{});
}

void Worker::resume() {
  impl_->push(event::Resume{});
}

void Worker::refuse(const QueueName& queue, std::string why) {
  impl_->push(event::Refuse{queue, std::move(why)});
}

void Worker::accept(const QueueName& queue) {
  impl_->push(event::Accept{queue});
}

Future<StopReport> Worker::stop(Duration patience) {
  Promise<StopReport> promise;
  Future<StopReport> future = promise.future();
  impl_->env.loop.post([self = impl_, promise, patience] {
    self->stop_promises.push_back(promise);
    self->step({event::Stop{patience}});
  });
  return future;
}

Future<WorkerStatus> Worker::status() const {
  Promise<WorkerStatus> promise;
  Future<WorkerStatus> future = promise.future();
  impl_->env.loop.post([self = impl_, promise] { promise.set(self->machine.status(self->now())); });
  return future;
}

Future<WaitFacts> Worker::explain(WaitFacts facts) const {
  Promise<WaitFacts> promise;
  auto future = promise.future();
  impl_->env.loop.post([self = impl_, promise, facts = std::move(facts)]() mutable {
    self->machine.explain(facts, self->now());
    if (!self->closed) self->admission.explain(facts, self->env.clock.now());
    promise.set(std::move(facts));
  });
  return future;
}

}  // namespace gaur
