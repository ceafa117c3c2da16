#pragma once
// Runs C++ functions on a thread pool, so that lock renewal never waits for them. A crash of a function ends
// the process.
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/env.hpp"
#include "core/run.hpp"
#include "gaur/result.hpp"

namespace gaur {

/// A run, as its handler uses it. Thread-safety: any thread, until the handler returns.
class HandlerContext {
 public:
  virtual ~HandlerContext() = default;
  /// job().attempts_started is the fencing number for side effects.
  virtual const Job& job() const = 0;
  virtual const FunctionName& function() const = 0;
  virtual const Grant& grant() const = 0;
  const std::string& data() const { return job().data; }

  /// At most 20 a second are stored; newer ones replace those that wait.
  virtual void progress(std::string json) = 0;
  virtual void log(std::string line) = 0;
  /// Requested at the deadline, on cancellation, when the lock is lost and when the host stops. The result of
  /// the run is then ignored, unless only the host stops.
  virtual std::stop_token stop() const = 0;
  virtual std::optional<Instant> deadline() const = 0;
};

/// Returns how the run ended. An exception is a failed attempt with its what() as the message.
using Handler = std::function<RunEnd(HandlerContext&)>;
/// A handler that returns a JSON result or an Error, whose code becomes the failure's.
Handler simple_handler(std::function<Result<std::string>(HandlerContext&)> function);

struct InProcessOptions {
  /// Runs beyond it wait in the pool while their locks are renewed. At least 1.
  std::size_t threads = 4;
  std::map<FunctionName, Handler> functions{};
};

/// Thread-safety: start() and stop() from the worker's loop. The destructor stops all runs and joins the
/// threads; a handler that ignores its stop token delays it.
class InProcess final : public RunHandler {
 public:
  InProcess(Env env, InProcessOptions options);
  ~InProcess() override;
  void start(RunRequest request, RunObserver& observer) override;
  void stop(const LockToken& run, StopReason reason, std::string who, std::string why) override;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with deadline timers on the loop
};

}  // namespace gaur
