#include "embedded/shared_env.hpp"

#include <fmt/format.h>

#include "base/try.hpp"
#include "embedded/lmdb_env.hpp"

namespace gaur::embedded {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kFileMapBytes = 1ULL << 40;
/// A snapshot's meta page is overwritten by the second commit after it.
constexpr int kSnapshotAttempts = 100;

struct TxnAbort {
  void operator()(MDB_txn* txn) const { mdb_txn_abort(txn); }
};
using ReadTxn = std::unique_ptr<MDB_txn, TxnAbort>;

Result<EnvPtr> open_env(const fs::path& path, unsigned flags) {
  MDB_env* raw = nullptr;
  if (const int code = mdb_env_create(&raw); code != 0)
    return lmdb_error("cannot create an environment", code);
  EnvPtr env(raw);
  mdb_env_set_mapsize(raw, kFileMapBytes);
  mdb_env_set_maxdbs(raw, kTables);
  if (const int code = mdb_env_open(raw, path.c_str(), flags | MDB_NOTLS, 0600); code != 0)
    return lmdb_error("cannot open " + path.string(), code);
  return env;
}

Result<StoreCheck> check_once(MDB_env* env, CheckOptions options) {
  mdb_filehandle_t fd = -1;
  mdb_env_get_fd(env, &fd);
  for (int attempt = 0; attempt < kSnapshotAttempts; ++attempt) {
    MDB_txn* raw = nullptr;
    if (const int code = mdb_txn_begin(env, nullptr, MDB_RDONLY, &raw); code != 0)
      return lmdb_error("cannot read the store", code);
    const ReadTxn keeps_pages(raw);
    options.transaction = mdb_txn_id(raw);
    const PageFile file(fd);
    const auto& meta = file.metas()[*options.transaction % 2];
    if (meta && meta->transaction == *options.transaction) return check_store(file, options);
  }
  return Error{Errc::kBusy, "the store changes too fast to be checked; stop the host and try again"};
}

}  // namespace

Result<EnvPtr> open_used_store(const fs::path& store) {
  std::error_code ignored;
  if (!fs::exists(store / "lock.mdb", ignored)) {
    return Error{
        Errc::kBusy,
        fmt::format("{} was deleted while a host uses the store, so that nothing else can read it; stop the "
                    "host first",
                    (store / "lock.mdb").string())};
  }
  GAUR_TRY(const PageFile file, PageFile::open((store / "data.mdb").string()));
  if (file.newest() == nullptr) return Error{Errc::kCorrupt, "both meta pages are damaged"};
  return open_env(store, MDB_RDONLY);
}

Result<EnvPtr> open_data_file(const fs::path& file, Access access) {
  return open_env(file, MDB_NOSUBDIR | MDB_NOLOCK | (access == Access::kRead ? MDB_RDONLY : 0U));
}

Result<StoreCheck> check_snapshot(MDB_env* env, const CheckOptions& options) {
  GAUR_TRY(StoreCheck first, check_once(env, options));
  if (first.sound()) return first;
  return check_once(env, options);
}

}  // namespace gaur::embedded
