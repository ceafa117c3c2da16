#pragma once
// The state of one runner on the I/O thread: its pipes, unsent bytes and measurements. Thread-safety:
// confined to that thread.
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <set>

#include "base/env.hpp"
#include "runner/spawn.hpp"
#include "runner/stderr_tail.hpp"

namespace gaur {

/// Splits output into lines and truncates long ones.
class OutputLines {
 public:
  explicit OutputLines(std::size_t max_bytes) : max_bytes_(max_bytes) {}
  /// Calls `line` for each complete line.
  void feed(std::string_view bytes, const std::function<void(std::string_view)>& line);
  /// Calls `line` for the rest after the last newline, at end of file.
  void finish(const std::function<void(std::string_view)>& line);

 private:
  std::size_t max_bytes_;
  std::string buffer_;
};

/// Measures CPU time and memory of a runner's process tree, and of one run.
class Meter {
 public:
  void attach(pid_t runner, pid_t keeper);
  bool attached() const { return runner_ > 0; }
  /// Looks for the processes below the keeper, the runner excluded.
  void find_others();
  /// Whether one of them lives. Zombies that the runner does not reap do not count.
  bool has_others() const;
  /// Whether processes below the keeper have lost their parent. Looks now.
  bool has_orphans() const;
  /// Starts the measurement of a run.
  void begin();
  /// Returns the current resident anonymous memory of the tree and updates the peak.
  std::uint64_t sample();
  /// Since begin(), for a live runner.
  RunFigures figures();
  /// Since begin(), for a runner that has exited, from the keeper's totals.
  RunFigures final_figures(const keeper::Report& report) const;

 private:
  std::uint64_t cpu_now() const;
  std::uint64_t anonymous(pid_t pid) const;

  pid_t runner_ = 0, keeper_ = 0;
  /// Descendants, orphans included, at the last sample.
  std::vector<pid_t> others_;
  std::uint64_t cpu_at_begin_ = 0;
  std::uint64_t peak_ = 0;
};

struct Child {
  Child(SpawnSpec s, std::size_t line_bytes)
      : spec(std::move(s)), out_lines(line_bytes), err_lines(line_bytes), output(spec.output) {}

  SpawnSpec spec;
  Spawned fds;
  /// Of the runner; valid until fds.commands is closed.
  pid_t pid = 0;
  Meter meter;
  std::uint64_t memory_limit = 0;
  bool limit_failure_logged = false;

  std::string outbox;
  std::size_t outbox_sent = 0;
  bool close_when_sent = false;
  /// How many parts of what the last job left are being removed. What is sent meanwhile waits in `held`, in
  /// order.
  int cleaning = 0;
  /// A part could not be removed: it gets no other run.
  bool unclean = false;
  std::vector<std::function<void()>> held;
  /// Entries of tmp/ that its runs did not create, once they are noted.
  std::set<std::string> tmp_before;
  bool tmp_noted = false;

  LineSplitter frames{kMaxFrameBytes};
  OutputLines out_lines, err_lines;
  OutputBudget output;
  /// Since the start of its run.
  StderrTail tail;
  /// A broken frame arrived: all later frames are dropped.
  bool ignores_frames = false;
  /// Has a run, and is sampled every 0.1 s.
  bool running = false;
  bool exit_reported = false;
  /// ProcessHost::release_scratch() was called.
  bool scratch_released = false;
  std::optional<Instant> kill_sent, frames_ended;
  RunnerExit exit;
  /// Bytes of frames posted to the loop and not handled yet. Shared with the posted closures.
  std::shared_ptr<std::atomic<std::size_t>> backlog = std::make_shared<std::atomic<std::size_t>>(0);
  /// Its frames are not read, because of its backlog.
  bool paused = false;
};

/// Sets the soft RLIMIT_DATA of a live process; 0: none.
bool limit_memory(pid_t pid, std::uint64_t bytes);

}  // namespace gaur
