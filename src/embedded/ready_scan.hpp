#pragma once
// The scan of a take request over the ready jobs of a queue. It seeks past jobs of functions that the request
// cannot take, so its cost grows with the taken jobs and the functions, not with the skipped jobs.
// Thread-safety: confined to the writer, over its transaction.
#include <optional>
#include <unordered_set>

#include "core/needs.hpp"
#include "embedded/job_view.hpp"

namespace gaur::embedded {

/// The functions of which a take request may still take a job. The set only shrinks: capacity only decreases
/// within a request.
class WantedFunctions {
 public:
  /// nullptr: every function.
  explicit WantedFunctions(const AdmissionFilter* filter);
  bool contains(FunctionHash function) const {
    return any_ || listed_.contains(function) || (unlisted_ && !excluded_.contains(function));
  }
  /// Removes this function. If the filter does not list it, removes all that it does not list: they share
  /// the default needs.
  void remove(FunctionHash function);

  const std::unordered_set<FunctionHash>& listed() const { return listed_; }
  /// Whether functions that the filter does not list are wanted.
  bool unlisted() const { return unlisted_; }

 private:
  bool any_;
  bool unlisted_ = false;
  std::unordered_set<FunctionHash> listed_, excluded_;
};

class ReadyScan {
 public:
  ReadyScan(Txn& txn, QueueNumber queue);
  bool done() const { return scan_->done(); }
  std::string_view key() const { return scan_->key(); }
  std::string_view value() const { return scan_->value(); }
  void next() {
    ++visited_;
    scan_->next();
  }
  /// Removes the current entry from the ready jobs and from the index by function.
  void erase(FunctionHash function);
  /// Skips an unwanted entry. After several in a row, seeks the next wanted one.
  void skip(const WantedFunctions& wanted);
  /// Entries read so far, in both tables.
  std::uint64_t visited() const { return visited_; }

 private:
  void seek_wanted(const WantedFunctions& wanted);
  void find_first_of(FunctionHash function, const std::string& from, std::optional<std::string>& first);

  Txn& txn_;
  const QueueNumber queue_;
  std::optional<PrefixScan> scan_;
  unsigned skipped_in_a_row_ = 0;
  std::uint64_t visited_ = 0;
};

}  // namespace gaur::embedded
