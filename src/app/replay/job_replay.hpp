#pragma once
// Runs jobs in the configured pools without a store: takes, finishes and publishes nothing. The functions
// really run, with their side effects; their runners get GAUR_SHADOW=1. Thread-safety: confined to one
// thread, which it blocks.
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "app/config/config.hpp"
#include "base/env.hpp"
#include "base/log.hpp"
#include "core/run.hpp"

namespace gaur::app {

struct ReplayRun {
  /// Index in the given jobs.
  std::size_t job = 0;
  RunEnd end{};
  Usage usage{};
};

struct ReplayOptions {
  std::uint32_t at_once = 1;
  /// std::nullopt: the function's needs, or a slot's share.
  std::optional<Grant> grant{};
  /// No run starts after it; running jobs are awaited.
  std::optional<Instant> until{};
  /// Called after each run, on the caller's thread.
  std::function<void(const ReplayRun&)> on_end{};
};

class JobReplay {
 public:
  /// Starts the runners of all pools in a temporary folder, which the destructor removes. From now on TERM
  /// and INT end its runs instead of the process: call it before any other thread starts. Errors: kIo.
  static Result<std::unique_ptr<JobReplay>> open(const Settings& settings, const Config& config,
                                                 const Logger& log);
  ~JobReplay();
  JobReplay(const JobReplay&) = delete;
  JobReplay& operator=(const JobReplay&) = delete;

  /// Starts the jobs in this order; returns the ended runs, in the order of their ends. A job whose function
  /// is not configured fails.
  std::vector<ReplayRun> run(const std::vector<Job>& jobs, const ReplayOptions& options);
  /// Whether TERM or INT arrived: running jobs were not awaited, and no more jobs run.
  bool interrupted() const;
  /// The clock of `ReplayOptions::until`.
  Clock& clock();

 private:
  struct Impl;
  explicit JobReplay(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The grant of a run of this function by the configuration, without learned needs.
Grant configured_grant(const Config& config, const std::string& function);
/// The function of a job by the configuration of its queue; the job's name if the queue is not configured.
FunctionName function_in(const Config& config, const Job& job);
/// "completed", or why it did not complete: "failed: no such table (Catalog Error)".
std::string describe_end(const RunEnd& end);

}  // namespace gaur::app
