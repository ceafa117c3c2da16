#pragma once
// One pool as a state machine: events in (a run, a frame, an exit, a timer), calls to the Shell out. No
// process, no thread and no clock of its own, so that tests drive it through every branch.
//
// Runner:  starting --ready--> idle <--outcome/run--> running          any --killed or died--> gone
//                                 \--stop--> ending --exits, or SIGKILL after stop_grace--> gone
// Run:     running --outcome--> ended, or --outcome with a file--> saving --file is on disk--> ended. While
// it is
//          saving its runner gets no other run, since the file lies in the runner's folder.
// Pool:    open --breaker_after failures to start in a row--> broken --a probe gets ready--> open
// Thread-safety: confined to the loop.
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "base/env.hpp"
#include "base/log.hpp"
#include "core/run.hpp"
#include "gaur/host.hpp"
#include "runner/pools.hpp"
#include "runner/shell.hpp"

namespace gaur {

/// What a pool needs from those around it.
struct PoolContext {
  Env env;
  Shell& shell;
  Limits limits{};
  const std::map<FunctionName, std::size_t>* result_bytes = nullptr;
  AdoptFile adopt_file{};  ///< answers on the loop; empty: result files are rejected
  FileResult file_result{};
  Logger log{};
  std::filesystem::path run_folder{};
  std::int64_t server_pid = 0;
  std::map<std::string, std::string> environment{};  ///< passed on from the server's own
  std::function<RunnerId()> next_id{};
  std::function<void(RunnerId, bool alive)> on_runner{};  ///< so that events find their pool
  std::function<void(const LockToken&)> on_run_ended{};
  std::function<void(bool broken, const std::string& why)> on_broken{};
  std::function<void()> on_idle_memory{};
  /// A timer whose task is dropped when the pools are gone.
  std::function<Loop::TimerId(Duration, std::function<void()>)> after{};
};

/// How far the ending of a run has gone: quiet -> cancel -> TERM -> KILL. See Pool::end_step.
enum class EndStage : std::uint8_t { kQuiet, kAsked, kTerminated, kKilled };

class Pool {
 public:
  Pool(std::string name, PoolOptions options, PoolContext context);

  void open();
  void close();
  bool empty() const { return runners_.empty() && waiting_.empty() && dead_while_saving_.empty(); }

  void start(RunRequest request, RunObserver& observer);
  /// False: no such run here.
  bool stop(const LockToken& run, StopReason reason, std::string who, std::string why);

  void on_started(RunnerId id, std::int64_t pid);
  void on_frame(RunnerId id, RunnerFrame frame, RunFigures figures);
  void on_broken_frame(RunnerId id, const std::string& what);
  void on_memory(RunnerId id, std::uint64_t bytes);
  void on_exit(RunnerId id, RunnerExit exit);

  PoolStatus status() const;
  std::vector<RunnerStatus> runners() const;
  std::int64_t pid_of(const LockToken& run) const;
  std::optional<std::string> broken() const;
  /// When a broken pool starts its next probe.
  std::optional<Instant> next_start() const;
  std::uint64_t idle_memory() const;

 private:
  struct StopCall {
    StopReason reason = StopReason::kCancel;
    std::string who, why;
  };
  /// What a runner answered.
  struct Outcome {
    RunEnd end;
    Usage usage;
    bool last = false;  ///< the runner ends by itself
  };
  /// A run whose outcome is here, and whose file is on its way to the results.
  struct Saving {
    Outcome outcome;     ///< its end comes with the file
    std::string result;  ///< the object beside the file
    std::shared_ptr<Abandoned> abandoned;
  };
  struct Run {
    RunRequest request;
    RunObserver* observer = nullptr;
    Instant begun{};
    std::uint64_t bound = 0;          ///< bytes; 0: not limited
    std::uint64_t peak = 0;           ///< of the samples
    std::optional<StopCall> stopped;  ///< decides what the run's end counts as
    EndStage stage = EndStage::kQuiet;
    Loop::TimerId deadline = 0, end_timer = 0, progress_timer = 0;
    bool progress_refused = false;  ///< one was too large: said once
    std::optional<Instant> progress_told;
    std::optional<std::string> progress;  ///< the newest, not told yet
    std::optional<Saving> saving;
  };
  enum class State : std::uint8_t { kStarting, kIdle, kRunning, kEnding };
  /// Why Gaur kills a runner although its run was not stopped.
  struct Verdict {
    enum class Kind : std::uint8_t { kMemory, kBrokenFrame, kOurs } kind = Kind::kOurs;
    std::string message;
    std::uint64_t bytes = 0;
  };
  struct Runner {
    RunnerId id = 0;
    State state = State::kStarting;
    std::int64_t pid = 0;
    std::filesystem::path scratch;
    Instant started{}, ready{}, idle_since{};
    std::uint32_t jobs = 0;
    std::uint64_t rss = 0;
    bool measured_since_job = true;
    bool retire = false;  ///< its successor is ready
    RunnerId successor = 0, predecessor = 0;
    std::unique_ptr<Run> run;
    std::optional<Verdict> verdict;
    Loop::TimerId timer = 0;  ///< start_timeout, or stop_grace
  };
  struct Waiting {
    RunRequest request;  ///< without the job's data, which the frame holds
    RunObserver* observer;
    std::string frame{};
  };

  // Getting runners (pool.cpp)
  void balance();
  void give_out();
  Runner* pick_idle();
  bool may_start();
  void spawn(RunnerId predecessor);
  SpawnSpec spec_of(const Runner& runner) const;
  void became_ready(Runner& runner, const frame::Ready& ready);
  void expect_stability(RunnerId id);
  void failed_to_start(const Runner& runner, const std::string& why);
  void open_breaker(const std::string& why);
  bool is_due(const Runner& runner) const;
  void replace_due();
  void shrink();
  void stop_runner(Runner& runner);
  void kill_runner(Runner& runner, Verdict verdict);
  std::size_t count(State state) const;

  // Running (pool_run.cpp)
  void begin(Runner& runner, Waiting next);
  void request_stop(Runner& runner, StopCall call);
  void end_step(RunnerId id);
  void on_deadline(RunnerId id);
  void take_progress(Runner& runner, std::string value);
  void tell_progress(RunnerId id);
  void take_end(Runner& runner, RunnerFrame frame, RunFigures figures);
  void take_outcome(Runner& runner, Outcome outcome);
  std::size_t result_limit(const FunctionName& function) const;
  void complete(Runner& runner, frame::Completed frame, Outcome outcome);
  void save_file(Runner& runner, frame::Completed frame, Outcome outcome);
  void file_saved(RunnerId id, const Result<ResultFile>& kept);
  RunEnd end_of_saved(const Run& run, const Result<ResultFile>& kept) const;
  RunEnd failed(frame::Failed frame) const;
  RunEnd end_of_stopped(const Run& run) const;
  static std::string words_of_death(const RunnerExit& exit);
  RunEnd end_of_dead(const Runner& runner, const RunnerExit& exit) const;
  void finish(Runner& runner, RunEnd end, Usage usage);
  void end_waiting(const Waiting& waiting, RunEnd end);
  Usage usage_of(const Run& run, Usage said, RunFigures figures) const;
  static void clear_out(const Runner& runner);

  std::string name_;
  PoolOptions options_;
  PoolContext context_;
  std::map<RunnerId, Runner> runners_;
  std::map<RunnerId, Runner> dead_while_saving_;  ///< their runs end with the file all the same
  std::deque<Waiting> waiting_;
  bool closing_ = false;

  std::uint32_t failures_ = 0;  ///< to start, in a row
  Instant last_failure_{};
  std::optional<Instant> not_before_;  ///< no start until then
  Loop::TimerId retry_timer_ = 0, shrink_timer_ = 0;
  std::optional<std::string> broken_;
  std::uint64_t started_ = 0, crashed_ = 0;
};

/// "SIGSEGV" and the like, or "signal 40".
std::string signal_name(int signal);

}  // namespace gaur
