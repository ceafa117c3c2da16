#include "mutants.hpp"

#include <algorithm>

namespace gaur::simulation {

namespace {
using model::Mutation;
constexpr MutantRow kNoMutant{Mutant::kNone, "none"};
constexpr MutantRow kRows[] = {
    {Mutant::kAckBeforeSync, "a crash loses the last acknowledged add", Mutation::kAckBeforeSync},
    {Mutant::kNoTokenCheck, "a finish of an older run is accepted", Mutation::kNoTokenCheck},
    {Mutant::kLostWakeUp, "an add does not serve a long poll", Mutation::kLostWakeUp},
    {Mutant::kDoublePromote, "a promoted job stays delayed as well", Mutation::kDoublePromote},
    {Mutant::kCountDrift, "counts include removed jobs", Mutation::kCountDrift},
    {Mutant::kRepeatExecuted, "a repeated operation is executed again", Mutation::kRepeatExecuted},
    {Mutant::kLockReleasedOnReject, "a rejected finish releases the lock", Mutation::kLockReleasedOnReject},
    {Mutant::kRenewalShortened, "a renewed lock expires early"},
    {Mutant::kRenewalAcceptsLostLocks, "a renewal accepts lost locks"},
    {Mutant::kRepeatedAddIsNew, "a repeated add is a new add"},
    {Mutant::kPauseNotStored, "a pause is acknowledged but not stored"},
    {Mutant::kAddsAtFront, "every job is added at the front"},
    {Mutant::kStallNotCounted, "a crash of a runner is not counted"},
    {Mutant::kFailedIsRetried, "a job is retried after its last attempt"},
    {Mutant::kOtherResultStored, "a job gets the result of another"},
    {Mutant::kDelayByOtherClock, "a delay ends by a clock one minute ahead"},
    {Mutant::kAddNotStored, "an acknowledged add is not stored"},
    {Mutant::kTakesAboveFree, "a take request exceeds the free resources"},
    {Mutant::kEventLost, "an event is missing"},
    {Mutant::kDuplicateReplaces, "a duplicate add changes the data of the job"},
    {Mutant::kFinishLostWhenFull, "a full disk loses finishes"},
    {Mutant::kNoRenewal, "locks are not renewed"},
    {Mutant::kRepeatedTakeIsNew, "a repeated take request is a new one"},
    {Mutant::kFinishForgotten, "a finish with a lost reply is forgotten"},
    {Mutant::kDueIgnored, "delayed jobs are not woken"},
    {Mutant::kHintsLost, "hints of new jobs are lost"},
    {Mutant::kReleaseLost, "an ended run keeps its resources"},
    {Mutant::kNotCharged, "a taken job is not charged"},
    {Mutant::kMaxRunningIgnored, "max_running is ignored"},
    {Mutant::kLostLockIgnored, "a run goes on after its lock was lost"},
    {Mutant::kCancelIgnored, "a cancelled run goes on"},
    {Mutant::kStartedTwice, "a run is started twice"},
};
}  // namespace

std::span<const MutantRow> mutant_rows() {
  return kRows;
}

const MutantRow& row_of(Mutant mutant) {
  const auto* found = std::find_if(std::begin(kRows), std::end(kRows),
                                   [&](const MutantRow& row) { return row.mutant == mutant; });
  return found == std::end(kRows) ? kNoMutant : *found;
}

}  // namespace gaur::simulation
