#pragma once
// Which queues of a Redis store the host may use, checked at the start and while it runs. A queue that
// BullMQ's clients use as well, whose keys the user may not read, or whose keys have another type is refused;
// the others go on, and a refused queue is accepted again as soon as its cause is gone.
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
  Error error;         ///< with the command that mends it, where there is one
  bool mixed = false;  ///< BullMQ's clients use it
};
using Refusals = std::map<QueueName, Refusal>;

/// Nothing where the queue may be used. Errors: the store as a whole does not answer.
Result<std::optional<Refusal>> refusal_of(const QueueName& queue, const Result<bull::Evidence>& evidence);

/// Checks `queues` one after the other. Blocks. Errors: the store as a whole does not answer; or every queue
/// is refused: then the error of the first, followed by those of the next few.
Result<Refusals> check_queues(bull::Inspector& inspector, const std::vector<QueueName>& queues);

/// Thread-safety: refused() and follow() from any thread. Everything given outlives the client's last answer,
/// and so must this.
class QueueWatch {
 public:
  static constexpr Duration kEvery{5'000};         ///< between two checks of a queue that is used
  static constexpr Duration kEveryRefused{1'000};  ///< of one that is refused

  /// Called on `loop` when a queue is refused, or accepted again: then `refusal` is nullptr.
  using OnChange = std::function<void(const QueueName&, const Refusal* refusal)>;

  QueueWatch(bull::Inspector& inspector, Loop& loop, const Clock& clock, Logger log, OnChange on_change)
      : inspector_(inspector),
        loop_(loop),
        clock_(clock),
        log_(std::move(log)),
        on_change_(std::move(on_change)) {}

  /// What check_queues() found; reports it as a change. Once, before follow().
  void begin_with(const Refusals& refused);
  /// Checks at once and then regularly.
  void follow(const QueueName& queue);
  /// On `loop`: from now on the inspector is not used any more.
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
