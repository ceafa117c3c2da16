#pragma once
// Where result files lie: <folder>/<queue>/<id>.<format>, each with a small note <id>.json beside it (format,
// rows, expiry). A file appears there by one rename, so it is there whole or not at all; a second run of the
// job replaces it. File, note and folder are synced when adopt() returns: the job's end may be committed
// then. Names that are no plain file names are encoded, so that no queue or job id can point elsewhere.
// Thread-safety: find() from any thread; whatever changes the folder from one thread (ResultKeeper's), since
// a sweep takes a file whose note is not written yet for one that lost it.
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/env.hpp"
#include "gaur/result_files.hpp"

namespace gaur {

/// What a runner said about its file: {"name":"r1.parquet","format":"parquet","rows":8}.
struct OfferedFile {
  std::string name;    ///< a plain file name in the runner's out folder
  std::string format;  ///< 1 to 16 of a-z and 0-9; becomes the ending of the file's name
  std::uint64_t rows = 0;
};

/// Set from another thread to end a long move early.
using Abandoned = std::atomic<bool>;
/// Moves a file, also from one file system to another, and syncs its content; whole or not at all. Errors:
/// kIo; kStopping (abandoned).
Status move_file(const std::filesystem::path& from, const std::filesystem::path& to,
                 const Abandoned& abandoned);

class ResultFolder final : public ResultFiles {
 public:
  struct Options {
    std::filesystem::path folder;
    Duration keep = std::chrono::hours(24);  ///< time to live of a file, from the end of its run
    bool shared = false;                     ///< other hosts keep their files there as well
    std::uint64_t max_bytes = 0;             ///< of all files; 0: no bound
    std::function<Status(const std::filesystem::path&, const std::filesystem::path&, const Abandoned&)> move =
        move_file;  ///< for tests
  };
  ResultFolder(Clock& clock, Options options);

  /// Moves `offered` from `out` to this job's place. Errors: kInvalidArgument (a name with a slash, a link,
  /// no regular file, a format that is none), kNotFound (no such file), kIo, kStopping (abandoned).
  Result<ResultFile> adopt(const JobRef& job, const std::filesystem::path& out, const OfferedFile& offered,
                           const Abandoned& abandoned = false);
  Result<ResultFile> find(const JobRef& job) const override;
  /// Removes the job's file, if there is one.
  Status remove(const JobRef& job);

  struct Swept {
    std::uint64_t files = 0, bytes = 0;  ///< kept
    std::uint64_t removed_files = 0, removed_bytes = 0;
  };
  /// Removes what has expired, and notes and files that lost each other. Once a minute is enough.
  Swept sweep();

 private:
  /// Errors: kStoreFull.
  Status check_room(std::uint64_t bytes);

  struct Place;
  void sweep_queue(const std::filesystem::path& queue, Swept& swept);
  bool remove_dead_note(const std::filesystem::path& note);
  Place place_of(const JobRef& job) const;

  Clock& clock_;
  Options options_;
  std::atomic<std::uint64_t> used_ = 0;  ///< bytes at the last sweep and adopted since
};

/// "/v1/queues/{queue}/jobs/{id}/result", percent-encoded.
std::string result_url(const JobRef& job);
/// `result`, a JSON object's text, with the member `file` that tells where the file is to be had. `base`:
/// what clients see before the path (server.base_path).
std::string with_file_member(const std::string& result, const JobRef& job, const ResultFile& file,
                             const std::string& base = {});
/// What the job's result says when its runner wrote a file: `result` is the object that it sent beside it.
using FileResult = std::function<std::string(const FunctionName& function, const std::string& result,
                                             const JobRef& job, const ResultFile& file)>;
/// The name itself when it is a plain one ([A-Za-z0-9_-], at most 128 bytes), else "~" and its base64url,
/// of a long one the begin and a hash.
std::string file_name_of(const std::string& name);

}  // namespace gaur
