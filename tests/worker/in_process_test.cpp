// C++ handlers on real threads. The tests do not sleep: they wait for each event up to a deadline.
#include "worker/in_process.hpp"

#include <gmock/gmock.h>

#include <condition_variable>
#include <mutex>

#include "admission/ledger.hpp"
#include "base/system_env.hpp"
#include "model/model_store.hpp"
#include "worker/worker.hpp"

namespace gaur {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Thread-safety: internally locked.
class Listener final : public RunObserver {
 public:
  void on_progress(const LockToken&, std::string json) override {
    std::lock_guard lock(mutex_);
    progress_.push_back(std::move(json));
  }
  void on_log(const LockToken&, std::string line) override {
    std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
  }
  void on_end(const LockToken& run, RunEnd end, Usage usage) override {
    std::lock_guard lock(mutex_);
    EXPECT_FALSE(ends_.contains(run)) << "ended twice";
    ends_.emplace(run, std::pair(std::move(end), std::move(usage)));
    changed_.notify_all();
  }
  std::pair<RunEnd, Usage> end_of(const std::string& run) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, seconds(20), [&] { return ends_.contains(LockToken(run)); }));
    return ends_[LockToken(run)];
  }
  std::vector<std::string> progress() {
    std::lock_guard lock(mutex_);
    return progress_;
  }
  std::vector<std::string> lines() {
    std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<LockToken, std::pair<RunEnd, Usage>> ends_;
  std::vector<std::string> progress_, lines_;
};

FunctionName operator""_f(const char* text, std::size_t length) {
  return FunctionName(std::string(text, length));
}

/// Blocks until the run is stopped.
RunEnd until_stopped(HandlerContext& context) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait(lock, context.stop(), [] { return false; });
  return run::Failed{{.message = "stopped"}, false};
}

class InProcessTest : public ::testing::Test {
 protected:
  std::unique_ptr<InProcess> make() {
    InProcessOptions options;
    options.threads = 2;
    options.functions["echo"_f] = [](HandlerContext& context) -> RunEnd {
      return run::Completed{context.data()};
    };
    options.functions["throws"_f] = [](HandlerContext&) -> RunEnd { throw std::runtime_error("boom"); };
    options.functions["throws an int"_f] = [](HandlerContext&) -> RunEnd { throw 7; };
    options.functions["not json"_f] = [](HandlerContext&) -> RunEnd { return run::Completed{"{oops"}; };
    options.functions["waits"_f] = until_stopped;
    options.functions["completes late"_f] = [](HandlerContext& context) -> RunEnd {
      (void)until_stopped(context);
      return run::Completed{"1"};
    };
    options.functions["reports"_f] = [](HandlerContext& context) -> RunEnd {
      context.progress("{\"share\":0.5}");
      context.progress("half");
      context.log("a line");
      return run::Completed{std::to_string(context.job().attempts_started)};
    };
    options.functions["simple"_f] = simple_handler([](HandlerContext& context) -> Result<std::string> {
      if (context.data() == "null") return Error{Errc::kNotFound, "no such day"};
      return std::string("\"found\"");
    });
    return std::make_unique<InProcess>(env, std::move(options));
  }
  void start(InProcess& handler, const std::string& run, const std::string& function,
             std::optional<Duration> timeout = {}, std::string data = "{\"a\":1}") {
    RunRequest request;
    request.taken.token = LockToken(run);
    request.taken.function = FunctionName(function);
    request.taken.job.data = std::move(data);
    request.taken.job.attempts_started = 3;
    request.timeout = timeout;
    handler.start(std::move(request), listener);
  }

  SystemClock clock;
  SystemRandom random;
  ThreadLoop loop{"test-loop"};
  Env env{clock, random, loop};
  Listener listener;
};

TEST_F(InProcessTest, RunsHandlersAndMeasuresThem) {
  const auto handler = make();
  start(*handler, "1", "echo");
  const auto [end, usage] = listener.end_of("1");
  EXPECT_EQ(std::get<run::Completed>(end).result, "{\"a\":1}");
  EXPECT_GT(usage.wall_us, 0U);
}

TEST_F(InProcessTest, TurnsExceptionsIntoFailedAttempts) {
  const auto handler = make();
  start(*handler, "1", "throws");
  start(*handler, "2", "throws an int");
  EXPECT_EQ(std::get<run::Failed>(listener.end_of("1").first).failure.message, "boom");
  EXPECT_FALSE(std::get<run::Failed>(listener.end_of("1").first).final);
  EXPECT_THAT(std::get<run::Failed>(listener.end_of("2").first).failure.message,
              HasSubstr("not a std::exception"));
}

TEST_F(InProcessTest, FailsUnknownFunctionFinally) {
  const auto handler = make();
  start(*handler, "1", "unknown");
  const auto end = std::get<run::Failed>(listener.end_of("1").first);
  EXPECT_TRUE(end.final);
  EXPECT_EQ(end.failure.message, "no handler for the function \"unknown\" in this process");
}

TEST_F(InProcessTest, FailsAttemptWithInvalidJson) {
  const auto handler = make();
  start(*handler, "1", "not json");
  EXPECT_THAT(std::get<run::Failed>(listener.end_of("1").first).failure.message,
              HasSubstr("the handler's result: not JSON"));
}

TEST_F(InProcessTest, KeepsErrorCodeOfSimpleHandlers) {
  const auto handler = make();
  start(*handler, "1", "simple", {}, "null");
  start(*handler, "2", "simple");
  EXPECT_EQ(std::get<run::Failed>(listener.end_of("1").first).failure.code, "not_found");
  EXPECT_EQ(std::get<run::Completed>(listener.end_of("2").first).result, "\"found\"");
}

TEST_F(InProcessTest, ForwardsProgressAndLogLines) {
  const auto handler = make();
  start(*handler, "1", "reports");
  EXPECT_EQ(std::get<run::Completed>(listener.end_of("1").first).result, "3");
  EXPECT_THAT(listener.progress(), ElementsAre("{\"share\":0.5}"));
  EXPECT_THAT(listener.lines(), ElementsAre(HasSubstr("progress was not stored: not JSON"), "a line"));
}

TEST_F(InProcessTest, StopsRunAtItsDeadline) {
  const auto handler = make();
  start(*handler, "1", "waits", milliseconds(20));
  EXPECT_EQ(std::get<run::TimedOut>(listener.end_of("1").first).after, milliseconds(20));
}

TEST_F(InProcessTest, EndsRunByStopReason) {
  const auto handler = make();
  start(*handler, "cancelled", "waits");
  handler->stop(LockToken("cancelled"), StopReason::kCancel, "ann", "why not");
  EXPECT_EQ(std::get<run::Cancelled>(listener.end_of("cancelled").first).who, "ann");
  start(*handler, "lost", "completes late");
  handler->stop(LockToken("lost"), StopReason::kLockLost, "", "expired");
  EXPECT_TRUE(std::holds_alternative<run::Interrupted>(listener.end_of("lost").first));
  start(*handler, "host", "waits");
  handler->stop(LockToken("host"), StopReason::kHostStops, "", "");
  EXPECT_TRUE(std::holds_alternative<run::Interrupted>(listener.end_of("host").first));
  handler->stop(LockToken("unknown"), StopReason::kCancel, "", "");
}

TEST_F(InProcessTest, EndsAllRunsOnDestruction) {
  auto handler = make();
  for (const char* run : {"1", "2", "3", "4"}) start(*handler, run, "waits");
  handler.reset();
  for (const char* run : {"1", "2", "3", "4"}) {
    EXPECT_TRUE(std::holds_alternative<run::Interrupted>(listener.end_of(run).first));
  }
}

TEST_F(InProcessTest, WorksWithAWorkerOnRealThreads) {
  ModelStore store(clock, loop);
  LedgerOptions ledger_options;
  ledger_options.capacity = {2, 1'000'000'000};
  ledger_options.queues = {{.name = QueueName("q")}};
  ledger_options.functions["echo"_f] = {.cores = 0.1, .memory_bytes = 1};
  Ledger ledger(ledger_options);
  auto handler = make();
  WorkerOptions options;
  options.name = "w";
  options.queues = {QueueName("q")};
  options.hand_off = true;
  auto worker = std::make_unique<Worker>(env, store, ledger, *handler, options);
  worker->start();
  constexpr int kJobs = 500;
  for (int i = 0; i < kJobs; ++i) {
    ASSERT_TRUE(
        store.add({.queue = QueueName("q"), .jobs = {{.name = "echo", .data = std::to_string(i)}}, .op = {}})
            .get());
  }
  const Instant end = clock.now() + seconds(30);
  Counts counts;
  std::string cursor;
  while (clock.now() < end) {
    counts = store.counts(QueueName("q")).get().value();
    if (counts[State::kCompleted] == kJobs) break;
    cursor = store.events(QueueName("q"), cursor, 1'000, milliseconds(100)).get().value().cursor;
  }
  EXPECT_EQ(counts[State::kCompleted], static_cast<std::uint64_t>(kJobs));
  EXPECT_EQ(worker->status().get().counters.completed, static_cast<std::uint64_t>(kJobs));
  EXPECT_EQ(worker->stop(seconds(5)).get().unsent, 0U);
  handler.reset();
  worker.reset();
}

}  // namespace
}  // namespace gaur
