#pragma once
// Decides which active jobs without a lock are stalled. An unlocked job is not stalled yet: a peer locks it a
// moment after moving it to `active`. So it must be seen several times over a span, and jobs of other workers
// get a grace. Thread-safety: the caller holds the TakeMemory's mutex.
#include "redis_store/store_context.hpp"
#include "redis_store/take_memory.hpp"

namespace gaur::redis_store {

class StalledDetector {
 public:
  StalledDetector(const StoreContext& context, const RecoverRequest& request, TakeMemory& memory)
      : options_(context.options), request_(request), memory_(memory), now_(context.env.clock.now()) {}

  /// The ids of stalled jobs, newest first, out of the reply of script active_jobs. Unlocked jobs that are
  /// not recovered are added to `left`.
  std::vector<std::string> stalled(const redis::Reply::Array& active, std::vector<UnlockedJob>& left);

 private:
  Duration span() const { return options_.sightings > 1 ? options_.sighting_span : Duration{0}; }
  std::optional<UnlockedJob::Why> why_left(const std::optional<Time>& started, bool own,
                                           const TakeMemory::Sighting& sighting) const;

  const StoreOptions& options_;
  const RecoverRequest& request_;
  TakeMemory& memory_;
  const Instant now_;
};

}  // namespace gaur::redis_store
