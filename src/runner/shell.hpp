#pragma once
// What pools ask of the operating system, and what they hear from it: the seam that lets the pools' state
// machine run in tests without a process. The real one is ProcessShell. Thread-safety: Shell's methods on the
// loop; ShellEvents is called on the loop.
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runner/frames.hpp"

namespace gaur {

/// One started process; never used twice.
using RunnerId = std::uint64_t;

struct SpawnSpec {
  RunnerId id = 0;
  std::string pool;  ///< marks its output in the log
  std::vector<std::string> command;
  std::map<std::string, std::string> env;  ///< whole, nothing is added
  std::filesystem::path working_folder;
  std::filesystem::path scratch;   ///< made before the start with tmp/ and out/ in it, see release_scratch()
  std::uint64_t memory_bytes = 0;  ///< soft RLIMIT_DATA; 0: not limited
  std::uint32_t open_files = 1024;
};

/// Measured by the operating system, since the run began.
struct RunFigures {
  std::uint64_t cpu_us = 0;
  std::uint64_t peak_rss_bytes = 0;
};

struct RunnerExit {
  std::string problem;  ///< why it could not be started at all; "" when it ran
  int signal = 0;
  int exit_code = 0;
  RunFigures figures;        ///< of the run that it had, if it had one
  std::string last_words{};  ///< the line of its stderr that most likely says why; "" if there was none
  std::string output{};      ///< the last lines of its stderr since its run began (StderrTail)
};

class ShellEvents {
 public:
  virtual ~ShellEvents() = default;
  virtual void on_started(RunnerId id, std::int64_t pid) = 0;
  virtual void on_frame(RunnerId id, RunnerFrame frame, RunFigures figures) = 0;
  virtual void on_broken_frame(RunnerId id, std::string what) = 0;
  /// Resident anonymous memory of the runner and all below it: every 0.1 s while it runs a job, every 2 s
  /// else.
  virtual void on_memory(RunnerId id, std::uint64_t bytes) = 0;
  /// Everything of it is dead. The last event of `id`.
  virtual void on_exit(RunnerId id, RunnerExit exit) = 0;
};

/// No method blocks or fails: problems arrive as on_exit. Unknown ids are ignored: they have ended.
class Shell {
 public:
  virtual ~Shell() = default;
  virtual void listen(std::weak_ptr<ShellEvents> events) = 0;
  virtual void empty_folder(std::filesystem::path folder) = 0;  ///< makes it if needed
  virtual void start(SpawnSpec spec) = 0;
  /// Sends a run frame. Measuring begins anew, and the soft memory limit becomes `memory_bytes` (0: none).
  virtual void run(RunnerId id, std::string frame, std::uint64_t memory_bytes) = 0;
  virtual void send(RunnerId id, std::string frame) = 0;
  /// Nothing more is sent: the runner reads end of file once it has read what was.
  virtual void close_input(RunnerId id) = 0;
  virtual void terminate(RunnerId id) = 0;  ///< SIGTERM
  virtual void kill(RunnerId id) = 0;       ///< SIGKILL to it and everything below
  /// After on_exit(): nothing of this runner's scratch is needed any more, a result file neither. It is
  /// removed.
  virtual void release_scratch(RunnerId id, std::filesystem::path scratch) = 0;
};

}  // namespace gaur
