// C++ handlers on a thread pool.
#include "worker/in_process.hpp"

#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "base/json.hpp"
#include "base/system_env.hpp"

namespace gaur {

namespace {

struct StopOrder {
  StopReason reason = StopReason::kCancel;
  std::string who, why;
};

/// Thread-safety: the stop order is locked; all else is set before the run starts.
class Run final : public HandlerContext {
 public:
  Run(RunRequest request, RunObserver& observer, Instant begin)
      : request_(std::move(request)), observer_(observer) {
    if (request_.timeout) deadline_ = begin + *request_.timeout;
  }

  const Job& job() const override { return request_.taken.job; }
  const FunctionName& function() const override { return request_.taken.function; }
  const Grant& grant() const override { return request_.grant; }
  void progress(std::string json) override {
    if (const auto parsed = json::parse(json); !parsed) {
      return log("progress was not stored: " + parsed.error().message);
    }
    observer_.on_progress(token(), std::move(json));
  }
  void log(std::string line) override { observer_.on_log(token(), std::move(line)); }
  std::stop_token stop() const override { return stop_.get_token(); }
  std::optional<Instant> deadline() const override { return deadline_; }

  const LockToken& token() const { return request_.taken.token; }
  RunObserver& observer() { return observer_; }
  const std::optional<Duration>& timeout() const { return request_.timeout; }

  /// Only the first order has an effect.
  void order_stop(StopOrder order) {
    {
      std::lock_guard lock(mutex_);
      if (!order_) order_ = std::move(order);
    }
    stop_.request_stop();
  }
  std::optional<StopOrder> order() const {
    std::lock_guard lock(mutex_);
    return order_;
  }

  Loop::TimerId deadline_timer = 0;  // the worker's loop only

 private:
  RunRequest request_;
  RunObserver& observer_;
  std::optional<Instant> deadline_;
  std::stop_source stop_;
  mutable std::mutex mutex_;
  std::optional<StopOrder> order_;
};

RunEnd failed(std::string message) {
  return run::Failed{{.code = "error", .message = std::move(message)}, false};
}

/// Calls the handler and converts exceptions.
RunEnd call(const Handler& handler, Run& run) {
  try {
    return handler(run);
  } catch (const std::exception& problem) {
    return failed(problem.what());
  } catch (...) {
    return failed("the handler threw an object that is not a std::exception");
  }
}

/// The end of a run, considering a stop order and whether the result is JSON.
RunEnd final_end(RunEnd end, const Run& run) {
  if (const auto order = run.order()) {
    switch (order->reason) {
      case StopReason::kTimeout: return run::TimedOut{run.timeout().value_or(Duration{0})};
      case StopReason::kCancel: return run::Cancelled{order->who, order->why};
      case StopReason::kLockLost: return run::Interrupted{order->why};
      case StopReason::kHostStops:
        if (!std::holds_alternative<run::Completed>(end)) return run::Interrupted{order->why};
    }
  }
  if (const auto* done = std::get_if<run::Completed>(&end)) {
    if (const auto parsed = json::parse(done->result); !parsed)
      return failed("the handler's result: " + parsed.error().message);
  }
  return end;
}

}  // namespace

Handler simple_handler(std::function<Result<std::string>(HandlerContext&)> function) {
  return [function = std::move(function)](HandlerContext& context) -> RunEnd {
    Result<std::string> result = function(context);
    if (result) return run::Completed{*std::move(result)};
    return run::Failed{
        {.code = std::string(to_string(result.error().code)), .message = result.error().message}, false};
  };
}

/// Thread-safety: the queue and the table of runs are locked; the functions do not change.
struct InProcess::Impl : std::enable_shared_from_this<InProcess::Impl> {
  Impl(Env given, InProcessOptions chosen) : env(given), options(std::move(chosen)) {}

  void work(const std::string& name) {
    name_this_thread(name);
    std::unique_lock lock(mutex);
    while (true) {
      ++idle;
      arrived.wait(lock, [this] { return closing || !waiting.empty(); });
      --idle;
      if (waiting.empty()) return;
      const std::shared_ptr<Run> next = std::move(waiting.front());
      waiting.pop_front();
      lock.unlock();
      execute(*next);
      lock.lock();
    }
  }

  void execute(Run& run) {
    const Instant begin = env.clock.now();
    const std::uint64_t cpu = cpu_time_of_this_thread_us();
    RunEnd end = run::Interrupted{"the run had not started"};
    if (!run.order()) end = call(options.functions.at(run.function()), run);
    Usage usage;
    usage.cpu_us = cpu_time_of_this_thread_us() - cpu;
    usage.wall_us =
        static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::microseconds>(env.clock.now() - begin).count()) +
        1;
    end = final_end(std::move(end), run);
    const LockToken token = run.token();
    {
      std::lock_guard lock(mutex);
      runs.erase(token);
    }
    if (run.timeout()) {
      env.loop.post(
          [self = shared_from_this(), timer = run.deadline_timer] { self->env.loop.cancel(timer); });
    }
    run.observer().on_end(token, std::move(end), std::move(usage));
  }

  std::shared_ptr<Run> find(const LockToken& token) {
    std::lock_guard lock(mutex);
    const auto found = runs.find(token);
    return found == runs.end() ? nullptr : found->second;
  }

  const Env env;
  const InProcessOptions options;
  std::mutex mutex;
  std::condition_variable arrived;
  std::deque<std::shared_ptr<Run>> waiting;                  // guarded by mutex; shared with `runs`
  std::unordered_map<LockToken, std::shared_ptr<Run>> runs;  // guarded by mutex
  std::size_t idle = 0;                                      // guarded by mutex
  bool closing = false;                                      // guarded by mutex
  std::vector<std::thread> threads;
};

InProcess::InProcess(Env env, InProcessOptions options)
    : impl_(std::make_shared<Impl>(env, std::move(options))) {
  const std::size_t count = std::max<std::size_t>(impl_->options.threads, 1);
  for (std::size_t i = 0; i < count; ++i) {
    impl_->threads.emplace_back(
        [impl = impl_.get(), name = fmt::format("handler-{}", i)] { impl->work(name); });
  }
}

InProcess::~InProcess() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->closing = true;
    for (auto& [token, run] : impl_->runs) run->order_stop({StopReason::kHostStops, "", "the host stops"});
  }
  impl_->arrived.notify_all();
  for (std::thread& thread : impl_->threads) thread.join();
}

void InProcess::start(RunRequest request, RunObserver& observer) {
  const auto known = impl_->options.functions.find(request.taken.function);
  if (known == impl_->options.functions.end()) {
    const std::string message = fmt::format("no handler for the function {} in this process",
                                            json::quote(request.taken.function.value));
    return observer.on_end(request.taken.token, run::Failed{{.code = "error", .message = message}, true}, {});
  }
  const auto run = std::make_shared<Run>(std::move(request), observer, impl_->env.clock.now());
  if (run->deadline()) {
    run->deadline_timer = impl_->env.loop.post_at(*run->deadline(), [weak = std::weak_ptr<Run>(run)] {
      if (const auto late = weak.lock()) late->order_stop({StopReason::kTimeout, "", "over its timeout"});
    });
  }
  bool has_idle_thread = false;
  {
    std::lock_guard lock(impl_->mutex);
    impl_->runs.emplace(run->token(), run);
    impl_->waiting.push_back(run);
    has_idle_thread = impl_->idle > 0;
  }
  if (has_idle_thread) impl_->arrived.notify_one();  // a busy thread checks the queue when its run ends
}

void InProcess::stop(const LockToken& token, StopReason reason, std::string who, std::string why) {
  if (const auto run = impl_->find(token)) run->order_stop({reason, std::move(who), std::move(why)});
}

}  // namespace gaur
