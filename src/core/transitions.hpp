#pragma once
// The table of legal transitions: the one state machine, as data. Stores assert against it, the
// conformance suite checks every history against it, docs/states.md is compared with it by a test.
#include <optional>
#include <span>
#include <string_view>

#include "gaur/job.hpp"

namespace gaur {

enum class Verb : std::uint8_t {
  kAdd,
  kTake,
  kComplete,
  kFail,
  kRetryLater,
  kRequeue,
  kStall,
  kWaitForChildren,
  kWake,
  kPromote,
  kReleaseParent,
  kRetry,
  kCancel,
  kRemove,
};
std::string_view to_string(Verb verb);

/// From or to "nowhere" (not stored) is std::nullopt.
struct Transition {
  std::optional<State> from;
  Verb verb;
  std::optional<State> to;
};

std::span<const Transition> legal_transitions();
bool is_legal(std::optional<State> from, Verb verb, std::optional<State> to);

}  // namespace gaur
