#pragma once
// The table of legal transitions of a job. Stores assert it, the conformance suite checks histories with it,
// and a test compares docs/reference/states.md with it.
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

/// std::nullopt: the job is not stored before, or after it.
struct Transition {
  std::optional<State> from;
  Verb verb;
  std::optional<State> to;
};

std::span<const Transition> legal_transitions();
bool is_legal(std::optional<State> from, Verb verb, std::optional<State> to);

}  // namespace gaur
