#pragma once
// The result files of one host. One thread changes their folder, so that a cleanup never sees a half-saved
// file, and a slow move (a copy between file systems, a slow disk) blocks neither the worker's loop nor lock
// renewals. Thread-safety: any thread.
#include <functional>
#include <memory>
#include <mutex>

#include "base/log.hpp"
#include "base/system_env.hpp"
#include "results/result_folder.hpp"

namespace gaur::results {

/// A runner's file that becomes the result file of its job.
struct SaveRequest {
  JobRef job{};
  /// The runner's folder; it must exist until the request is answered.
  std::filesystem::path out{};
  RunnerFile file{};
  /// Of the file; 0: no limit.
  std::uint64_t max_bytes = 0;
  /// The caller sets it to end a long move early; never nullptr. Shared, because the move may outlive the
  /// caller.
  std::shared_ptr<CancelFlag> cancelled = std::make_shared<CancelFlag>(false);
};
/// Called once for each request.
using OnSaved = std::function<void(Result<ResultFile>)>;
/// ResultStore::save(), or a test's substitute.
using SaveFile = std::function<void(SaveRequest, OnSaved)>;

/// What the job of a saved file records. `url`: where clients fetch it.
ResultFileInfo info_of(const ResultFile& file, std::string url);
/// The same for a link that is the job's whole result.
ResultFileInfo link_info_of(const ResultFile& file, std::string url);

class ResultStore final : public ResultFiles {
 public:
  ResultStore(Clock& clock, ResultFolder::Options options, Logger log = {});
  /// Cancels the move in progress and joins the thread; requests that have not begun fail with kStopping.
  ~ResultStore() override;

  /// Saves the file and syncs it; repeats it each second while the disk is full, until it is cancelled. Calls
  /// `done` on this store's thread. Errors: those of ResultFolder::save() but kBusy.
  void save(SaveRequest request, OnSaved done);
  /// Removes the job's file, if there is one. A file that cannot be removed is logged and expires later.
  void remove(JobRef job);
  /// Removes expired files now and then at each interval.
  void remove_expired_each(Duration interval);

  Result<ResultFile> find(const JobRef& job) const override { return folder_.find(job); }

 private:
  Result<ResultFile> move(const SaveRequest& request);
  void try_to_save(SaveRequest request, OnSaved done);
  void remove_expired(Duration interval);

  Clock& clock_;
  Logger log_;
  ResultFolder folder_;
  bool disk_full_ = false;  // was logged; confined to the loop
  std::mutex mutex_;        // guards the two members below
  bool stopping_ = false;
  std::shared_ptr<CancelFlag> moving_;
  ThreadLoop loop_{"gaur-results"};  // last member: its thread ends before the others are destroyed
};

}  // namespace gaur::results
