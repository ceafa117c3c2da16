#pragma once
// Saves what can be read of a damaged data file into a new store. First the records that the intact parts of
// the B-trees reach, then those in pages that no intact tree reaches and that are not free, found by the
// frames of the records (magic, checksum over key and payload). The sets, counts and indexes are rebuilt from
// the states of the jobs. Thread-safety: pure functions; nobody else uses the files.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "embedded/engine.hpp"
#include "embedded/page_file.hpp"

namespace gaur::embedded {

/// What was lost, one line for each job or record.
struct SalvageReport {
  /// Jobs in the new store.
  std::uint64_t jobs = 0;
  /// Jobs that are lost or changed, as text: "queue reports, job 17: its data is lost".
  std::vector<std::string> losses;
  /// How many jobs fewer than the counts of the damaged store; `losses` names those that are known.
  std::uint64_t missing = 0;
  /// A meta page is damaged, so that the last transaction may be missing, or the sets of the damaged store do
  /// not agree with the states that were found: some jobs may have an older state, or may have been removed.
  bool may_contain_old_states = false;
  /// The list of free pages is damaged, so that jobs which had been removed may be in the new store again.
  bool may_contain_removed_jobs = false;
};

/// Writes the jobs of `file` into a new store in `folder`, which must not contain one. Errors:
/// kAlreadyExists, kNewerFormat, kIo, kStoreFull, kInternal (the new store is not sound).
Result<SalvageReport> salvage(const PageFile& file, const std::filesystem::path& folder, Now now);

/// Adds sets, indexes and counts to a store that contains only records of jobs, queues, names and sessions.
Status rebuild_store(LmdbEnv& env, SalvageReport& report, Now now);

}  // namespace gaur::embedded
