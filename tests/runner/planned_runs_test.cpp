// Runs of two steps, over a process host that records its calls, and a manual clock.
#include "runner/planned_runs.hpp"

#include <gmock/gmock.h>

#include "base/manual_env.hpp"
#include "runner/pools.hpp"
#include "runner/process_host.hpp"

namespace gaur {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(ReadPlan, TakesSqlAndParameters) {
  const auto plan = read_plan(R"({"sql":"SELECT $a","params":{"a":1.50},"more":[1]})");
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->data, R"({"sql":"SELECT $a","params":{"a":1.50}})");
  EXPECT_EQ(read_plan(R"({"sql":"SELECT 1"})")->data, R"({"sql":"SELECT 1"})");
  EXPECT_EQ(read_plan(R"({"sql":"x","params":[1],"setup":["y"]})")->data,
            R"({"sql":"x","params":[1],"setup":["y"]})");
}
TEST(ReadPlan, TakesAnAnswer) {
  EXPECT_EQ(read_plan(R"({"answer":[1,{"a":null}]})")->answer, R"([1,{"a":null}])");
  EXPECT_EQ(read_plan(R"({"answer":null})")->answer, "null");
}
TEST(ReadPlan, RejectsOtherResults) {
  for (const char* wrong : {"null", "[1]", "{}", R"({"sql":5})", R"({"sql":"x","params":"y"})"}) {
    const auto plan = read_plan(wrong);
    ASSERT_FALSE(plan.has_value()) << wrong;
    EXPECT_THAT(plan.error().message, HasSubstr(std::string("the planner answered ") + wrong));
  }
}

/// Two pools with one runner each: "node" plans, "sql" runs.
class RecordingProcessHost : public ProcessHost {
 public:
  void listen(std::weak_ptr<ProcessEvents> events) override { events_ = std::move(events); }
  void empty_folder(std::filesystem::path) override {}
  void start(SpawnSpec spec) override { runner_of[spec.pool] = spec.id; }
  void run(RunnerId id, std::string frame, std::uint64_t) override { frames[id] = std::move(frame); }
  void send(RunnerId id, std::string frame) override { sent[id] += frame; }
  void close_input(RunnerId) override {}
  void empty_out(RunnerId) override {}
  void terminate(RunnerId) override {}
  void kill(RunnerId) override {}
  void release_scratch(RunnerId, std::filesystem::path) override {}
  std::shared_ptr<ProcessEvents> events() { return events_.lock(); }

  std::map<std::string, RunnerId> runner_of;
  std::map<RunnerId, std::string> frames, sent;

 private:
  std::weak_ptr<ProcessEvents> events_;
};

class PlannedRunsTest : public testing::Test, public RunObserver {
 protected:
  PlannedRunsTest() {
    PoolsOptions options;
    for (const char* name : {"node", "sql"}) {
      PoolOptions pool;
      pool.command = {"program"};
      pool.breaker_after = 1;
      options.pools[name] = pool;
    }
    options.functions[FunctionName("f")] = "sql";
    options.planners[FunctionName("f")] = "node";
    options.on_closed = [this](const FunctionName&, bool closed, const std::string& why) {
      closed_ = closed;
      why_ = why;
    };
    auto processes = std::make_unique<RecordingProcessHost>();
    processes_ = processes.get();
    pools_ = std::make_unique<Pools>(env_.env, std::move(options), std::move(processes));
    pools_->open();
    node_ = processes_->runner_of.at("node");
    sql_ = processes_->runner_of.at("sql");
  }

  void both_ready() {
    ready(node_);
    ready(sql_);
  }
  void ready(RunnerId id) {
    processes_->events()->on_started(id, static_cast<std::int64_t>(1000 + id));
    processes_->events()->on_frame(id, frame::Ready{1, "fake"}, {});
  }
  void start(std::optional<Duration> timeout = {}) {
    RunRequest request;
    request.taken.token = token_;
    request.taken.function = FunctionName("f");
    request.taken.job.data = R"({"day":"2026-11-22"})";
    request.timeout = timeout;
    request.grant = {3, 1000};
    pools_->start(std::move(request), *this);
  }
  void complete(RunnerId id, std::string result, RunFigures figures = {}, std::string details = "") {
    frame::Completed frame;
    frame.run = token_.value;
    frame.result = std::move(result);
    frame.usage.details = std::move(details);
    processes_->events()->on_frame(id, std::move(frame), figures);
  }
  void exit(RunnerId id, int signal) {
    RunnerExit exit;
    exit.signal = signal;
    processes_->events()->on_exit(id, exit);
  }

  void on_progress(const LockToken&, std::string json) override { progress_ = std::move(json); }
  void on_log(const LockToken&, std::string) override {}
  void on_end(const LockToken& run, RunEnd end, Usage usage) override {
    EXPECT_EQ(run, token_);
    EXPECT_FALSE(end_.has_value()) << "a run ends once";
    end_ = std::move(end);
    usage_ = std::move(usage);
  }
  template <class T>
  const T& ended() {
    static const T kNone{};
    EXPECT_TRUE(end_ && std::holds_alternative<T>(*end_));
    return end_ && std::holds_alternative<T>(*end_) ? std::get<T>(*end_) : kNone;
  }

  const LockToken token_{"w:1:0"};
  ManualEnv env_;
  RecordingProcessHost* processes_ = nullptr;
  std::unique_ptr<Pools> pools_;
  RunnerId node_ = 0, sql_ = 0;
  std::optional<RunEnd> end_;
  Usage usage_;
  std::string progress_, why_;
  bool closed_ = false;
};

TEST_F(PlannedRunsTest, PlansThenRunsUnderOneGrant) {
  both_ready();
  start();
  EXPECT_THAT(processes_->frames[node_], HasSubstr(R"("data":{"day":"2026-11-22"})"));
  EXPECT_EQ(processes_->frames.count(sql_), 0U);
  complete(node_, R"({"sql":"SELECT 1","params":[2]})");
  EXPECT_FALSE(end_.has_value());
  EXPECT_THAT(processes_->frames[sql_], HasSubstr(R"("data":{"sql":"SELECT 1","params":[2]})"));
  EXPECT_THAT(processes_->frames[sql_], HasSubstr(R"("threads":3,"memory":1000)"));
  processes_->events()->on_frame(sql_, frame::Progress{token_.value, "50"}, {});
  EXPECT_EQ(progress_, "50");
  complete(sql_, "[7]");
  EXPECT_EQ(ended<run::Completed>().result, "[7]");
}

TEST_F(PlannedRunsTest, AddsTheUsageOfBothSteps) {
  both_ready();
  start();
  env_.loop.run_for(100ms);
  complete(node_, R"({"sql":"x"})", {.cpu_us = 10, .peak_rss_bytes = 500}, R"({"made":"by hand"})");
  env_.loop.run_for(50ms);
  complete(sql_, "1", {.cpu_us = 5, .peak_rss_bytes = 300}, R"({"rows":2})");
  EXPECT_EQ(usage_.cpu_us, 15U);
  EXPECT_EQ(usage_.peak_rss_bytes, 500U);
  EXPECT_EQ(usage_.wall_us, 150'000U);
  EXPECT_EQ(
      usage_.details,
      R"({"rows":2,"plan":{"cpu_us":10,"wall_us":100000,"peak_rss_bytes":500,"details":{"made":"by hand"}}})");
}

TEST_F(PlannedRunsTest, GivesTheSecondStepTheRestOfTheTimeout) {
  both_ready();
  start(5s);
  env_.loop.run_for(2s);
  complete(node_, R"({"sql":"x"})");
  EXPECT_THAT(processes_->frames[sql_], HasSubstr(R"("timeout_ms":3000)"));
  env_.loop.run_for(3s);
  EXPECT_THAT(processes_->sent[sql_], HasSubstr(R"("reason":"timeout")"));
  complete(sql_, "1");
  EXPECT_EQ(ended<run::TimedOut>().after, 5s);
}

TEST_F(PlannedRunsTest, StopsTheStepThatRuns) {
  both_ready();
  start();
  complete(node_, R"({"sql":"x"})");
  pools_->stop(token_, StopReason::kCancel, "tester", "because");
  EXPECT_EQ(processes_->sent[node_], "");
  EXPECT_THAT(processes_->sent[sql_], HasSubstr(R"("reason":"cancel")"));
  complete(sql_, "1");
  EXPECT_EQ(ended<run::Cancelled>().why, "because");
}

TEST_F(PlannedRunsTest, DropsAPlanThatArrivesAfterACancel) {
  both_ready();
  start();
  pools_->stop(token_, StopReason::kCancel, "tester", "because");
  complete(node_, R"({"sql":"x"})");
  ended<run::Cancelled>();
  EXPECT_EQ(processes_->frames.count(sql_), 0U);
}

TEST_F(PlannedRunsTest, EndsWithTheStepThatFails) {
  both_ready();
  start();
  exit(node_, 11);
  EXPECT_EQ(ended<run::Crashed>().signal, 11);
}

TEST_F(PlannedRunsTest, FailsFinallyWithoutAPlan) {
  both_ready();
  start();
  complete(node_, "5");
  EXPECT_EQ(ended<run::Failed>().failure.code, "plan");
  EXPECT_TRUE(ended<run::Failed>().final);
}

TEST_F(PlannedRunsTest, CompletesWithoutASecondStepOnAnAnswer) {
  both_ready();
  start();
  complete(node_, R"({"answer":[]})");
  EXPECT_EQ(ended<run::Completed>().result, "[]");
  EXPECT_EQ(processes_->frames.count(sql_), 0U);
}

TEST_F(PlannedRunsTest, ClosesTheFunctionWhileEitherPoolIsBroken) {
  exit(node_, 11);
  EXPECT_TRUE(closed_);
  EXPECT_THAT(why_, HasSubstr("pool node"));
  exit(sql_, 11);
  EXPECT_TRUE(closed_);
  env_.loop.run_for(1s);  // both are probed
  ready(processes_->runner_of.at("sql"));
  EXPECT_TRUE(closed_) << "node is still broken";
  ready(processes_->runner_of.at("node"));
  EXPECT_FALSE(closed_);
}

TEST_F(PlannedRunsTest, SendsNoRunToARunnerAfterItsLastOutcome) {
  both_ready();
  start();
  frame::Failed last;
  last.run = token_.value;
  last.last = true;
  processes_->events()->on_frame(node_, std::move(last), {});
  ended<run::Failed>();
  EXPECT_EQ(pools_->runners("node").front().state, "ending");
  const RunnerId before = node_;
  exit(before, 0);
  EXPECT_NE(processes_->runner_of.at("node"), before) << "a new runner was started";
  EXPECT_FALSE(closed_);
}

}  // namespace
}  // namespace gaur
