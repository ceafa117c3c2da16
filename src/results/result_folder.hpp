#pragma once
// The folder of result files: <folder>/<queue>/<id>.<format>, each with a record <id>.json beside it. A file
// appears by one rename, so it is complete or absent; a later run of the job replaces it. Names that are not
// plain file names are encoded, so that no queue name or job id points to another folder.
// Thread-safety: find() from any thread; all other methods from one thread (ResultStore's), because
// remove_expired() removes a file whose record is not written yet.
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/env.hpp"
#include "gaur/result_files.hpp"
#include "results/move_file.hpp"

namespace gaur::results {

/// A file that a runner wrote, as its `completed` frame names it:
/// {"name":"r1.parquet","format":"parquet","rows":8}.
struct RunnerFile {
  /// A plain file name in the runner's GAUR_OUT folder.
  std::string name;
  /// 1 to 16 of a-z and 0-9; becomes the file name's extension.
  std::string format;
  std::uint64_t rows = 0;
};

class ResultFolder final : public ResultFiles {
 public:
  struct Options {
    std::filesystem::path folder;
    /// From the end of the run.
    Duration ttl = std::chrono::hours(24);
    /// Other hosts write to the same folder.
    bool shared = false;
    /// Quota of all files; 0: none.
    std::uint64_t max_bytes = 0;
    /// For tests.
    std::function<Status(const std::filesystem::path&, const std::filesystem::path&, const CancelFlag&)>
        move = move_file;
  };
  ResultFolder(Clock& clock, Options options);

  /// Moves `file` from the runner's folder `out` to the job's place. File, record and folder are synced on
  /// return. Errors: kInvalidArgument (a name with a slash, a symbolic link, not a regular file, an invalid
  /// format), kNotFound (no such file), kTooLarge (over `max_bytes`; 0: no limit), kStoreFull (over the
  /// quota), kBusy (the disk is full; the file is still in `out`), kIo, kStopping (cancelled).
  Result<ResultFile> save(const JobRef& job, const std::filesystem::path& out, const RunnerFile& file,
                          const CancelFlag& cancelled = false, std::uint64_t max_bytes = 0);
  Result<ResultFile> find(const JobRef& job) const override;
  /// Removes the job's file, if there is one.
  Status remove(const JobRef& job);

  struct Cleanup {
    /// That remain.
    std::uint64_t files = 0, bytes = 0;
    std::uint64_t removed_files = 0, removed_bytes = 0;
  };
  /// Removes expired files, files without a record and records without a file. Measures what remains for the
  /// quota.
  Cleanup remove_expired();

 private:
  /// Errors: kStoreFull.
  Status check_quota(std::uint64_t bytes) const;

  struct Place;
  void clean_queue(const std::filesystem::path& queue, Cleanup& cleanup);
  bool remove_record(const std::filesystem::path& record);
  Place place_of(const JobRef& job) const;

  Clock& clock_;
  Options options_;
  /// Bytes at the last remove_expired(), and of files saved since.
  std::atomic<std::uint64_t> used_ = 0;
};

}  // namespace gaur::results
