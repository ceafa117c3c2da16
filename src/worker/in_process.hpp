#pragma once
// C++ functions as a RunHandler, on a thread pool of their own: lock renewal never waits for them. They share
// the fate of the process.
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

/// What a handler sees of its run. Thread-safety: any thread, until the handler returned.
class RunContext {
 public:
  virtual ~RunContext() = default;
  virtual const Job& job() const = 0;  ///< job().attempts_started is the fencing number for side effects
  virtual const FunctionName& function() const = 0;
  virtual const Grant& grant() const = 0;
  const std::string& data() const { return job().data; }

  virtual void progress(std::string json) = 0;  ///< at most 20 a second are stored, the newest wins
  virtual void log(std::string line) = 0;
  /// Requested at the deadline, on cancel, when the lock is lost and when the host stops. What the run then
  /// returns no longer matters, except that a result is kept when only the host stops.
  virtual std::stop_token stop() const = 0;
  virtual std::optional<Instant> deadline() const = 0;
};

/// Returns how the run ended. May throw: any exception is a failed attempt, its what() the message.
using Handler = std::function<RunEnd(RunContext&)>;
/// A handler in terms of a JSON result or an Error (whose code becomes the failure's).
Handler simple_handler(std::function<Result<std::string>(RunContext&)> function);

struct InProcessOptions {
  std::size_t threads = 4;  ///< runs beyond them wait in the pool, their locks renewed; at least 1
  std::map<FunctionName, Handler> functions{};
};

/// Thread-safety: start() and stop() from the worker's loop. The destructor asks all runs to stop and joins
/// the threads; a handler that ignores its stop token delays it for as long as it runs.
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
