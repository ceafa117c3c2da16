#pragma once
// A C++ interface to LMDB: environment, transaction and scan. It maps LMDB's error codes to Errc.
// The map is reserved once and never resized. The data file's descriptor is close-on-exec. MDB_NOTLS ties a
// read transaction to its object instead of a thread.
#include <lmdb.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "gaur/result.hpp"

namespace gaur::embedded {

/// kStoreFull for a full disk or map, kCorrupt for damage, kNewerFormat for another LMDB, else kIo.
Error lmdb_error(std::string_view what, int code);

/// Each table is a named database of the file.
enum class Table : std::uint8_t {
  kMeta,
  kBody,
  kState,
  kParts,
  kIds,
  kReady,
  kByFunction,
  kDelayed,
  kActive,
  kFinished,
  kEvents,
  kLogs,
  kSessions,
  kCount_,
};
inline constexpr std::size_t kTables = static_cast<std::size_t>(Table::kCount_);

std::string_view table_name(Table table);
/// Whether a table of this disk format has the name.
bool is_table(std::string_view name);

inline MDB_val to_val(std::string_view bytes) {
  return {bytes.size(), const_cast<char*>(bytes.data())};
}
inline std::string_view to_view(const MDB_val& val) {
  return {static_cast<const char*>(val.mv_data), val.mv_size};
}

struct LmdbOptions {
  std::filesystem::path folder;
  std::uint64_t map_bytes = 0;
  bool relaxed = false;
  /// Creates missing tables: for a new store or an older disk format. Otherwise a missing table is damage.
  bool create = false;
};

/// Remembers the first damage that was found, and reports it once. Thread-safety: internally locked.
class DamageReport {
 public:
  /// Called once, by the thread that found the damage. Set it before the first transaction.
  std::function<void(const std::string&)> on_first;

  void add(const std::string& problem);
  std::optional<std::string> first() const;

 private:
  std::atomic<bool> any_{false};
  mutable std::mutex mutex_;
  std::string first_;  // guarded by mutex_
};

/// Thread-safety: immutable after open(), except for the damage; any thread may begin a transaction.
class LmdbEnv {
 public:
  static Result<std::unique_ptr<LmdbEnv>> open(const LmdbOptions& options);
  ~LmdbEnv();
  LmdbEnv(const LmdbEnv&) = delete;
  LmdbEnv& operator=(const LmdbEnv&) = delete;

  MDB_env* get() const { return env_; }
  MDB_dbi table(Table table) const { return tables_[static_cast<std::size_t>(table)]; }
  int data_fd() const;
  /// The end of the last page that was ever used.
  std::uint64_t used_bytes() const;
  /// The number of the last committed transaction.
  std::uint64_t last_transaction() const;
  /// Whether open() created the store.
  bool is_new() const { return new_; }
  /// Reads that meet damage add it here.
  DamageReport& damage() const { return *damage_; }
  /// Errors: kCorrupt, if the file is shorter than it was: reading the map beyond its end would kill the
  /// process. kIo, if the file was deleted or check_place() did not find it.
  Status check_file() const;
  /// check_file(), and whether the file at the path is still the open one. Errors: as check_file(); from a
  /// kIo on, no transaction begins.
  Status check_place() const;

 private:
  LmdbEnv(MDB_env* env, std::filesystem::path file) : env_(env), file_(std::move(file)) {}
  Error elsewhere() const;
  Status open_tables(bool create);
  MDB_env* env_;
  const std::filesystem::path file_;
  bool new_ = false;
  /// Some file systems report no links.
  bool linked_ = false;
  mutable std::atomic<bool> elsewhere_{false};
  std::unique_ptr<DamageReport> damage_ = std::make_unique<DamageReport>();
  mutable std::atomic<std::uint64_t> length_{0};
  std::array<MDB_dbi, kTables> tables_{};
};

/// A transaction with one cursor for each table that it used. The cursors live as long as the transaction, so
/// that sequential access stays on the page. Thread-safety: confined to one thread at a time.
class Txn {
 public:
  enum class Mode : std::uint8_t { kRead, kWrite };
  /// Errors: kCorrupt (the file was truncated), kIo (also: it was deleted or moved).
  static Result<std::unique_ptr<Txn>> begin(const LmdbEnv& env, Mode mode);
  ~Txn();
  Txn(const Txn&) = delete;
  Txn& operator=(const Txn&) = delete;

  /// Returns LMDB's code, 0 on success. Ends the transaction in either case.
  int commit();

  /// The bytes are valid until the next write of this transaction, or its end.
  std::optional<std::string_view> get(Table table, std::string_view key);
  /// The table's cursor, shared by all users of this transaction: seek before use.
  MDB_cursor* cursor(Table table);

  // Writes. The first failure is remembered and makes commit() fail, so callers need not check each write.
  void put(Table table, std::string_view key, std::string_view value);
  /// put() of a key that is probably the table's last: fills pages completely.
  void append(Table table, std::string_view key, std::string_view value);
  /// Returns whether the key existed.
  bool erase(Table table, std::string_view key);
  /// Moves the entries of table `from`, if it exists, to `to` and drops it. For migrations.
  void rename_table(const char* from, Table to);
  bool dirty() const { return dirty_; }
  /// Records LMDB's code of a read through cursor(), and returns it.
  int read(int code);
  /// kCorrupt if a read of this transaction met damage. What it then found is not the whole.
  Status intact() const;
  /// The damage of the store that is known.
  std::optional<std::string> damage() const { return env_.damage().first(); }
  /// Records LMDB's code of a write that was made through cursor().
  void wrote(int code) {
    dirty_ = true;
    if (code != 0) note(code);
  }

 private:
  Txn(const LmdbEnv& env, MDB_txn* txn) : env_(env), txn_(txn) {}
  void put(Table table, std::string_view key, std::string_view value, unsigned flags);
  void note(int code) {
    if (failure_ == 0) failure_ = code;
  }
  const LmdbEnv& env_;
  MDB_txn* txn_;
  std::array<MDB_cursor*, kTables> cursors_{};
  int failure_ = 0;
  bool dirty_ = false;
};

/// Iterates over the entries of one table whose keys start with a prefix, forward or backward.
class PrefixScan {
 public:
  enum class Order : std::uint8_t { kForward, kBackward };
  /// Starts at the first (or last) entry under `prefix`, or, forward only, at `from` within it.
  PrefixScan(Txn& txn, Table table, std::string_view prefix, Order order = Order::kForward,
             std::string_view from = {});
  bool done() const { return done_; }
  std::string_view key() const { return to_view(key_); }
  std::string_view value() const { return to_view(value_); }
  void next() { step(order_ == Order::kForward ? MDB_NEXT : MDB_PREV); }
  /// Removes the current entry and moves to the following one. Forward only.
  void erase();

 private:
  void step(MDB_cursor_op op);
  void check(int code);
  Txn& txn_;
  MDB_cursor* cursor_;
  std::string prefix_;
  Order order_;
  MDB_val key_{}, value_{};
  bool done_ = false;
};

}  // namespace gaur::embedded
