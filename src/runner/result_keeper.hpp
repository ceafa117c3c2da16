#pragma once
// The one owner of the result files: everything that changes their folder happens on its thread, one after
// the other. A file that is being moved is therefore never taken for one that lost its note, and a slow move
// (a copy to another file system, a disk that syncs slowly) delays neither the worker's loop nor its locks.
// Thread-safety: any thread.
#include <functional>
#include <memory>
#include <mutex>

#include "base/log.hpp"
#include "base/system_env.hpp"
#include "runner/result_folder.hpp"

namespace gaur {

/// A runner's file that is to become the result of its job.
struct Adoption {
  JobRef job{};
  std::filesystem::path out{};  ///< the runner's folder; it must stay until the answer
  OfferedFile file{};
  /// Set by the asker to end a long move early; never nullptr. Shared: the move may outlast the asker.
  std::shared_ptr<Abandoned> abandoned = std::make_shared<Abandoned>(false);
};
/// Called once; on which thread is said by who calls it.
using Adopted = std::function<void(Result<ResultFile>)>;
/// ResultKeeper::adopt(), or what a test has in its place.
using AdoptFile = std::function<void(Adoption, Adopted)>;

class ResultKeeper final : public ResultFiles {
 public:
  ResultKeeper(Clock& clock, ResultFolder::Options options, Logger log = {});
  /// Abandons what is being moved and waits for the thread; adoptions that have not begun answer kStopping.
  ~ResultKeeper() override;

  /// Moves the file to its place and syncs it. `done` is called on this keeper's thread. Errors: those of
  /// ResultFolder::adopt().
  void adopt(Adoption adoption, Adopted done);
  /// Removes the job's file, if there is one. One that cannot be removed now expires.
  void remove(JobRef job);
  /// Sweeps now, and again each `every`.
  void sweep_each(Duration every);

  Result<ResultFile> find(const JobRef& job) const override { return folder_.find(job); }

 private:
  Result<ResultFile> move(const Adoption& adoption);
  void sweep(Duration every);

  Clock& clock_;
  Logger log_;
  ResultFolder folder_;
  std::mutex mutex_;  // of the two below
  bool stopping_ = false;
  std::shared_ptr<Abandoned> moving_;
  ThreadLoop loop_{"gaur-results"};  // last: its thread ends before the rest goes
};

}  // namespace gaur
