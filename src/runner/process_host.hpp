#pragma once
// ProcessHost: the interface between pools and the operating system, so that tests run the pools' state
// machine without processes. SystemProcessHost implements it. Thread-safety: methods of ProcessHost and
// ProcessEvents on the loop.
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runner/frames.hpp"
#include "runner/isolation.hpp"
#include "runner/output_budget.hpp"

namespace gaur {

/// Identifies one started process; never reused.
using RunnerId = std::uint64_t;

struct SpawnSpec {
  RunnerId id = 0;
  /// Name in log lines.
  std::string pool;
  std::vector<std::string> command;
  /// Complete; nothing is inherited.
  std::map<std::string, std::string> env;
  std::filesystem::path working_folder;
  /// Created before the start, with tmp/ and out/ in it. See release_scratch().
  std::filesystem::path scratch;
  bool measure_scratch = false;
  /// Soft RLIMIT_DATA; 0: not limited.
  std::uint64_t memory_bytes = 0;
  std::uint32_t open_files = 1024;
  /// Of its process tree, threads included: a browser has about 300. 0: not limited.
  std::uint32_t max_processes = 1024;
  /// The share of the CPU that its cgroup gets.
  std::uint32_t threads = 1;
  Isolation isolation;
  /// The ProcessHost sets it, where the host has a delegated cgroup.
  std::filesystem::path cgroup{};
  /// Of what it writes to stdout and stderr.
  OutputLimits output;
};

/// Measured by the operating system since the start of the run.
struct RunFigures {
  std::uint64_t cpu_us = 0;
  std::uint64_t peak_rss_bytes = 0;
  /// Resident anonymous memory of the runner itself at its outcome; 0: not measured.
  std::uint64_t kept_bytes = 0;
};

struct RunnerExit {
  /// Why it could not be started; "" if it was.
  std::string problem;
  int signal = 0;
  int exit_code = 0;
  /// Of the current run, if any.
  RunFigures figures;
  /// The line of stderr that most likely names the cause; "" if there is none.
  std::string cause{};
  /// The last lines of stderr since the start of the run (StderrTail).
  std::string output{};
  /// Nonzero: the keeper ended it because its process tree had so many processes and threads.
  std::uint32_t over_processes = 0;
  /// The kernel killed a process of its cgroup for its memory.
  bool oom_killed = false;
};

/// Disk space of each runner's scratch folder.
using ScratchSizes = std::map<RunnerId, std::uint64_t>;

class ProcessEvents {
 public:
  virtual ~ProcessEvents() = default;
  virtual void on_started(RunnerId id, std::int64_t pid) = 0;
  virtual void on_frame(RunnerId id, RunnerFrame frame, RunFigures figures) = 0;
  virtual void on_broken_frame(RunnerId id, std::string what) = 0;
  /// Files or processes of an ended job could not be removed: the runner must get no other job.
  virtual void on_unclean(RunnerId id, std::string what) = 0;
  /// Resident anonymous memory of the runner's process tree: every 0.1 s during a run, else every 2 s.
  virtual void on_memory(RunnerId id, std::uint64_t bytes) = 0;
  /// Of all runners with SpawnSpec::measure_scratch, a few times a second while any has a run.
  /// `since`: when the measurement began; a run that began later has not left these files.
  virtual void on_scratch(const ScratchSizes& sizes, Instant since) = 0;
  /// The runner's process tree is dead. The last event of `id`.
  virtual void on_exit(RunnerId id, RunnerExit exit) = 0;
};

/// No method blocks or fails: problems arrive with on_exit(). Calls for ended runners are ignored.
class ProcessHost {
 public:
  virtual ~ProcessHost() = default;
  virtual void listen(std::weak_ptr<ProcessEvents> events) = 0;
  /// Creates the folder if needed.
  virtual void empty_folder(std::filesystem::path folder) = 0;
  virtual void start(SpawnSpec spec) = 0;
  /// Sends a run frame, starts measuring, and sets the soft memory limit (0: none).
  virtual void run(RunnerId id, std::string frame, std::uint64_t memory_bytes) = 0;
  virtual void send(RunnerId id, std::string frame) = 0;
  /// Empties out/ once a result file of the ended job was saved. Without a file the host does it at the
  /// outcome.
  virtual void empty_out(RunnerId id) = 0;
  /// Closes the runner's input after all frames were sent.
  virtual void close_input(RunnerId id) = 0;
  /// SIGTERM.
  virtual void terminate(RunnerId id) = 0;
  /// SIGKILL to its process tree.
  virtual void kill(RunnerId id) = 0;
  /// Removes the runner's scratch folder. Called after on_exit(), when its result file has been saved.
  virtual void release_scratch(RunnerId id, std::filesystem::path scratch) = 0;
};

}  // namespace gaur
