#include "gaur/job.hpp"

#include "core/store.hpp"

namespace gaur {

std::string_view to_string(State state) {
  switch (state) {
    case State::kWaiting: return "waiting";
    case State::kPrioritized: return "prioritized";
    case State::kDelayed: return "delayed";
    case State::kActive: return "active";
    case State::kWaitingChildren: return "waiting-children";
    case State::kCompleted: return "completed";
    case State::kFailed: return "failed";
  }
  return "unknown";
}

std::optional<State> parse_state(std::string_view text) {
  for (const State state : kAllStates) {
    if (to_string(state) == text) return state;
  }
  return std::nullopt;
}

std::string_view to_string(CancelReply reply) {
  switch (reply) {
    case CancelReply::kRemoved: return "removed";
    case CancelReply::kRequested: return "requested";
    case CancelReply::kFinished: return "finished";
    case CancelReply::kForeign: return "foreign";
  }
  return "unknown";
}

std::string_view to_string(EventKind kind) {
  switch (kind) {
    case EventKind::kAdded: return "added";
    case EventKind::kWaiting: return "waiting";
    case EventKind::kDelayed: return "delayed";
    case EventKind::kActive: return "active";
    case EventKind::kProgress: return "progress";
    case EventKind::kCompleted: return "completed";
    case EventKind::kFailed: return "failed";
    case EventKind::kRetriesExhausted: return "retries-exhausted";
    case EventKind::kStalled: return "stalled";
    case EventKind::kRemoved: return "removed";
    case EventKind::kDuplicated: return "duplicated";
    case EventKind::kWaitingChildren: return "waiting-children";
    case EventKind::kPaused: return "paused";
    case EventKind::kResumed: return "resumed";
    case EventKind::kDrained: return "drained";
    case EventKind::kCleaned: return "cleaned";
    case EventKind::kCancelRequested: return "cancel-requested";
  }
  return "unknown";
}

}  // namespace gaur
