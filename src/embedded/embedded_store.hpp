#pragma once
// The Store of one machine: jobs in an LMDB file in the data folder. Every acknowledged change is durable.
//
// One process owns the folder. A writer thread commits concurrent calls together; two reader threads serve
// queries from snapshots. Locks are in memory only: opening the store requeues every active job at the front
// of its queue without counting an attempt or, with count_active, a stall. docs/reference/disk-format.md
// describes the file.
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/env.hpp"
#include "base/log.hpp"
#include "core/semantics.hpp"
#include "core/store.hpp"

namespace gaur {

/// When a change is acknowledged: never before its commit. A killed process loses no acknowledged change in
/// either mode.
enum class Durability : std::uint8_t {
  /// After data and root page are synced: a power failure loses no acknowledged change.
  kCommit,
  /// One sync instead of two: a power failure may undo the last commit.
  kRelaxed,
};

/// How the jobs count that were active when the previous process of the folder ended.
struct CountActive {
  /// A job that stalls more often fails.
  std::uint32_t max_stalled = 1;
  /// For jobs without their own.
  Retention keep_failed{};
};

struct EmbeddedOptions {
  /// The data folder, created if missing. It contains gaur.lock and store/.
  std::filesystem::path folder{};
  Durability durability = Durability::kCommit;
  /// Disk space reserved for finishing jobs. With less than this left, adds are rejected with kStoreFull. A
  /// job is taken only if what is left has space for its result, logs and events.
  std::uint64_t reserve_bytes = 32ULL << 20;
  /// Limit of added bytes that wait for the writer, for example on a slow disk. Adds above it are rejected
  /// with kQueueFull.
  std::uint64_t pending_add_bytes = 256ULL << 20;
  /// The previous process may have ended because of one of its jobs: opening the store counts each active job
  /// as stalled. Default: no active job is counted.
  std::optional<CountActive> count_active{};
  /// A time in which the writer did not run that counts as a pause: the process was stopped, or the disk did
  /// not answer. Locks could not be renewed in it, so they are extended by it. 0: no pause is detected.
  Duration pause{500};
  /// Only semantics that serve priority 0 before all others are supported.
  Semantics semantics = Semantics::bullmq();
  /// Address space of the memory map, never resized. Lower it only where address space is scarce
  /// (sanitizers).
  std::uint64_t map_bytes = 1ULL << 40;
  /// How long the check of the data file may take when the store opens (about 1 s for each 2 GB in the page
  /// cache). A check that takes longer is repeated by a thread while the store is in use.
  Duration check_limit{10'000};
  /// How often the last transaction is recorded in store-id if there is a new one. After a crash, a copy of
  /// the data file that is older than the last record is rejected.
  Duration mark_interval{60'000};
  /// Default: silent.
  Logger log{};
  /// Called once, on the writer thread, when a write or sync failed other than for lack of space, or when the
  /// data file was truncated, deleted or moved (noticed within 1 s, also if nothing is written). From then
  /// on the store acknowledges nothing; restart the process to recover from disk. Default: nothing.
  std::function<void(const Error&)> on_fatal{};
};

/// Counters of the writer since the store was opened.
struct EmbeddedStats {
  /// Commits that wrote something.
  std::uint64_t commits = 0;
  /// Calls executed in them.
  std::uint64_t requests = 0;
  std::uint64_t jobs_added = 0, jobs_taken = 0, jobs_finished = 0;
  /// Two a commit, or one with kRelaxed.
  std::uint64_t syncs = 0;
  /// Bytes used in the data file.
  std::uint64_t file_bytes = 0;
  /// Reserved for the results, logs and events of active jobs.
  std::uint64_t reserved_bytes = 0;
  /// The disk is full: adds are rejected. Both end by themselves once there is space.
  bool full = false;
  /// Jobs wait that are not taken because there is no space for their results.
  bool starts_blocked = false;
};

/// The destructor ends all waits with kStopping, executes the submitted calls and joins the threads. `clock`
/// and `completions` must outlive the store; tasks that it posted to `completions` do not refer to it.
/// Thread-safety: see Store.
class EmbeddedStore : public Store {
 public:
  virtual EmbeddedStats stats() const = 0;
  /// The first damage that the check at the opening or a later read found; nothing if the store is sound.
  /// Jobs in undamaged records can be used; a job that is missing is reported as kCorrupt, not as kNotFound.
  virtual std::optional<std::string> damage() const = 0;
};

/// Opens only a store that proves complete; creates one only in a folder without any sign of a store.
/// Errors: kBusy (names the process that owns the folder), kNewerFormat, kCorrupt (says what is damaged and
/// what to type), kPermission (the folder is another user's), kIo, kInvalidArgument.
Result<std::unique_ptr<EmbeddedStore>> open_embedded(EmbeddedOptions options, const Clock& clock,
                                                     Executor& completions);

}  // namespace gaur
