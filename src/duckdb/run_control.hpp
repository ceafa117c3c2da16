#pragma once
// Interrupts a running query (cancel, deadline, end of the runner) and reports its progress. DuckDB 1.5 has
// no deadlines and drops an interrupt that arrives before the query starts, so one thread interrupts every 50
// ms until the run has ended.
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/env.hpp"
#include "duckdb/handles.hpp"

namespace gaur::duckdb {

/// Thread-safety: internally locked.
class RunControl {
 public:
  /// `progress(run, percent)` is called from this object's own thread, at most twice a second, with
  /// increasing values.
  using Progress = std::function<void(const std::string& run, double percent)>;
  RunControl(const Api& api, Clock& clock, Progress progress);
  ~RunControl();
  RunControl(const RunControl&) = delete;
  RunControl& operator=(const RunControl&) = delete;

  /// Starts a run. A cancel that arrived before applies to it.
  void begin(const std::string& run, Duration deadline);
  void end();
  /// Cancels a run: the current one now, one that has not begun when it begins. Ignores ended runs.
  void cancel(const std::string& run, std::string reason);
  /// Cancels the current run and all later ones.
  void cancel_all(std::string reason);

  /// Adds a connection whose queries belong to the current run. The first one's progress is reported.
  void attach(duckdb_connection connection);
  void detach(duckdb_connection connection);
  /// What to report of the current run, wherever the cancel or the deadline hit it (while preparing,
  /// binding or writing a file, where DuckDB's message does not name the cause), or nothing.
  std::optional<RunFailure> interrupted() const;

 private:
  void watch();
  void interrupt_all();
  std::optional<double> newer_progress();

  const Api& api_;
  Clock& clock_;
  const Progress progress_;
  mutable std::mutex mutex_;  // guards all members below
  std::condition_variable changed_;
  std::string run_;
  std::optional<Instant> deadline_;
  std::optional<std::string> reason_;
  std::vector<std::pair<std::string, std::string>> early_;  // cancels that arrived before their run began
  std::vector<duckdb_connection> connections_;
  double reported_ = 0;
  bool ending_ = false;
  bool stopped_ = false;
  std::thread thread_;
};

/// Attaches a connection during its lifetime.
class Attached {
 public:
  Attached(RunControl& control, duckdb_connection connection) : control_(control), connection_(connection) {
    control_.attach(connection_);
  }
  ~Attached() { control_.detach(connection_); }
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;

 private:
  RunControl& control_;
  duckdb_connection connection_;
};

}  // namespace gaur::duckdb
