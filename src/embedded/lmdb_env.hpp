#pragma once
// LMDB behind a few types of ours: environment, transaction, cursor, and its error codes as Errc in one
// table. The traps that this file knows: the map is reserved once and never resized; the data file's
// descriptor is made close-on-exec; MDB_NOTLS, so that a read transaction belongs to its object and not to a
// thread.
#include <lmdb.h>

#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gaur/result.hpp"

namespace gaur::embedded {

/// kStoreFull for a full disk or map, kCorrupt for damage, kIo for the rest.
Error lmdb_error(std::string_view what, int code);

/// Every table is one named database of the file.
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
  kLanes,
  kCount_,
};
inline constexpr std::size_t kTables = static_cast<std::size_t>(Table::kCount_);

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
};

/// Thread-safety: immutable after open(); transactions are begun from any thread.
class LmdbEnv {
 public:
  static Result<std::unique_ptr<LmdbEnv>> open(const LmdbOptions& options);
  ~LmdbEnv();
  LmdbEnv(const LmdbEnv&) = delete;
  LmdbEnv& operator=(const LmdbEnv&) = delete;

  MDB_env* get() const { return env_; }
  MDB_dbi table(Table table) const { return tables_[static_cast<std::size_t>(table)]; }
  int data_fd() const;
  std::uint64_t used_bytes() const;  ///< end of the last page ever used

 private:
  explicit LmdbEnv(MDB_env* env) : env_(env) {}
  MDB_env* env_;
  std::array<MDB_dbi, kTables> tables_{};
};

/// A transaction and one cursor for each table that it touched, kept for its whole life so that sequential
/// access stays on the page. Thread-safety: confined to one thread at a time.
class Txn {
 public:
  enum class Mode : std::uint8_t { kRead, kWrite };
  static Result<std::unique_ptr<Txn>> begin(const LmdbEnv& env, Mode mode);
  ~Txn();
  Txn(const Txn&) = delete;
  Txn& operator=(const Txn&) = delete;

  /// LMDB's code: 0, or why not. The transaction is over either way.
  int commit();

  /// The bytes live until the next write of this transaction, or its end.
  std::optional<std::string_view> get(Table table, std::string_view key);
  /// A cursor of this table, shared by all users of this transaction: seek before use.
  MDB_cursor* cursor(Table table);

  // Writes. A failure is remembered and makes every later commit fail: callers need not check each.
  void put(Table table, std::string_view key, std::string_view value);
  /// A key that is probably the table's last: packs pages full; falls back to put().
  void append(Table table, std::string_view key, std::string_view value);
  /// True if it was there.
  bool erase(Table table, std::string_view key);
  int failure() const { return failure_; }  ///< LMDB's code of the first failed write or read, or 0
  bool dirty() const { return dirty_; }
  /// For writes made through cursor(): LMDB's code of one.
  void wrote(int code) {
    dirty_ = true;
    if (code != 0) note(code);
  }

 private:
  Txn(const LmdbEnv& env, MDB_txn* txn) : env_(env), txn_(txn) {}
  void note(int code) {
    if (failure_ == 0) failure_ = code;
  }
  const LmdbEnv& env_;
  MDB_txn* txn_;
  std::array<MDB_cursor*, kTables> cursors_{};
  int failure_ = 0;
  bool dirty_ = false;
};

/// Walks the entries of one table whose keys start with a prefix, forward or backward.
class Walk {
 public:
  enum class Order : std::uint8_t { kForward, kBackward };
  /// Starts at the first (or last) entry under `prefix`, or, forward only, at `from` within it.
  Walk(Txn& txn, Table table, std::string_view prefix, Order order = Order::kForward,
       std::string_view from = {});
  bool done() const { return done_; }
  std::string_view key() const { return to_view(key_); }
  std::string_view value() const { return to_view(value_); }
  void next() { step(order_ == Order::kForward ? MDB_NEXT : MDB_PREV); }
  /// Removes the entry; the walk then stands on the following one. Forward only.
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
