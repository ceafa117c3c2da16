#pragma once
// Backups of a store: one file, a data file whose format record says that it is a backup, so that a host does
// not take it for its store. A backup is checked page by page and opened
// before it gets its name; a restored store is checked before it takes the place of another.
// docs/how-to/backup.md is the user's page. Thread-safety: any thread; both calls block.
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "embedded/engine.hpp"
#include "embedded/store_check.hpp"

namespace gaur::embedded {

struct BackupReport {
  std::uint64_t bytes = 0;
  StoreCheck check;
};

/// Copies the store of `folder` to `file`, also while a host uses it: then in a read transaction, which
/// LMDB's own table of readers makes known to the host. Commits continue; the data file grows while the copy
/// takes. The copy is written to
/// `<file>.part`, synced, checked, opened and renamed. Errors: kNotFound (no store, or no folder for the
/// file: its disk may not be mounted), kAlreadyExists (the file), kCorrupt (the store is damaged), kBusy (a
/// host runs without its lock.mdb), kIo.
Result<BackupReport> back_up(const std::filesystem::path& folder, const std::filesystem::path& file);

/// Of one restore. Ids stay far below 2^53, which every JSON reader keeps.
inline constexpr std::uint64_t kMostSkippedIds = 1'000'000'000'000;

struct RestoreOptions {
  std::filesystem::path backup;
  std::filesystem::path folder;
  /// Replaces a store in the folder, which is kept as store.replaced. Otherwise such a folder is rejected.
  bool replace = false;
  /// Job ids and event numbers that are skipped in every queue, so that ids which the lost store may have
  /// given to jobs after the backup do not name other jobs. At most kMostSkippedIds.
  std::uint64_t skip_ids = 1'000'000;
};
struct RestoreReport {
  StoreCheck check;
  /// Where the previous store is; "": there was none.
  std::filesystem::path replaced;
};
/// Restores a backup into a data folder. The store gets a new id, and is checked before it takes the place of
/// another. Errors: kInvalidArgument (`skip_ids`), kAlreadyExists, kBusy (a host uses
/// the folder), kCorrupt (the backup is damaged), kPermission (the folder belongs to another user),
/// kNewerFormat, kIo, kStoreFull.
Result<RestoreReport> restore(const RestoreOptions& options, Now now);

}  // namespace gaur::embedded
