#pragma once
// The Store of one machine: jobs in an LMDB file under the data folder, durable at every acknowledged call.
//
// One process owns the folder. Calls are gathered by one writer thread and committed together; looking is
// done by two reader threads on snapshots. Locks live in memory: at open every active job stands in front
// again, uncounted, before anything else happens. docs/reference/disk-format.md describes the file.
#include <filesystem>
#include <functional>
#include <memory>

#include "base/env.hpp"
#include "base/log.hpp"
#include "core/semantics.hpp"
#include "core/store.hpp"

namespace gaur {

/// When a change is acknowledged. Never before its commit; a killed process loses nothing either way.
enum class Durability : std::uint8_t {
  kCommit,   ///< after data and root page are synced: a power cut loses nothing acknowledged
  kRelaxed,  ///< one sync instead of two: a power cut may undo the last commit
};

struct EmbeddedOptions {
  std::filesystem::path folder{};  ///< the data folder; made if missing. Holds gaur.lock and store/
  Durability durability = Durability::kCommit;
  /// Disk room kept for finishes: with less than this left, adds are refused with kStoreFull.
  std::uint64_t reserve_bytes = 32ULL << 20;
  /// Of adds that wait for the writer, such as while the disk is slow: one more is refused with kQueueFull.
  std::uint64_t pending_add_bytes = 256ULL << 20;
  Semantics semantics = Semantics::bullmq();  ///< only bullmq's order of zero priority is supported
  /// Address space of the map; never resized. Lower it only where address space is scarce (sanitizers).
  std::uint64_t map_bytes = 1ULL << 40;
  Logger log{};  ///< default: silent
  /// Called once, on the writer thread, when a sync failed: nothing is acknowledged any more, and only a
  /// restart, which recovers from disk, helps. Default: nothing.
  std::function<void(const Error&)> on_fatal{};
};

/// What the writer did so far. `syncs` follows from the commits: two each, or one with kRelaxed.
struct EmbeddedStats {
  std::uint64_t commits = 0;   ///< that wrote something
  std::uint64_t requests = 0;  ///< calls carried out in them
  std::uint64_t jobs_added = 0, jobs_taken = 0, jobs_finished = 0;
  std::uint64_t syncs = 0;
  std::uint64_t file_bytes = 0;  ///< used of the data file
};

/// Thread-safety: as Store says. The destructor ends all waits (kStopping), carries out what was sent, joins
/// its threads; `clock` and `completions` must outlive it, and what it posted to `completions` refers to it
/// no more.
class EmbeddedStore : public Store {
 public:
  virtual EmbeddedStats stats() const = 0;
};

/// Errors: kBusy (the folder belongs to the process named), kNewerFormat, kCorrupt, kIo, kInvalidArgument.
Result<std::unique_ptr<EmbeddedStore>> open_embedded(EmbeddedOptions options, const Clock& clock,
                                                     Executor& completions);

}  // namespace gaur
