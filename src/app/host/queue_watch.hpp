#pragma once
// Checks which queues of a Redis store the host may use, at the start and while it runs. A queue is refused
// if BullMQ clients also use it, if the user has no permission to read its keys, or if its keys have another
// type. The other queues continue, and a refused queue is accepted again once the cause is gone.
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/env.hpp"
#include "base/log.hpp"
#include "bull/inspect.hpp"

namespace gaur::app {

/// Why a queue is refused.
struct Refusal {
  /// Contains the command that fixes it, if there is one.
  Error error;
  /// BullMQ clients use it.
  bool mixed = false;
};
using Refusals = std::map<QueueName, Refusal>;

/// std::nullopt: the queue may be used. Errors: the store does not answer.
Result<std::optional<Refusal>> refusal_of(const QueueName& queue, const Result<bull::Evidence>& evidence);

/// Checks `queues` one after the other. Blocks. Errors: the store does not answer, or every queue is refused
/// (the code of the first, and the messages of the first few).
Result<Refusals> check_queues(bull::Inspector& inspector, const std::vector<QueueName>& queues);

/// Thread-safety: refused() and follow() from any thread. This object and its arguments must outlive the
/// client's last reply.
class QueueWatch {
 public:
  /// Interval of checks of a used queue.
  static constexpr Duration kEvery{5'000};
  /// Interval of checks of a refused queue.
  static constexpr Duration kEveryRefused{1'000};

  /// Called on `loop` when a queue is refused, and with `refusal` nullptr when it is accepted again.
  using OnChange = std::function<void(const QueueName&, const Refusal* refusal)>;

  QueueWatch(bull::Inspector& inspector, Loop& loop, const Clock& clock, Logger log, OnChange on_change)
      : inspector_(inspector),
        loop_(loop),
        clock_(clock),
        log_(std::move(log)),
        on_change_(std::move(on_change)) {}

  /// Sets the result of check_queues() and reports it as a change. Call it once, before follow().
  void set_refused(const Refusals& refused);
  /// Checks now and then regularly.
  void follow(const QueueName& queue);
  /// Call it on `loop`: stops the checks.
  void stop() { stopped_ = true; }
  Refusals refused() const;

 private:
  void check(const QueueName& queue);
  void note(const QueueName& queue, const std::optional<Refusal>& refusal);

  bull::Inspector& inspector_;
  Loop& loop_;
  const Clock& clock_;
  const Logger log_;
  const OnChange on_change_;
  bool stopped_ = false;  // confined to `loop`
  mutable std::mutex mutex_;
  Refusals refused_;  // guarded by mutex_
};

}  // namespace gaur::app
