#pragma once
// The files of a store in its data folder, and the proof that they are complete before they are opened:
//   gaur.lock       the lock of the folder (folder_lock.hpp)
//   store/          the LMDB environment: data.mdb and lock.mdb
//   store.new/      a store that is being created or restored; removed by the next start
//   store-id        the id of the store, and the last transaction that is known to be on disk
// A store is created in store.new and renamed, so that store/ is complete or absent.
// Thread-safety: the process that holds the folder's lock.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "base/env.hpp"
#include "base/fd.hpp"
#include "core/semantics.hpp"
#include "embedded/engine.hpp"
#include "embedded/store_check.hpp"

namespace gaur::embedded {

std::filesystem::path store_path(const std::filesystem::path& folder);
std::filesystem::path new_store_path(const std::filesystem::path& folder);
std::filesystem::path data_file(const std::filesystem::path& store);

/// The file store-id.
struct StoreMarker {
  /// While a restore exchanges the stores: both. Otherwise one.
  std::vector<std::uint64_t> ids;
  std::uint64_t transaction = 0;
};
/// Nothing: the file does not exist. Errors: kIo, kCorrupt.
Result<std::optional<StoreMarker>> read_marker(const std::filesystem::path& folder);
Status write_marker(const std::filesystem::path& folder, const StoreMarker& marker);

/// kShared: for readers that need a file that does not change; the file may be read-only.
enum class DataLock : std::uint8_t { kShared, kExclusive };
/// Locks the data file itself with an open file description lock: another process is kept out also if
/// gaur.lock was deleted. LMDB does not lock this file. Errors: kBusy, kIo.
Result<Fd> lock_data_file(const std::filesystem::path& file, DataLock mode);

struct FoundStore {
  /// Keep it open as long as the store is used.
  Fd lock;
  StoreCheck check;
  bool created = false;
};
/// Locks and checks the store of a folder, and creates it first if nothing shows that there was one. `go_on`
/// may end the check early. Errors: kBusy, kCorrupt (says what is missing or damaged and what to type),
/// kNewerFormat, kIo.
Result<FoundStore> find_or_create_store(const std::filesystem::path& folder, const LmdbOptions& options,
                                        const Semantics& semantics, Now now,
                                        const std::function<bool()>& go_on);

/// Records that the store's transactions up to now are on disk; syncs them first. Writes nothing if the data
/// file is not at its path: the folder may be another store's.
Status mark_store(const std::filesystem::path& folder, const LmdbEnv& env, std::uint64_t store_id);

}  // namespace gaur::embedded
