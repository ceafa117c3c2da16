#include "core/wait_reason.hpp"

#include <fmt/format.h>

#include "base/name_text.hpp"
#include "base/time_text.hpp"
#include "core/human_text.hpp"

namespace gaur {

namespace {

using Reason = std::optional<std::string>;

std::string delay_text(const WaitFacts& facts) {
  const std::string what =
      facts.attempts_made > 0 ? fmt::format("attempt {} is delayed", facts.attempts_made + 1) : "delayed";
  if (!facts.due) return what;
  if (*facts.due <= facts.now)
    return fmt::format("{} until {}, which has passed; the next recovery wakes it", what,
                       iso_time(*facts.due));
  return fmt::format("{} until {} (in {})", what, iso_time(*facts.due),
                     human_duration(*facts.due - facts.now));
}

std::string position_text(const Position& position) {
  if (position.before == 0) return "next in line: no job waits before it";
  return fmt::format("waits behind {}{} {}", position.exact ? "" : "about ", position.before,
                     position.before == 1 ? "job" : "jobs");
}

/// Reasons that apply to the whole queue or host.
Reason of_queue(const WaitFacts& facts) {
  if (facts.paused) {
    return fmt::format("the queue {} is paused; resume it with POST /v1/queues/{}/resume", facts.queue.value,
                       percent_encode(facts.queue.value));
  }
  switch (facts.host) {
    case WaitFacts::Host::kQuiet: return "this host is quiet and takes no jobs";
    case WaitFacts::Host::kStopping: return "this host is stopping and takes no jobs";
    case WaitFacts::Host::kRecoversOnly:
      return "this host only recovers stalled jobs and takes none; other workers do";
    case WaitFacts::Host::kProducer: return Reason();
    case WaitFacts::Host::kTakes: break;
  }
  if (!facts.queue_served)
    return fmt::format("no worker of this host serves the queue {}", facts.queue.value);
  if (!facts.refused.empty())
    return fmt::format("this host takes no jobs from the queue {}: {}", facts.queue.value, facts.refused);
  return std::nullopt;
}

Reason of_function(const WaitFacts& facts) {
  if (!facts.function_served)
    return fmt::format("no runner of this host serves the function {}", facts.function.value);
  if (!facts.unavailable.empty()) {
    if (!facts.retry_in) return facts.unavailable;
    if (*facts.retry_in <= Duration{0}) return facts.unavailable + "; next try now";
    return fmt::format("{}; next try in {}", facts.unavailable, human_duration(*facts.retry_in));
  }
  if (facts.max_running > 0 && facts.running >= facts.max_running) {
    return fmt::format("{} of at most {} of {} are running", facts.running, facts.max_running,
                       facts.function.value);
  }
  return std::nullopt;
}

Reason of_resources(const WaitFacts& facts) {
  if (facts.store_full)
    return "the disk of the store is full: no job is taken until there is space for its result";
  if (facts.limited_for && *facts.limited_for > Duration{0}) {
    return fmt::format("the rate limit of the queue {} is reached; the next start is in {}",
                       facts.queue.value, human_duration(*facts.limited_for));
  }
  if (facts.needs && !fits(*facts.needs, facts.free)) {
    return fmt::format("needs {}; {} are free",
                       human_resources({facts.needs->cores, facts.needs->memory_bytes}),
                       human_resources(facts.free));
  }
  if (!facts.head) return std::nullopt;
  const WaitFacts::Head& head = *facts.head;
  return fmt::format(
      "waits behind job {} ({}) of queue {}, which needs {} and has waited {} for them; {} are free",
      head.id.value, head.function.value, head.queue.value,
      human_resources({head.needs.cores, head.needs.memory_bytes}), human_duration(head.waited),
      human_resources(facts.free));
}

}  // namespace

Reason wait_reason(const WaitFacts& facts) {
  if (facts.state == State::kDelayed) return delay_text(facts);
  if (facts.state == State::kWaitingChildren) return "waits for its children";
  if (facts.state != State::kWaiting && facts.state != State::kPrioritized) return std::nullopt;
  Reason reason = of_queue(facts);
  if (!reason && facts.host == WaitFacts::Host::kTakes) reason = of_function(facts);
  if (!reason && facts.host == WaitFacts::Host::kTakes) reason = of_resources(facts);
  if (!reason && facts.position) reason = position_text(*facts.position);
  if (reason && facts.host == WaitFacts::Host::kProducer && !facts.paused)
    *reason += "; this process takes no jobs, ask a host that does";
  return reason;
}

}  // namespace gaur
