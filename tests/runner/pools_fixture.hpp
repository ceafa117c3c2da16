#pragma once
// Pools with real processes, an observer that records calls, and waits with deadlines.
#include <gmock/gmock.h>

#include <filesystem>

#include "base/system_env.hpp"
#include "runner/pools.hpp"

namespace gaur {

/// Thread-safety: internally locked.
class Recorder : public RunObserver {
 public:
  struct End {
    RunEnd end;
    Usage usage;
    Instant at;
  };
  void on_progress(const LockToken&, std::string json) override {
    std::lock_guard lock(mutex_);
    progress_.push_back(std::move(json));
    changed_.notify_all();
  }
  void on_log(const LockToken&, std::string line) override {
    std::lock_guard lock(mutex_);
    logs_.push_back(std::move(line));
  }
  void on_end(const LockToken& run, RunEnd end, Usage usage) override {
    std::lock_guard lock(mutex_);
    EXPECT_FALSE(ends_.contains(run)) << "a run may end once: " << run.value;
    ends_.emplace(run, End{std::move(end), std::move(usage), clock_.now()});
    changed_.notify_all();
  }
  std::optional<End> wait(const LockToken& run, Duration at_most = Duration(15'000)) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, at_most, [&] { return ends_.contains(run); });
    const auto found = ends_.find(run);
    return found == ends_.end() ? std::nullopt : std::optional(found->second);
  }
  std::vector<std::string> progress() {
    std::lock_guard lock(mutex_);
    return progress_;
  }
  std::vector<std::string> logs() {
    std::lock_guard lock(mutex_);
    return logs_;
  }

 private:
  SystemClock clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<LockToken, End> ends_;
  std::vector<std::string> progress_, logs_;
};

/// Keeps what was logged. Thread-safety: internally locked.
class LogMemory : public LogSink {
 public:
  void write(const LogRecord& record) override {
    std::lock_guard lock(mutex_);
    lines_.push_back(format_log_text(record));
  }
  bool has(std::string_view text) {
    std::lock_guard lock(mutex_);
    return std::any_of(lines_.begin(), lines_.end(),
                       [&](const auto& line) { return line.find(text) != std::string::npos; });
  }
  std::string all() {
    std::lock_guard lock(mutex_);
    std::string out;
    for (const auto& line : lines_) out += line + "\n";
    return out;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

/// What a test may say about a run.
struct Extra {
  std::optional<Duration> timeout{};
  std::uint64_t memory_bytes = 0;
  std::string id = "1";
};

class PoolsFixture : public testing::Test {
 protected:
  PoolsFixture() {
    std::string pattern = (std::filesystem::temp_directory_path() / "gaur-runner-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    results_.emplace(clock_, results::ResultFolder::Options{.folder = folder_ / "results"});
  }
  ~PoolsFixture() override {
    if (pools_) std::move(closing_ ? *closing_ : closing_.emplace(pools_->close())).get();
    pools_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  static PoolOptions testbed(std::vector<std::string> arguments = {}) {
    PoolOptions options;
    options.command = {GAUR_TEST_TESTBED};
    options.command.insert(options.command.end(), arguments.begin(), arguments.end());
    return options;
  }

  template <class Call>
  auto on_loop(Call call) {
    using Value = decltype(call());
    if constexpr (std::is_void_v<Value>) {
      Promise<Unit> done;
      loop_.post([&] {
        call();
        done.set(Unit{});
      });
      done.future().get();
    } else {
      Promise<Value> done;
      loop_.post([&] { done.set(call()); });
      return done.future().get();
    }
  }

  /// One pool "p" that serves every function of the testbed.
  void open(PoolOptions pool) {
    PoolsOptions options;
    options.pools["p"] = std::move(pool);
    for (const char* name : {"echo",        "sleep",
                             "ignore_all",  "eat",
                             "grow",        "refused",
                             "crash",       "exit",
                             "orphans",     "broken",
                             "wrong_run",   "mute",
                             "file",        "link",
                             "progress",    "logs",
                             "spin",        "talk",
                             "environment", "large",
                             "flood",       "report_and_crash"}) {
      options.functions[FunctionName(name)] = "p";
    }
    options.run_folder = folder_ / "run";
    options.keeper_program = GAUR_TEST_KEEPER;
    options.cgroups = cgroups_;
    options.save_file = [this](results::SaveRequest request, results::OnSaved done) {
      results_->save(std::move(request), std::move(done));
    };
    options.result_bytes = result_bytes_;
    options.log = Logger(log_, LogLevel::kDebug);
    options.on_closed = [this](const FunctionName& function, bool closed, const std::string&) {
      if (function.value == "echo") closed_ = closed;
    };
    pools_ = std::make_unique<Pools>(Env{clock_, random_, loop_}, std::move(options));
    on_loop([this] { pools_->open(); });
  }

  LockToken start(const std::string& function, std::string data = "{}", Extra extra = {}) {
    RunRequest request;
    request.taken.function = FunctionName(function);
    request.taken.token = LockToken("w:" + std::to_string(++runs_) + ":0");
    request.taken.job.queue = QueueName("q");
    request.taken.job.id = JobId(extra.id);
    request.taken.job.name = function;
    request.taken.job.data = std::move(data);
    request.taken.job.attempts_started = 1;
    request.timeout = extra.timeout;
    request.grant.memory_bytes = extra.memory_bytes;
    LockToken token = request.taken.token;
    on_loop([&] { pools_->start(std::move(request), recorder_); });
    return token;
  }
  void stop(const LockToken& run, StopReason reason) {
    on_loop([&] { pools_->stop(run, reason, "tester", "because"); });
  }

  /// The end of a run that must be of type T.
  template <class T>
  T expect_end(const LockToken& run) {
    const auto end = recorder_.wait(run);
    if (!end) {
      ADD_FAILURE() << "run " << run.value << " did not end\n" << log_->all();
      return {};
    }
    usage_ = end->usage;
    if (const T* wanted = std::get_if<T>(&end->end)) return *wanted;
    const auto* failed = std::get_if<run::Failed>(&end->end);
    const auto* crashed = std::get_if<run::Crashed>(&end->end);
    ADD_FAILURE() << "run " << run.value << " ended otherwise, variant " << end->end.index() << " "
                  << (failed    ? failed->failure.message
                      : crashed ? crashed->message
                                : "")
                  << "\n"
                  << log_->all();
    return {};
  }
  bool wait_until(const std::function<bool()>& condition, Duration at_most = Duration(10'000)) {
    std::mutex mutex;
    std::condition_variable never;
    const Instant until = clock_.now() + at_most;
    std::unique_lock lock(mutex);
    while (!condition()) {
      if (clock_.now() > until) return false;
      never.wait_for(lock, Duration(2));
    }
    return true;
  }
  std::vector<RunnerStatus> runners() {
    return on_loop([this] { return pools_->runners("p"); });
  }
  bool has_idle_runner() {
    const auto all = runners();
    return std::any_of(all.begin(), all.end(), [](const auto& r) { return r.state == "idle"; });
  }
  Duration since(Instant begin) const { return std::chrono::duration_cast<Duration>(clock_.now() - begin); }

  SystemClock clock_;
  SystemRandom random_;
  std::filesystem::path folder_;
  /// Set before open().
  std::map<FunctionName, std::size_t> result_bytes_;
  CgroupPaths cgroups_;
  std::shared_ptr<LogMemory> log_ = std::make_shared<LogMemory>();
  std::atomic<bool> closed_ = false;
  Recorder recorder_;
  ThreadLoop loop_{"loop"};
  std::optional<results::ResultStore> results_;
  std::unique_ptr<Pools> pools_;
  std::optional<Future<Unit>> closing_;
  Usage usage_;
  int runs_ = 0;
};

}  // namespace gaur
