#pragma once
// Reserves disk space, so that taken jobs can finish on a full disk. It allocates blocks of the data file
// ahead of their use. Adds are rejected once they would use the reserve. A job is taken only if the space for
// its result, logs and events is there, beside that of all active jobs; the reserve may be used for it.
//
// What counts as space: blocks after the last used page, and pages inside the file that LMDB can use again.
// Where the file system lacks fallocate(), free space counts instead, which other programs may use up.
// Thread-safety: confined to the writer.
#include <cstdint>

#include "embedded/lmdb_env.hpp"
#include "gaur/job.hpp"
#include "gaur/result.hpp"

namespace gaur::embedded {

/// Log lines of one run for which space is reserved; further lines need free space, as an add does.
inline constexpr std::uint64_t kReservedLogBytes = 256ULL << 10;

/// What one run of a job may write until its end: result or failure, log lines, events, and the pages that
/// LMDB copies for it.
std::uint64_t bytes_of_run(const JobOptions& options, std::uint64_t result_bytes);

/// Allocates LMDB's lock file, which is written through a memory map: without blocks a write to it would end
/// the process (SIGBUS). Errors: kStoreFull.
Status allocate_lock_file(const std::filesystem::path& folder);

class SpaceGuard {
 public:
  /// `max_bytes`: size of the memory map.
  SpaceGuard(const LmdbEnv& env, std::uint64_t reserve_bytes, std::uint64_t max_bytes);

  /// Call it before each transaction, with the space that is reserved for the active jobs. Updates full().
  void new_transaction(std::uint64_t reserved_for_runs);
  /// Books space for an add of about `bytes`; allocates more disk space if necessary. Errors: kStoreFull if
  /// the add would use the reserve.
  Status book(std::uint64_t bytes);
  /// Reserves space for a run that may write `bytes`, in one piece at most `largest`. false: there is none,
  /// and the job must not start.
  bool book_run(std::uint64_t bytes, std::uint64_t largest);
  /// The open transaction ends a run that had reserved `reserved` bytes; its end stores about `written`.
  void end_run(std::uint64_t reserved, std::uint64_t written);

  /// Less than the reserve is left.
  bool full() const { return full_; }
  /// The last job that was to be taken did not get its space.
  bool starts_blocked() const { return full_ && starts_blocked_; }
  /// LMDB reports a short write as EIO, as it does an error of the disk. Returns kStoreFull instead of kIo if
  /// there was no space for the open transaction; `more`: what it wrote without booking it.
  Error explain(const Error& failed_commit, std::uint64_t more = 0);
  std::uint64_t used_bytes() const { return used_; }

 private:
  bool has(std::uint64_t bytes, std::uint64_t largest);
  bool allocate_until(std::uint64_t end);
  bool allocate(std::uint64_t bytes);
  void update_allocated();
  std::uint64_t reusable_bytes(std::uint64_t largest, std::uint64_t wanted) const;
  std::uint64_t end_of_space() const;

  const LmdbEnv& env_;
  const std::uint64_t reserve_;
  const std::uint64_t max_bytes_;
  /// The end of the last used page when the transaction began.
  std::uint64_t used_ = 0;
  /// The file's blocks are allocated up to this offset.
  std::uint64_t allocated_ = 0;
  /// The file may not grow above it: RLIMIT_FSIZE and the map.
  std::uint64_t limit_ = 0;
  /// By adds of the open transaction.
  std::uint64_t booked_ = 0;
  /// For active jobs, and what the ends in the open transaction store.
  std::uint64_t runs_ = 0;
  bool full_ = false;
  bool starts_blocked_ = false;
  /// false: the file system lacks fallocate(); statvfs() is used instead.
  bool can_allocate_ = true;
};

}  // namespace gaur::embedded
