#pragma once
// A store that another process may use, opened for reading. LMDB's table of readers in lock.mdb makes our
// transactions known to that process, so that it keeps the pages that they read. Thread-safety: confined. Do
// not open a store here that this process has open already.
#include <lmdb.h>

#include <cstdint>
#include <filesystem>
#include <memory>

#include "embedded/store_check.hpp"

namespace gaur::embedded {

struct EnvClose {
  void operator()(MDB_env* env) const { mdb_env_close(env); }
};
using EnvPtr = std::unique_ptr<MDB_env, EnvClose>;

/// A store that a host uses. Errors: kBusy (its lock.mdb was deleted), kCorrupt (no meta page), kIo.
Result<EnvPtr> open_used_store(const std::filesystem::path& store);
/// A data file that nobody else uses, such as a backup.
enum class Access : std::uint8_t { kRead, kWrite };
Result<EnvPtr> open_data_file(const std::filesystem::path& file, Access access = Access::kRead);

/// Checks a snapshot of a store that is in use; its pages are kept meanwhile, so that the data file may grow.
/// What is found counts only if a second snapshot has it too: pages are read while the other process writes
/// to the file.
Result<StoreCheck> check_snapshot(MDB_env* env, const CheckOptions& options);

}  // namespace gaur::embedded
