#include "embedded/backup.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/files.hpp"
#include "base/number_rule.hpp"
#include "base/try.hpp"
#include "embedded/folder_lock.hpp"
#include "embedded/shared_env.hpp"
#include "embedded/space_guard.hpp"
#include "embedded/store_folder.hpp"

namespace gaur::embedded {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kMapBytes = 1ULL << 40;

Status copy_bytes(int from, int to) {
  std::array<char, 1 << 18> buffer;
  while (true) {
    const ssize_t got = ::read(from, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error("cannot read the data file", errno);
    if (got == 0) return ok();
    GAUR_CHECK(write_all(to, {buffer.data(), static_cast<std::size_t>(got)}));
  }
}

Status copy_file_to(const fs::path& from, int to) {
  const Fd fd(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return errno_error("cannot open " + from.string(), errno);
  return copy_bytes(fd.get(), to);
}

/// LMDB copies with write(), so that damage or a truncation gives an error and no signal.
Status copy_from_host(const fs::path& store, int to) {
  GAUR_TRY(const EnvPtr env, open_used_store(store));
  if (const int code = mdb_env_copyfd2(env.get(), to, 0); code != 0)
    return lmdb_error("cannot copy the store", code);
  return ok();
}

/// Opens the copy with LMDB and counts its jobs.
Status open_and_count(const fs::path& file, std::uint64_t jobs) {
  GAUR_TRY(const EnvPtr env, open_data_file(file));
  MDB_txn* txn = nullptr;
  if (const int code = mdb_txn_begin(env.get(), nullptr, MDB_RDONLY, &txn); code != 0)
    return lmdb_error("cannot read the copy", code);
  MDB_dbi states = 0;
  MDB_stat stat{};
  int code = mdb_dbi_open(txn, std::string(table_name(Table::kState)).c_str(), 0, &states);
  if (code == 0) code = mdb_stat(txn, states, &stat);
  mdb_txn_abort(txn);
  if (code != 0) return lmdb_error("cannot read the copy", code);
  if (stat.ms_entries == jobs) return ok();
  return Error{Errc::kCorrupt, fmt::format("the copy has {} jobs, {} were expected", stat.ms_entries, jobs)};
}

Result<StoreCheck> check_everything(const PageFile& file) {
  GAUR_TRY(StoreCheck check, check_store(file, {.large_values = true}));
  if (check.sound()) return check;
  return Error{Errc::kCorrupt, problems_of(check).summary()};
}

/// The transaction is on disk when this returns.
Status mark_as_backup(const fs::path& file, FormatRecord format) {
  GAUR_TRY(const EnvPtr env, open_data_file(file, Access::kWrite));
  format.backup = true;
  std::string record;
  encode_format(format, record);
  MDB_txn* txn = nullptr;
  if (const int code = mdb_txn_begin(env.get(), nullptr, 0, &txn); code != 0)
    return lmdb_error("cannot mark the copy as a backup", code);
  MDB_dbi meta = 0;
  MDB_val key = to_val(kFormatKey), value = to_val(record);
  int code = mdb_dbi_open(txn, std::string(table_name(Table::kMeta)).c_str(), 0, &meta);
  if (code == 0) code = mdb_put(txn, meta, &key, &value, 0);
  if (code != 0) {
    mdb_txn_abort(txn);
  } else {
    code = mdb_txn_commit(txn);
  }
  return code == 0 ? ok() : Status(lmdb_error("cannot mark the copy as a backup", code));
}

Result<BackupReport> write_copy(const fs::path& store, const fs::path& part) {
  const Fd out(::open(part.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!out) return errno_error("cannot write " + part.string(), errno);
  const auto unused = lock_data_file(data_file(store), DataLock::kShared);
  if (!unused && unused.error().code != Errc::kBusy) return unused.error();
  const Status copied = unused ? copy_file_to(data_file(store), out.get()) : copy_from_host(store, out.get());
  if (!copied) return copied.error().in("cannot write " + part.string());
  if (::fsync(out.get()) != 0) return errno_error("cannot sync " + part.string(), errno);
  const PageFile copy(out.get());
  auto check = check_everything(copy);
  if (!check) {
    return Error{check.error().code, fmt::format("the store is damaged and was not backed up: {}; {}",
                                                 check.error().message, damage_advice())};
  }
  GAUR_CHECK(mark_as_backup(part, *check->format));
  GAUR_CHECK(open_and_count(part, check->jobs));
  return BackupReport{PageFile(out.get()).bytes(), *std::move(check)};
}

/// A complete store in store.new, with a new id.
Result<std::uint64_t> prepare(const RestoreOptions& options, std::uint32_t version, Now now) {
  const fs::path made = new_store_path(options.folder);
  std::error_code problem;
  fs::remove_all(made, problem);
  GAUR_CHECK(make_folders(made, 0750));
  GAUR_CHECK(allocate_lock_file(made));
  {
    const Fd out(::open(data_file(made).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!out) return errno_error("cannot write " + data_file(made).string(), errno);
    if (const Status copied = copy_file_to(options.backup, out.get()); !copied)
      return copied.error().in("cannot write " + data_file(made).string());
    if (::fsync(out.get()) != 0) return errno_error("cannot sync " + data_file(made).string(), errno);
  }
  std::uint64_t id = 0;
  {
    GAUR_TRY(const auto env, LmdbEnv::open({made, kMapBytes, false, version < kDiskFormat}));
    GAUR_TRY(const auto engine, Engine::open(*env, Semantics::bullmq(), now));
    GAUR_CHECK(engine->begin(now));
    GAUR_CHECK(engine->begin_history(options.skip_ids));
    if (const auto written = engine->commit(); !written)
      return SpaceGuard(*env, 0, kMapBytes).explain(written.error());
    id = engine->store_id();
  }
  GAUR_TRY(const PageFile file, PageFile::open(data_file(made).string()));
  if (const auto check = check_everything(file); !check) return check.error().in("the restored store");
  GAUR_CHECK(sync_folder(made));
  return id;
}

/// A host of another user could not write to the restored files.
Status check_owner(const fs::path& folder) {
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0) return errno_error("cannot read " + folder.string(), errno);
  if (status.st_uid == ::geteuid()) return ok();
  return Error{
      Errc::kPermission,
      fmt::format("{0} belongs to the user with the number {1}, and this command runs as {2}: the "
                  "host could not write to the restored store; type `sudo -u '#{1}' gaur restore ...`",
                  folder.string(), status.st_uid, ::geteuid())};
}

/// The first unused name.
fs::path replaced_path(const fs::path& folder) {
  std::error_code ignored;
  fs::path path = folder / "store.replaced";
  for (int i = 2; fs::exists(path, ignored); ++i) path = folder / fmt::format("store.replaced-{}", i);
  return path;
}

/// Exchanges the stores in one step, and never leaves the old one under a name that a start removes. Without
/// support of the file system in two steps: after a crash between them the store is missing, and store-id
/// keeps the folder from being taken for a new one.
Status put_in_place(const fs::path& made, const fs::path& store, const fs::path& replaced) {
  GAUR_CHECK(rename_durably(made, replaced));
  if (exchange_folders(replaced, store)) return ok();
  GAUR_CHECK(rename_durably(replaced, made));
  GAUR_CHECK(rename_durably(store, replaced));
  return rename_durably(made, store);
}

}  // namespace

Result<BackupReport> back_up(const fs::path& folder, const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(data_file(store_path(folder)), ignored))
    return Error{Errc::kNotFound, fmt::format("there is no store in {}", folder.string())};
  if (fs::exists(file, ignored))
    return Error{Errc::kAlreadyExists, fmt::format("{} exists already; choose another name", file.string())};
  const fs::path parent = file.has_parent_path() ? file.parent_path() : fs::path(".");
  if (!fs::is_directory(parent, ignored)) {
    return Error{Errc::kNotFound,
                 fmt::format("there is no folder {}; create it, or mount its disk", parent.string())};
  }
  const fs::path part = file.string() + ".part";
  auto report = write_copy(store_path(folder), part);
  Status done = report ? rename_durably(part, file) : Status(report.error());
  if (done) return report;
  fs::remove(part, ignored);
  return done.error();
}

Result<RestoreReport> restore(const RestoreOptions& options, Now now) {
  RestoreReport report;
  if (options.skip_ids > kMostSkippedIds) {
    return Error{Errc::kInvalidArgument,
                 "skip_ids: " + whole_number_rule(0, kMostSkippedIds, std::to_string(options.skip_ids))};
  }
  {
    GAUR_TRY(const PageFile file, PageFile::open(options.backup.string()));
    auto check = check_everything(file);
    if (!check) return check.error().in("the backup " + options.backup.string() + " cannot be used");
    report.check = *std::move(check);
  }
  GAUR_CHECK(make_folders(options.folder, 0750));
  GAUR_CHECK(check_owner(options.folder));
  GAUR_TRY(const Fd lock, lock_folder(options.folder));
  const fs::path store = store_path(options.folder);
  std::error_code ignored;
  const bool has_store = fs::exists(store, ignored) && !fs::is_empty(store, ignored);
  auto marker = read_marker(options.folder);
  if (!options.replace && (has_store || !marker || *marker)) {
    return Error{
        Errc::kAlreadyExists,
        fmt::format("{} contains a store; add --replace to replace it (the files are kept as store.replaced)",
                    options.folder.string())};
  }
  std::optional<Fd> data_lock;
  if (fs::exists(data_file(store), ignored)) {
    GAUR_TRY(data_lock, lock_data_file(data_file(store), DataLock::kExclusive));
  }
  const auto prepared = prepare(options, report.check.format->version, now);
  if (!prepared) {
    fs::remove_all(new_store_path(options.folder), ignored);
    return prepared.error();
  }
  const std::uint64_t id = *prepared;
  // From here the folder accepts both stores, so that a crash leaves one that opens.
  StoreMarker both{{id}, 0};
  if (marker && *marker) both.ids.insert(both.ids.end(), (*marker)->ids.begin(), (*marker)->ids.end());
  GAUR_CHECK(write_marker(options.folder, both));
  if (!has_store) {
    GAUR_CHECK(rename_durably(new_store_path(options.folder), store));
  } else {
    report.replaced = replaced_path(options.folder);
    GAUR_CHECK(put_in_place(new_store_path(options.folder), store, report.replaced));
  }
  GAUR_CHECK(write_marker(options.folder, {{id}, 0}));
  return report;
}

}  // namespace gaur::embedded
