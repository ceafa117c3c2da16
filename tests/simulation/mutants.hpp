#pragma once
// Planted mistakes of the simulation. They are in the layers of the simulation, or in the reference model,
// and not in the release programs. simulation_mutants_test checks that each is found. Thread-safety: values.
#include <cstdint>
#include <span>
#include <string_view>

#include "model/model_state.hpp"

namespace gaur::simulation {

enum class Mutant : std::uint8_t {
  kNone,
  // The model (model::Mutation).
  kAckBeforeSync,
  kNoTokenCheck,
  kLostWakeUp,
  kDoublePromote,
  kCountDrift,
  kRepeatExecuted,
  kLockReleasedOnReject,
  // Between the checks and the store (MutatedStore).
  kRenewalShortened,
  kRenewalAcceptsLostLocks,
  kRepeatedAddIsNew,
  kPauseNotStored,
  kAddsAtFront,
  kStallNotCounted,
  kFailedIsRetried,
  kOtherResultStored,
  kDelayByOtherClock,
  kAddNotStored,
  kTakesAboveFree,
  kEventLost,
  kDuplicateReplaces,
  kFinishLostWhenFull,
  // Between the worker and the network (Network).
  kNoRenewal,
  kRepeatedTakeIsNew,
  kFinishForgotten,
  kDueIgnored,
  kHintsLost,
  // The ledger (MutatedLedger).
  kReleaseLost,
  kNotCharged,
  kMaxRunningIgnored,
  // The runners (SimulatedRuns).
  kLostLockIgnored,
  kCancelIgnored,
  kStartedTwice,
};

struct MutantRow {
  Mutant mutant;
  std::string_view name;
  /// Of the reference model; kNone: the mistake is in a layer of the simulation.
  model::Mutation in_model = model::Mutation::kNone;
};
/// All but kNone.
std::span<const MutantRow> mutant_rows();
const MutantRow& row_of(Mutant mutant);

}  // namespace gaur::simulation
