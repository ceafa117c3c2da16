#include "core/transitions.hpp"

namespace gaur {

namespace {
constexpr std::optional<State> kNowhere = std::nullopt;
constexpr Transition kTable[] = {
    {kNowhere, Verb::kAdd, State::kWaiting},
    {kNowhere, Verb::kAdd, State::kPrioritized},
    {kNowhere, Verb::kAdd, State::kDelayed},
    {kNowhere, Verb::kAdd, State::kWaitingChildren},
    {State::kWaiting, Verb::kTake, State::kActive},
    {State::kPrioritized, Verb::kTake, State::kActive},
    {State::kWaiting, Verb::kTake, State::kFailed},  // StallLimit::kFailsOnNextStart
    {State::kPrioritized, Verb::kTake, State::kFailed},
    {State::kActive, Verb::kComplete, State::kCompleted},
    {State::kActive, Verb::kComplete, kNowhere},  // retention removes it at once
    {State::kActive, Verb::kFail, State::kFailed},
    {State::kActive, Verb::kFail, kNowhere},
    {State::kActive, Verb::kRetryLater, State::kWaiting},
    {State::kActive, Verb::kRetryLater, State::kPrioritized},
    {State::kActive, Verb::kRetryLater, State::kDelayed},
    {State::kActive, Verb::kRequeue, State::kWaiting},
    {State::kActive, Verb::kRequeue, State::kPrioritized},
    {State::kActive, Verb::kStall, State::kWaiting},
    {State::kActive, Verb::kStall, State::kPrioritized},
    {State::kActive, Verb::kStall, State::kFailed},
    {State::kActive, Verb::kStall, kNowhere},
    {State::kActive, Verb::kWaitForChildren, State::kWaitingChildren},
    {State::kDelayed, Verb::kWake, State::kWaiting},
    {State::kDelayed, Verb::kWake, State::kPrioritized},
    {State::kDelayed, Verb::kPromote, State::kWaiting},
    {State::kDelayed, Verb::kPromote, State::kPrioritized},
    {State::kWaitingChildren, Verb::kReleaseParent, State::kWaiting},
    {State::kWaitingChildren, Verb::kReleaseParent, State::kPrioritized},
    {State::kWaitingChildren, Verb::kReleaseParent, State::kDelayed},
    {State::kWaitingChildren, Verb::kReleaseParent, State::kFailed},
    {State::kCompleted, Verb::kRetry, State::kWaiting},
    {State::kCompleted, Verb::kRetry, State::kPrioritized},
    {State::kFailed, Verb::kRetry, State::kWaiting},
    {State::kFailed, Verb::kRetry, State::kPrioritized},
    {State::kWaiting, Verb::kCancel, State::kFailed},
    {State::kPrioritized, Verb::kCancel, State::kFailed},
    {State::kDelayed, Verb::kCancel, State::kFailed},
    {State::kWaitingChildren, Verb::kCancel, State::kFailed},
    {State::kWaiting, Verb::kRemove, kNowhere},
    {State::kPrioritized, Verb::kRemove, kNowhere},
    {State::kDelayed, Verb::kRemove, kNowhere},
    {State::kActive, Verb::kRemove, kNowhere},
    {State::kWaitingChildren, Verb::kRemove, kNowhere},
    {State::kCompleted, Verb::kRemove, kNowhere},
    {State::kFailed, Verb::kRemove, kNowhere},
};
}  // namespace

std::span<const Transition> legal_transitions() {
  return kTable;
}

bool is_legal(std::optional<State> from, Verb verb, std::optional<State> to) {
  return std::any_of(std::begin(kTable), std::end(kTable),
                     [&](const Transition& t) { return t.from == from && t.verb == verb && t.to == to; });
}

std::string_view to_string(Verb verb) {
  switch (verb) {
    case Verb::kAdd: return "add";
    case Verb::kTake: return "take";
    case Verb::kComplete: return "complete";
    case Verb::kFail: return "fail";
    case Verb::kRetryLater: return "retry later";
    case Verb::kRequeue: return "back to wait";
    case Verb::kStall: return "stall";
    case Verb::kWaitForChildren: return "wait for children";
    case Verb::kWake: return "wake";
    case Verb::kPromote: return "promote";
    case Verb::kReleaseParent: return "release parent";
    case Verb::kRetry: return "retry";
    case Verb::kCancel: return "cancel";
    case Verb::kRemove: return "remove";
  }
  return "unknown";
}

}  // namespace gaur
