#pragma once
// Pools over a process host that records its calls, and a manual clock.
#include <gmock/gmock.h>

#include "base/manual_env.hpp"
#include "runner/pools.hpp"
#include "runner/process_host.hpp"

namespace gaur {

using namespace std::chrono_literals;

/// Records every call as a line: "start 1", "run 1", "cancel 1", "stop 1", "close 1", "term 1", "kill 1".
class FakeProcessHost : public ProcessHost {
 public:
  void listen(std::weak_ptr<ProcessEvents> events) override { events_ = std::move(events); }
  void empty_folder(std::filesystem::path) override {}
  void start(SpawnSpec spec) override {
    started.push_back(spec);
    note("start", spec.id);
  }
  void run(RunnerId id, std::string frame, std::uint64_t memory) override {
    frames[id] = std::move(frame);
    limits[id] = memory;
    note("run", id);
  }
  void send(RunnerId id, std::string frame) override {
    note(frame.find("\"cancel\"") != std::string::npos ? "cancel" : "stop", id);
  }
  void close_input(RunnerId id) override { note("close", id); }
  void empty_out(RunnerId id) override { note("empty_out", id); }
  void terminate(RunnerId id) override { note("term", id); }
  void kill(RunnerId id) override { note("kill", id); }
  void release_scratch(RunnerId id, std::filesystem::path) override { released.push_back(id); }

  std::shared_ptr<ProcessEvents> events() { return events_.lock(); }
  std::vector<std::string> take_calls() { return std::exchange(calls_, {}); }
  std::vector<SpawnSpec> started;
  std::vector<RunnerId> released;
  std::map<RunnerId, std::string> frames;
  std::map<RunnerId, std::uint64_t> limits;

 private:
  void note(const std::string& what, RunnerId id) { calls_.push_back(what + " " + std::to_string(id)); }
  std::weak_ptr<ProcessEvents> events_;
  std::vector<std::string> calls_;
};

class PoolTest : public testing::Test, public RunObserver {
 protected:
  void open(PoolOptions pool = {}) {
    if (pool.command.empty()) pool.command = {"program"};
    PoolsOptions options;
    options.pools["p"] = std::move(pool);
    options.functions[FunctionName("f")] = "p";
    options.run_folder = "unused";
    options.max_scratch = host_scratch_;
    options.on_closed = [this](const FunctionName&, bool closed, const std::string& why) {
      closed_.push_back(closed ? why : "open");
    };
    options.on_idle_memory = [this](std::uint64_t bytes) { idle_memory_ = bytes; };
    options.save_file = [this](results::SaveRequest request, results::OnSaved done) {
      save_requests_.push_back({std::move(request), std::move(done)});
    };
    auto processes = std::make_unique<FakeProcessHost>();
    processes_ = processes.get();
    pools_ = std::make_unique<Pools>(env_.env, std::move(options), std::move(processes));
    pools_->open();
  }

  void start(const std::string& token, std::optional<Duration> timeout = {}, std::uint64_t memory = 0) {
    RunRequest request;
    request.taken.token = LockToken(token);
    request.taken.function = FunctionName("f");
    request.taken.job.data = "{}";
    request.timeout = timeout;
    request.grant.memory_bytes = memory;
    pools_->start(std::move(request), *this);
  }
  void ready(RunnerId id) {
    processes_->events()->on_started(id, static_cast<std::int64_t>(1000 + id));
    processes_->events()->on_frame(id, frame::Ready{1, "fake"}, {});
  }
  void complete(RunnerId id, const std::string& token, RunFigures figures = {}) {
    processes_->events()->on_frame(id, frame::Completed{token, "1", {}, {}}, figures);
  }
  void complete_with_file(RunnerId id, const std::string& token) {
    frame::Completed frame{token, "{}", {}, {}};
    frame.file = results::RunnerFile{"r.csv", "csv", 1};
    processes_->events()->on_frame(id, std::move(frame), {});
  }
  /// Answers save request `index`.
  void saved(std::size_t index, Result<ResultFile> saved_file = ResultFile{"r.csv", "csv", 1, 1, {}}) {
    save_requests_.at(index).second(std::move(saved_file));
    wait(0ms);
  }
  void exit(RunnerId id, int signal = 0, int code = 0) {
    processes_->events()->on_exit(id, RunnerExit{"", signal, code, {}});
  }
  void wait(Duration time) { env_.loop.run_for(time); }
  std::vector<std::string> calls() { return processes_->take_calls(); }

  void on_progress(const LockToken&, std::string json) override { progress_.push_back(std::move(json)); }
  void on_log(const LockToken&, std::string) override {}
  void on_end(const LockToken& run, RunEnd end, Usage usage) override {
    EXPECT_FALSE(ends_.contains(run.value));
    ends_.emplace(run.value, std::move(end));
    usages_[run.value] = std::move(usage);
  }
  template <class T>
  const T* ended(const std::string& token) {
    const auto found = ends_.find(token);
    return found == ends_.end() ? nullptr : std::get_if<T>(&found->second);
  }

  ManualEnv env_;
  FakeProcessHost* processes_ = nullptr;
  std::unique_ptr<Pools> pools_;
  std::map<std::string, RunEnd> ends_;
  std::map<std::string, Usage> usages_;
  std::vector<std::string> progress_, closed_;
  std::vector<std::pair<results::SaveRequest, results::OnSaved>> save_requests_;
  std::uint64_t idle_memory_ = 0;
  /// PoolsOptions::max_scratch.
  std::uint64_t host_scratch_ = 0;
};

}  // namespace gaur
