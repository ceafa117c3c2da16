#pragma once
// Checks a data file without LMDB: its meta pages, every B-tree, the free pages, the checksum of every
// record, and whether the sets of jobs and the counts agree with the states. Nothing is written.
// Thread-safety: pure functions over a file that nobody writes to, or over a snapshot that a read transaction
// keeps.
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "embedded/records.hpp"
#include "embedded/tree_walk.hpp"

namespace gaur::embedded {

struct CheckOptions {
  /// Asked now and then; false ends the check early. Empty: checks everything.
  std::function<bool()> go_on{};
  /// Also reads values in overflow pages and checks their checksums.
  bool large_values = false;
  /// Checks this transaction's snapshot instead of the newest one.
  std::optional<std::uint64_t> transaction{};
};

struct StoreCheck {
  /// Nothing: unknown, because the format record is damaged.
  std::optional<FormatRecord> format;
  /// B-trees, tables, sets or numbers that contradict each other. The store must not be opened.
  Damages structure;
  /// Records that do not match their checksums. Other jobs can be used.
  Damages records;
  /// The trees are intact, but sets or counts do not agree with the states.
  bool sets_disagree = false;
  /// False: `go_on` ended it early.
  bool complete = true;
  std::uint64_t transaction = 0;
  /// Of all queues.
  std::uint64_t jobs = 0;
  std::map<std::string, QueueRecord> queues;
  std::uint64_t pages_read = 0;

  bool sound() const { return structure.empty() && records.empty(); }
};

/// Errors: kCorrupt (no valid meta page), kNewerFormat.
Result<StoreCheck> check_store(const PageFile& file, const CheckOptions& options = {});

/// What to report of a check that is not sound: the structure's problems, or the records' if it has none.
inline const Damages& problems_of(const StoreCheck& check) {
  return check.structure.empty() ? check.records : check.structure;
}

/// What to type when a store is damaged.
std::string damage_advice();

}  // namespace gaur::embedded
