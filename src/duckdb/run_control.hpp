#pragma once
// What reaches into a running query from outside: cancel, deadline, end of the runner, and its progress on
// the way out. DuckDB has no deadline of its own in 1.5 and forgets an interrupt that comes before the query
// starts; so one thread interrupts again every 50 ms until the run has ended.
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
  /// `progress(run, percent)` is called from this object's own thread, at most twice a second and only
  /// upward.
  using Progress = std::function<void(const std::string& run, double percent)>;
  RunControl(const Api& api, Clock& clock, Progress progress);
  ~RunControl();
  RunControl(const RunControl&) = delete;
  RunControl& operator=(const RunControl&) = delete;

  /// A run starts. A cancel that came for it before is remembered.
  void begin(const std::string& run, Duration deadline);
  void end();
  /// A cancel of any run: of the current one it is carried out, of an ended one ignored.
  void cancel(const std::string& run, std::string reason);
  /// Cancels whatever runs now and all that comes.
  void cancel_all(std::string reason);

  /// The connections whose queries belong to the current run. The first one's progress is reported.
  void attach(duckdb_connection connection);
  void detach(duckdb_connection connection);
  /// What to report of the current run, wherever the cancel or the deadline hit it (preparing, binding,
  /// writing a file: DuckDB's words for it do not say who asked), or nothing when it may go on.
  std::optional<RunFailure> interrupted() const;

 private:
  void watch();
  void interrupt_all();
  std::optional<double> newer_progress();

  const Api& api_;
  Clock& clock_;
  const Progress progress_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::string run_;
  std::optional<Instant> deadline_;
  std::optional<std::string> reason_;
  std::vector<std::pair<std::string, std::string>> early_;  // cancels that came before their run began
  std::vector<duckdb_connection> connections_;
  double reported_ = 0;
  bool ending_ = false;
  bool stopped_ = false;
  std::thread thread_;
};

/// Attaches for as long as it lives.
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
