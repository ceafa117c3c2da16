#pragma once
// One runner as the I/O thread of ProcessShell sees it: its pipes, what is still to be written, and its
// figures. Thread-safety: confined to that thread.
#include <atomic>
#include <functional>
#include <memory>
#include <optional>

#include "base/env.hpp"
#include "runner/spawn.hpp"
#include "runner/stderr_tail.hpp"

namespace gaur {

/// Cuts output into lines of bounded length: the rest of a longer one is dropped.
class OutputLines {
 public:
  explicit OutputLines(std::size_t max_bytes) : max_bytes_(max_bytes) {}
  /// Calls `line` for each whole one.
  void feed(std::string_view bytes, const std::function<void(std::string_view)>& line);
  /// What came after the last newline, when nothing more comes.
  void finish(const std::function<void(std::string_view)>& line);

 private:
  std::size_t max_bytes_;
  std::string buffer_;
};

/// What a runner's tree uses, and what one run of it used.
class Meter {
 public:
  void attach(pid_t runner, pid_t keeper);
  bool attached() const { return runner_ > 0; }
  /// A run begins: count from here.
  void begin();
  /// Resident anonymous memory of the tree now; remembered for the peak.
  std::uint64_t sample();
  /// Since begin(). The runner is alive.
  RunFigures figures();
  /// Since begin(), for a runner that has ended: the keeper's totals over its life.
  RunFigures final_figures(const keeper::Report& report) const;

 private:
  std::uint64_t cpu_now() const;
  std::uint64_t anonymous(pid_t pid) const;

  pid_t runner_ = 0, keeper_ = 0;
  std::vector<pid_t> others_;  ///< below the runner, or left by it, at the last sample
  std::uint64_t cpu_at_begin_ = 0;
  std::uint64_t peak_ = 0;
};

struct Child {
  Child(SpawnSpec s, std::size_t line_bytes)
      : spec(std::move(s)), out_lines(line_bytes), err_lines(line_bytes) {}

  SpawnSpec spec;
  Spawned fds;
  pid_t pid = 0;  ///< of the runner; valid until fds.commands is closed
  Meter meter;
  std::uint64_t memory_limit = 0;

  std::string outbox;
  std::size_t outbox_sent = 0;
  bool close_when_sent = false;

  LineSplitter frames{kMaxFrameBytes};
  OutputLines out_lines, err_lines;
  StderrTail tail;       ///< since its run began
  bool deaf = false;     ///< a broken frame came: nothing more is read from it
  bool running = false;  ///< it has a run: sampled often
  bool exit_told = false;
  bool scratch_released = false;  ///< Shell::release_scratch() was called
  std::optional<Instant> kill_sent, frames_ended;
  RunnerExit exit;
  /// Bytes of frames posted to the loop and not handled yet. Shared with the posted closures.
  std::shared_ptr<std::atomic<std::size_t>> backlog = std::make_shared<std::atomic<std::size_t>>(0);
  bool paused = false;  ///< not read from, because of its backlog
};

/// Sets the soft RLIMIT_DATA of a live process; 0: none.
bool limit_memory(pid_t pid, std::uint64_t bytes);

}  // namespace gaur
