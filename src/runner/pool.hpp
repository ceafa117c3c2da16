#pragma once
// One pool of runners as a state machine: it receives events (a run, a frame, an exit, a timer) and calls the
// ProcessHost. It has no process, thread or clock of its own, so tests can drive every branch.
//
// Runner:  starting --ready--> idle <--outcome/run--> running          any --killed or died--> removed
//                                 \--stop--> ending --exits, or SIGKILL after stop_grace--> removed
// Run:     running --outcome--> ended
//          running --outcome with a file--> saving --file saved--> ended. A runner whose run is saving gets
//          no other run, because the file is in the runner's folder.
// Pool:    open --breaker_after failures to start in a row--> broken --a probe becomes ready--> open
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
#include "runner/process_host.hpp"

namespace gaur {

/// The dependencies of a pool.
struct PoolContext {
  Env env;
  ProcessHost& processes;
  Limits limits{};
  const std::map<FunctionName, std::size_t>* result_bytes = nullptr;
  /// Answers on the loop. Empty: result files are rejected.
  results::SaveFile save_file{};
  DescribeFile describe_file{};
  Logger log{};
  std::filesystem::path run_folder{};
  bool measures_scratch = false;
  std::int64_t server_pid = 0;
  /// Variables that runners inherit from the server.
  std::map<std::string, std::string> environment{};
  std::function<RunnerId()> next_id{};
  /// A runner was started or removed: events of this id belong to this pool.
  std::function<void(RunnerId, bool alive)> on_runner{};
  std::function<void(const LockToken&)> on_run_ended{};
  std::function<void(bool broken, const std::string& why)> on_broken{};
  std::function<void()> on_idle_memory{};
  /// Starts a timer. Its task does not run after the pools are destroyed.
  std::function<Loop::TimerId(Duration, std::function<void()>)> after{};
};

/// The steps that end a run: cancel frame, SIGTERM, SIGKILL. See Pool::end_step.
enum class EndStage : std::uint8_t { kNone, kCancelled, kTerminated, kKilled };

class Pool {
 public:
  Pool(std::string name, PoolOptions options, PoolContext context);

  void open();
  void close();
  bool empty() const { return runners_.empty() && waiting_.empty() && dead_while_saving_.empty(); }

  void start(RunRequest request, RunObserver& observer);
  /// Returns false if this pool does not have the run.
  bool stop(const LockToken& run, StopReason reason, std::string who, std::string why);

  void on_started(RunnerId id, std::int64_t pid);
  void on_frame(RunnerId id, RunnerFrame frame, RunFigures figures);
  void on_broken_frame(RunnerId id, const std::string& what);
  void on_unclean(RunnerId id, const std::string& what);
  void on_memory(RunnerId id, std::uint64_t bytes);
  void on_scratch(RunnerId id, std::uint64_t bytes, Instant since);
  /// The last measurement of a runner that is not ending; else 0: its folder is about to be removed.
  std::uint64_t counted_scratch(RunnerId id) const;
  /// All scratch folders together exceed their limit, and this runner has the most.
  void on_host_scratch(RunnerId id, std::uint64_t all, std::uint64_t limit);
  void on_exit(RunnerId id, RunnerExit exit);

  PoolStatus status() const;
  std::vector<RunnerStatus> runners() const;
  std::int64_t pid_of(const LockToken& run) const;
  std::optional<std::string> broken() const;
  /// The time of a broken pool's next probe.
  std::optional<Instant> next_start() const;
  std::uint64_t idle_memory() const;

 private:
  struct StopCall {
    StopReason reason = StopReason::kCancel;
    std::string who, why;
  };
  /// The outcome that a runner reported.
  struct Outcome {
    RunEnd end;
    Usage usage;
    /// The runner exits by itself.
    bool last = false;
    /// With a result file, whether it was saved or not.
    bool has_file = false;
  };
  /// A run whose outcome has arrived and whose file is being saved.
  struct Saving {
    /// Its `end` is set when the file is saved.
    Outcome outcome;
    /// The object beside the file.
    std::string result;
    std::shared_ptr<results::CancelFlag> cancelled;
  };
  struct Run {
    RunRequest request;
    RunObserver* observer = nullptr;
    Instant begun{};
    /// Memory limit in bytes, without `inherited`; 0: none.
    std::uint64_t bound = 0;
    /// Highest memory sample.
    std::uint64_t peak = 0;
    /// Memory of earlier jobs that the runner still had at the start.
    std::uint64_t inherited = 0;
    /// Determines the run's end, whatever outcome arrives.
    std::optional<StopCall> stopped;
    EndStage stage = EndStage::kNone;
    Loop::TimerId deadline = 0, end_timer = 0, progress_timer = 0;
    /// A value was too large; logged once.
    bool progress_rejected = false;
    std::optional<Instant> progress_reported;
    /// The newest value, not reported yet.
    std::optional<std::string> progress;
    std::optional<Saving> saving;
  };
  enum class State : std::uint8_t { kStarting, kIdle, kRunning, kEnding };
  /// Why the pool kills a runner whose run was not stopped.
  struct KillReason {
    enum class Kind : std::uint8_t { kMemory, kScratch, kBrokenFrame, kPool } kind = Kind::kPool;
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
    /// `rss_when_new`: before its first job.
    std::uint64_t rss = 0, rss_when_new = 0;
    /// Disk space of its scratch folder.
    std::uint64_t scratch_bytes = 0;
    bool measured_after_job = true;
    /// The successor is ready.
    bool retire = false;
    RunnerId successor = 0, predecessor = 0;
    std::unique_ptr<Run> run;
    std::optional<KillReason> kill_reason;
    /// start_timeout, or stop_grace.
    Loop::TimerId timer = 0;
  };
  struct Waiting {
    /// Without the job's data, which is in the frame.
    RunRequest request;
    RunObserver* observer;
    std::string frame{};
  };

  // Runners (pool.cpp)
  void balance();
  void assign_waiting();
  Runner* pick_idle();
  bool kept_too_much(const Runner& runner, const Waiting& next) const;
  static std::uint64_t kept_memory(const Runner& runner);
  bool may_start();
  void spawn(RunnerId predecessor);
  SpawnSpec spec_of(const Runner& runner) const;
  void became_ready(Runner& runner, const frame::Ready& ready);
  void reset_failures_if_stable(RunnerId id);
  void failed_to_start(const Runner& runner, const std::string& why);
  void open_breaker(const std::string& why);
  bool is_due(const Runner& runner) const;
  void replace_due();
  void stop_surplus();
  void stop_runner(Runner& runner);
  void kill_runner(Runner& runner, KillReason reason);
  std::size_t count(State state) const;

  // Runs (pool_run.cpp)
  void begin(Runner& runner, Waiting next);
  std::uint64_t bound_of(const RunRequest& request) const;
  void request_stop(Runner& runner, StopCall call);
  void end_step(RunnerId id);
  void on_deadline(RunnerId id);
  void on_progress(Runner& runner, std::string value);
  void report_progress(RunnerId id);
  void end_for_scratch(Runner& runner, const std::string& why);
  void on_outcome(Runner& runner, RunnerFrame frame, RunFigures figures);
  void take_outcome(Runner& runner, Outcome outcome);

  // Outcomes and ends of runs (pool_outcome.cpp)
  std::size_t result_limit(const FunctionName& function) const;
  void complete(Runner& runner, frame::Completed frame, Outcome outcome);
  void save_file(Runner& runner, frame::Completed frame, Outcome outcome);
  void file_saved(RunnerId id, const Result<ResultFile>& saved);
  RunEnd end_of_unsaved(const Error& error) const;
  RunEnd end_of_saved(const Run& run, const Result<ResultFile>& saved) const;
  RunEnd failed(frame::Failed frame) const;
  RunEnd end_of_stopped(const Run& run) const;
  static std::string death_message(const RunnerExit& exit);
  RunEnd end_of_dead(const Runner& runner, const RunnerExit& exit) const;
  void finish(Runner& runner, RunEnd end, Usage usage);
  void end_waiting(const Waiting& waiting, RunEnd end);
  Usage usage_of(const Run& run, Usage said, RunFigures figures) const;

  std::string name_;
  PoolOptions options_;
  PoolContext context_;
  std::map<RunnerId, Runner> runners_;
  /// Their runs end when the file is saved.
  std::map<RunnerId, Runner> dead_while_saving_;
  std::deque<Waiting> waiting_;
  bool closing_ = false;

  /// To start, consecutive.
  std::uint32_t failures_ = 0;
  Instant last_failure_{};
  /// Earliest next start.
  std::optional<Instant> not_before_;
  Loop::TimerId retry_timer_ = 0, surplus_timer_ = 0;
  std::optional<std::string> broken_;
  std::uint64_t started_ = 0, crashed_ = 0;
};

/// "SIGSEGV", or "signal 40" for a signal without a name.
std::string signal_name(int signal);

}  // namespace gaur
