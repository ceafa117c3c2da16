#pragma once
// A runner process: one thread reads frames, the calling thread runs jobs.
#include <condition_variable>
#include <deque>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/env.hpp"
#include "base/lines.hpp"
#include "gaur/runner.hpp"
#include "runner_sdk/job_data.hpp"

namespace gaur::runner_sdk {

struct SessionOptions {
  int in = 3, out = 4;
  /// Of runs whose frame has none.
  std::uint32_t threads = 1;
  /// The same.
  std::uint64_t memory_bytes = 0;
  std::filesystem::path tmp_folder, out_folder;
  /// How long a stop waits for a running handler; then `exit` is called.
  Duration stop_timeout{1000};
  /// Ends the process with this exit code; called on the reading thread.
  std::function<void(int)> exit;
};

/// Thread-safety: serve() once; the methods for RunContext from any thread.
class Session {
 public:
  Session(const RunnerProgram& program, Clock& clock, SessionOptions options);

  /// Runs jobs until the stop. Returns the exit code.
  int serve();

  // For RunContext.
  std::uint32_t threads() const;
  std::uint64_t memory_bytes() const;
  const SessionOptions& options() const { return options_; }
  bool cancelled() const { return stop_.stop_requested(); }
  std::string cancel_message() const;
  std::stop_token stop_token() const { return stop_.get_token(); }
  bool wait(Duration time);
  void progress(std::string_view json);
  void log(std::string_view line);

 private:
  void read();
  bool on_line(std::string_view line);
  void stop(int exit_code);
  void cancel(std::unique_lock<std::mutex>& lock, const std::string& message);
  void begin(JobData job);
  std::string run_job();
  RunAnswer call() const;
  void flush_progress();

  const RunnerProgram& program_;
  Clock& clock_;
  const SessionOptions options_;
  LineWriter writer_;

  mutable std::mutex
      mutex_;  // guards all members below, except job_ and stop_ on the thread that runs the job
  std::condition_variable changed_;
  std::deque<JobData> waiting_;
  /// The current one.
  std::shared_ptr<const JobData> job_;
  std::stop_source stop_{std::nostopstate};
  std::string cancel_message_;
  /// The newest value, not sent yet.
  std::optional<std::string> progress_;
  std::optional<Instant> progress_sent_;
  bool stopped_ = false, ended_ = false;
  int exit_code_ = 0;
};

}  // namespace gaur::runner_sdk
