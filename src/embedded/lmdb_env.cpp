#include "embedded/lmdb_env.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/try.hpp"

namespace gaur::embedded {

namespace {
constexpr std::array<const char*, kTables> kTableNames{
    "meta",    "body",   "state",    "parts",  "ids",  "ready",   "by_function",
    "delayed", "active", "finished", "events", "logs", "sessions"};
constexpr unsigned kReaders = 16;
}  // namespace

std::string_view table_name(Table table) {
  return kTableNames[static_cast<std::size_t>(table)];
}

bool is_table(std::string_view name) {
  return std::ranges::find(kTableNames, name) != kTableNames.end();
}

void DamageReport::add(const std::string& problem) {
  {
    std::lock_guard lock(mutex_);
    if (any_) return;
    first_ = problem;
    any_ = true;
  }
  if (on_first) on_first(problem);
}

std::optional<std::string> DamageReport::first() const {
  if (!any_) return std::nullopt;
  std::lock_guard lock(mutex_);
  return first_;
}

Error lmdb_error(std::string_view what, int code) {
  const std::string message = fmt::format("{}: {}", what, mdb_strerror(code));
  switch (code) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case MDB_MAP_FULL: return {Errc::kStoreFull, message};
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_BAD_VALSIZE: return {Errc::kCorrupt, message};
    case MDB_VERSION_MISMATCH:
      return {Errc::kNewerFormat, message + "; the file was written by another version of LMDB"};
    default: return {Errc::kIo, message};
  }
}

Result<std::unique_ptr<LmdbEnv>> LmdbEnv::open(const LmdbOptions& options) {
  MDB_env* raw = nullptr;
  if (const int code = mdb_env_create(&raw); code != 0) return lmdb_error("cannot create the store", code);
  std::unique_ptr<LmdbEnv> env(new LmdbEnv(raw, options.folder / "data.mdb"));
  mdb_env_set_mapsize(raw, options.map_bytes);
  mdb_env_set_maxdbs(raw, kTables + 1);  // one more for rename_table()
  mdb_env_set_maxreaders(raw, kReaders);
  const unsigned flags = MDB_NOTLS | MDB_NORDAHEAD | (options.relaxed ? MDB_NOMETASYNC : 0U);
  if (const int code = mdb_env_open(raw, options.folder.c_str(), flags, 0600); code != 0) {
    return lmdb_error(fmt::format("cannot open the store {}", options.folder.string()), code);
  }
  // LMDB does not set close-on-exec on this descriptor, so a runner would inherit it.
  if (::fcntl(env->data_fd(), F_SETFD, FD_CLOEXEC) != 0) return lmdb_error("fcntl", errno);
  // Frees the reader slots of a previous process. They would prevent the reuse of old pages.
  mdb_reader_check(raw, nullptr);

  GAUR_CHECK(env->open_tables(options.create));
  struct stat status {};
  env->linked_ = ::fstat(env->data_fd(), &status) == 0 && status.st_nlink > 0;
  GAUR_CHECK(env->check_file());
  return env;
}

Status LmdbEnv::open_tables(bool create) {
  MDB_txn* txn = nullptr;
  if (const int code = mdb_txn_begin(env_, nullptr, create ? 0 : MDB_RDONLY, &txn); code != 0)
    return lmdb_error("cannot read the store", code);
  MDB_stat stat{};
  mdb_env_stat(env_, &stat);
  new_ = create && stat.ms_entries == 0;
  for (std::size_t i = 0; i < kTables; ++i) {
    if (const int code = mdb_dbi_open(txn, kTableNames[i], create ? MDB_CREATE : 0U, &tables_[i]);
        code != 0) {
      mdb_txn_abort(txn);
      if (code == MDB_NOTFOUND)
        return Error{Errc::kCorrupt, fmt::format("the table {} is missing", kTableNames[i])};
      return lmdb_error(fmt::format("cannot open table {}", kTableNames[i]), code);
    }
  }
  if (const int code = mdb_txn_commit(txn); code != 0) return lmdb_error("cannot write the store", code);
  return ok();
}

LmdbEnv::~LmdbEnv() {
  mdb_env_close(env_);
}

int LmdbEnv::data_fd() const {
  mdb_filehandle_t fd = -1;
  mdb_env_get_fd(env_, &fd);
  return fd;
}

std::uint64_t LmdbEnv::used_bytes() const {
  MDB_envinfo info{};
  mdb_env_info(env_, &info);
  MDB_stat stat{};
  mdb_env_stat(env_, &stat);
  return (std::uint64_t{info.me_last_pgno} + 1) * stat.ms_psize;
}

std::uint64_t LmdbEnv::last_transaction() const {
  MDB_envinfo info{};
  mdb_env_info(env_, &info);
  return info.me_last_txnid;
}

Status LmdbEnv::check_file() const {
  if (elsewhere_) return elsewhere();
  struct stat status {};
  if (::fstat(data_fd(), &status) != 0) return lmdb_error("cannot read the length of the data file", errno);
  if (linked_ && status.st_nlink == 0) {
    return Error{Errc::kIo,
                 fmt::format("the data file {} was deleted while it was open; restore a backup with `gaur "
                             "restore FILE --replace`",
                             file_.string())};
  }
  const auto length = static_cast<std::uint64_t>(status.st_size);
  std::uint64_t known = length_;
  while (length > known && !length_.compare_exchange_weak(known, length)) {
  }
  if (length >= known) return ok();
  const std::string problem =
      fmt::format("the data file was truncated while it was open: it has {} bytes and had {}", length, known);
  damage_->add(problem);
  return Error{Errc::kCorrupt, problem};
}

Status LmdbEnv::check_place() const {
  GAUR_CHECK(check_file());
  struct stat open {};
  struct stat there {};
  if (::fstat(data_fd(), &open) != 0) return ok();
  if (::stat(file_.c_str(), &there) == 0) {
    if (there.st_dev == open.st_dev && there.st_ino == open.st_ino) return ok();
  } else if (errno != ENOENT && errno != ENOTDIR) {
    return ok();  // unknown, for example because a folder above may not be searched any more
  }
  elsewhere_ = true;
  return elsewhere();
}

Error LmdbEnv::elsewhere() const {
  return {Errc::kIo,
          fmt::format("the data file {} was moved or replaced while it was open; put the data folder back "
                      "before the next start: the moved file contains every acknowledged job",
                      file_.string())};
}

Result<std::unique_ptr<Txn>> Txn::begin(const LmdbEnv& env, Mode mode) {
  GAUR_CHECK(env.check_file());
  MDB_txn* raw = nullptr;
  const int code = mdb_txn_begin(env.get(), nullptr, mode == Mode::kRead ? MDB_RDONLY : 0, &raw);
  if (code != 0) return lmdb_error("cannot begin a transaction", code);
  return std::unique_ptr<Txn>(new Txn(env, raw));
}

Txn::~Txn() {
  for (MDB_cursor* cursor : cursors_) {
    if (cursor != nullptr) mdb_cursor_close(cursor);
  }
  if (txn_ != nullptr) mdb_txn_abort(txn_);
}

int Txn::commit() {
  for (MDB_cursor*& cursor : cursors_) {
    if (cursor != nullptr) mdb_cursor_close(std::exchange(cursor, nullptr));
  }
  if (failure_ != 0) return failure_;  // the destructor aborts
  return mdb_txn_commit(std::exchange(txn_, nullptr));
}

MDB_cursor* Txn::cursor(Table table) {
  MDB_cursor*& cursor = cursors_[static_cast<std::size_t>(table)];
  if (cursor == nullptr) {
    if (const int code = mdb_cursor_open(txn_, env_.table(table), &cursor); code != 0) note(code);
  }
  return cursor;
}

std::optional<std::string_view> Txn::get(Table table, std::string_view key) {
  MDB_cursor* const at = cursor(table);
  if (at == nullptr) return std::nullopt;
  MDB_val k = to_val(key);
  MDB_val v{};
  if (read(mdb_cursor_get(at, &k, &v, MDB_SET_KEY)) == 0) return to_view(v);
  return std::nullopt;
}

int Txn::read(int code) {
  if (code == 0 || code == MDB_NOTFOUND) return code;
  note(code);
  const Error error = lmdb_error("the data file cannot be read", code);
  if (error.code == Errc::kCorrupt) env_.damage().add(error.message);
  return code;
}

Status Txn::intact() const {
  if (failure_ == 0) return ok();
  return lmdb_error("the data file cannot be read", failure_);
}

void Txn::put(Table table, std::string_view key, std::string_view value, unsigned flags) {
  MDB_cursor* const at = cursor(table);
  if (at == nullptr) return;
  MDB_val k = to_val(key);
  MDB_val v = to_val(value);
  dirty_ = true;
  const int code = mdb_cursor_put(at, &k, &v, flags);
  if (code == MDB_KEYEXIST && flags == MDB_APPEND) return put(table, key, value, 0);
  if (code != 0) note(code);
}

void Txn::put(Table table, std::string_view key, std::string_view value) {
  put(table, key, value, 0);
}

void Txn::append(Table table, std::string_view key, std::string_view value) {
  put(table, key, value, MDB_APPEND);
}

bool Txn::erase(Table table, std::string_view key) {
  if (!get(table, key)) return false;
  dirty_ = true;
  if (const int code = mdb_cursor_del(cursor(table), 0); code != 0) note(code);
  return true;
}

/// Copies the entries, because LMDB cannot rename a table.
void Txn::rename_table(const char* from, Table to) {
  MDB_dbi old = 0;
  MDB_cursor* scan = nullptr;
  int code = mdb_dbi_open(txn_, from, 0, &old);
  if (code == MDB_NOTFOUND) return;
  if (code == 0) code = mdb_cursor_open(txn_, old, &scan);
  if (code != 0) return note(code);
  MDB_val key{};
  MDB_val value{};
  for (auto op = MDB_FIRST; (code = mdb_cursor_get(scan, &key, &value, op)) == 0; op = MDB_NEXT)
    append(to, std::string(to_view(key)), std::string(to_view(value)));
  mdb_cursor_close(scan);
  if (code == MDB_NOTFOUND) code = mdb_drop(txn_, old, 1);
  dirty_ = true;
  if (code != 0) note(code);
}

PrefixScan::PrefixScan(Txn& txn, Table table, std::string_view prefix, Order order, std::string_view from)
    : txn_(txn), cursor_(txn.cursor(table)), prefix_(prefix), order_(order) {
  done_ = cursor_ == nullptr;
  if (done_) return;
  if (order == Order::kForward) {
    key_ = to_val(from.empty() ? std::string_view(prefix_) : from);
    check(mdb_cursor_get(cursor_, &key_, &value_, key_.mv_size == 0 ? MDB_FIRST : MDB_SET_RANGE));
    return;
  }
  // Backward: seek the first entry after the prefix, then step back.
  std::string after(prefix);
  while (!after.empty() && after.back() == '\xFF') after.pop_back();
  if (!after.empty()) after.back() = static_cast<char>(static_cast<unsigned char>(after.back()) + 1);
  key_ = to_val(after);
  const int code =
      after.empty() ? MDB_NOTFOUND : txn_.read(mdb_cursor_get(cursor_, &key_, &value_, MDB_SET_RANGE));
  step(code == 0 ? MDB_PREV : MDB_LAST);
}

void PrefixScan::step(MDB_cursor_op op) {
  if (!done_) check(mdb_cursor_get(cursor_, &key_, &value_, op));
}

void PrefixScan::check(int code) {
  done_ = txn_.read(code) != 0 || !key().starts_with(prefix_);
}

void PrefixScan::erase() {
  const int code = mdb_cursor_del(cursor_, 0);
  txn_.wrote(code);
  // After a deletion the cursor points to the following entry, and the first MDB_NEXT returns it.
  if (code == 0) return check(mdb_cursor_get(cursor_, &key_, &value_, MDB_NEXT));
  done_ = true;
}

}  // namespace gaur::embedded
