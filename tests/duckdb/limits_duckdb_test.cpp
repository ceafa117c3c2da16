// Time and memory: cancel, deadline, progress, out of memory, and memory after a run.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>

#include "base/system_env.hpp"
#include "runner_process.hpp"

namespace gaur::test {
namespace {

constexpr std::uint64_t kGiB = 1ULL << 30;
constexpr const char* kSpec = R"~({"functions":{
  "endless":{"sql":"SELECT sum(sin(i)) AS s FROM range(1000000000000) t(i)"},
  "repeat":{"sql":"SELECT length(repeat('x', 1500000000)) AS n"},
  "quantiles":{"sql":"SELECT approx_quantile(i, 0.5) AS q FROM range(200000) t(i) GROUP BY i % 20000 ORDER BY ALL LIMIT 1"},
  "lists":{"sql":"SELECT length(list(i)) AS n FROM range(1000000) t(i) GROUP BY i % 10 ORDER BY ALL LIMIT 1"},
  "spill":{"sql":"SELECT i FROM range(4000000) t(i) ORDER BY hash(i) LIMIT 1 OFFSET 3000000"},
  "uninterruptible":{"sql":"SELECT count(*) AS n FROM range(20000) t(i) WHERE regexp_matches(repeat('ab', 100000) || i, '(a|b|ab)*c(a|b)*d')"},
  "one":{"sql":"SELECT 1 AS a"}}})~";

double milliseconds_since(const SystemClock& clock, Instant start) {
  return std::chrono::duration<double, std::milli>(clock.now() - start).count();
}

TEST(Limits, ACancelEndsTheRunAndKeepsTheRunner) {
  RunnerProcess runner(kSpec);
  const SystemClock clock;
  const auto run = runner.start("endless");
  runner.send({{"type", "cancel"}, {"run", "w1:99:0"}, {"reason", "cancel"}});  // of another run
  runner.send({{"type", "cancel"}, {"run", run}, {"reason", "cancel"}, {"message", "asked by Kim"}});
  const auto sent = clock.now();
  const auto outcome = runner.outcome();
  const double took = milliseconds_since(clock, sent);
  RecordProperty("cancel_ms", std::to_string(took));
  EXPECT_EQ(json::text_or(outcome, "code", ""), "interrupted");
  EXPECT_EQ(json::text_or(outcome, "message", ""), "the query was interrupted: asked by Kim");
  EXPECT_LT(took, 2000);
  EXPECT_EQ(json::text_or(runner.call("one"), "type", ""), "completed");
}

TEST(Limits, ReportsACancelAtAnyMoment) {
  RunnerProcess runner(kSpec);
  for (int i = 0; i < 20; ++i) {
    const auto run = fmt::format("w1:{}:early", i);
    if (i % 2 == 0)  // before the run begins
      runner.send({{"type", "cancel"}, {"run", run}, {"reason", "cancel"}, {"message", "asked by Kim"}});
    runner.start("endless", {}, {{"run", run}});
    if (i % 2 == 1)  // while its SQL is prepared, or just after
      runner.send({{"type", "cancel"}, {"run", run}, {"reason", "cancel"}, {"message", "asked by Kim"}});
    const auto outcome = runner.outcome();
    EXPECT_EQ(json::text_or(outcome, "code", ""), "interrupted");
    EXPECT_EQ(json::text_or(outcome, "message", ""), "the query was interrupted: asked by Kim");
  }
}

TEST(Limits, EndsARunAtItsOwnDeadline) {
  RunnerProcess runner(kSpec);
  const SystemClock clock;
  const auto start = clock.now();
  const auto outcome = runner.call("endless", json::Object(), {{"timeout_ms", 300}});
  const double took = milliseconds_since(clock, start);
  RecordProperty("deadline_ms", std::to_string(took));
  EXPECT_EQ(json::text_or(outcome, "code", ""), "interrupted");
  EXPECT_GE(took, 300);
  EXPECT_LT(took, 2500);
  EXPECT_EQ(json::text_or(runner.call("one"), "type", ""), "completed");
}

TEST(Limits, StopEndsTheRunnerDuringAQuery) {
  for (const bool by_frame : {true, false}) {
    RunnerProcess runner(kSpec);
    runner.start("endless");
    by_frame ? runner.send({{"type", "stop"}}) : runner.close_input();
    EXPECT_EQ(runner.line(), std::nullopt);
    const int status = runner.wait_exit();
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
}

TEST(Limits, EndsTheProcessOfAQueryThatIgnoresInterrupts) {
  RunnerProcess runner(kSpec);
  const SystemClock clock;
  const auto run = runner.start("uninterruptible");
  runner.send({{"type", "cancel"}, {"run", run}, {"reason", "timeout"}, {"message", "over 1 s"}});
  const auto start = clock.now();
  kill(runner.pid(), SIGTERM);  // as Gaur does after the grace
  while (const auto line = runner.line())
    EXPECT_NE(line->find("\"interrupted\""), std::string::npos) << *line;
  const int status = runner.wait_exit();
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) << status;
  EXPECT_LT(milliseconds_since(clock, start), 1500);
}

TEST(Limits, FailsAQueryOverItsGrantAndRunsTheNext) {
  RunnerProcess runner(kSpec, {.data_limit = kGiB});
  const pid_t pid = runner.pid();
  const auto outcome = runner.call("repeat", json::Object(), {{"memory", kGiB}});
  EXPECT_EQ(json::text_or(outcome, "code", ""), "out_of_memory") << runner.last_line;
  EXPECT_EQ(outcome.at("final"), false);
  EXPECT_NE(json::text_or(outcome, "message", "").find("ran out of the memory of this run's grant"),
            std::string::npos);
  EXPECT_EQ(json::text_or(runner.call("one"), "type", ""), "completed");
  EXPECT_EQ(json::text_or(runner.call("lists"), "type", ""), "completed") << runner.last_line;
  EXPECT_EQ(runner.pid(), pid);
}

TEST(Limits, FragmentedAddressSpaceDoesNotFailLaterRuns) {
  // Each fits its grant easily; without the renewal of the process the limit on mapped addresses is met after
  // a few.
  RunnerProcess runner(kSpec, {.data_limit = 640ULL << 20, .memory = 640ULL << 20});
  for (int i = 0; i < 4; ++i) {
    for (const char* function : {"quantiles", "lists"}) {
      const auto outcome = runner.call(function);
      ASSERT_EQ(json::text_or(outcome, "type", ""), "completed") << i << function << runner.last_line;
    }
  }
}

TEST(Limits, KeepsQueuedRunsOverARenewal) {
  RunnerProcess runner(kSpec, {.data_limit = kGiB});
  const auto first = runner.start("repeat");
  const auto second = runner.start("one");
  const auto third = runner.start("one");
  EXPECT_EQ(json::text_or(runner.outcome(), "run", ""), first);
  for (const auto& run : {second, third}) {
    const auto outcome = runner.outcome();
    EXPECT_EQ(json::text_or(outcome, "run", ""), run);
    EXPECT_EQ(json::text_or(outcome, "type", ""), "completed") << runner.last_line;
  }
}

TEST(Limits, ReturnsMemoryAfterEachRun) {
  RunnerProcess runner(kSpec);
  std::vector<std::int64_t> resident;
  for (int i = 0; i < 8; ++i) {
    const auto outcome = runner.call(i % 2 == 0 ? "quantiles" : "lists");
    ASSERT_EQ(json::text_or(outcome, "type", ""), "completed") << runner.last_line;
    EXPECT_GT(outcome.at("usage").at("peak_rss_bytes").to_number<std::int64_t>(), 0);
    EXPECT_GT(outcome.at("usage").at("cpu_us").to_number<std::int64_t>(), 0);
    runner.call("one");  // its outcome comes after the trim of the previous run
    resident.push_back(runner.status_kib("VmRSS"));
  }
  EXPECT_LT(resident.back(), resident[1] + 20 * 1024)
      << "RSS grows from job to job: " << resident[1] << " to " << resident.back() << " KiB";
}

TEST(Limits, FailsARunOverItsSpillLimitAndRunsTheNext) {
  RunnerProcess runner(R"~({"max_spill":10485760,"functions":{
    "spill":{"sql":"SELECT max(s) AS s FROM (SELECT row_number() OVER (ORDER BY hash(i)) AS s FROM range(8000000) t(i))"},
    "one":{"sql":"SELECT 1 AS a"}}})~",
                       {.memory = 100ULL << 20});
  for (int i = 0; i < 2; ++i) {
    const auto outcome = runner.call("spill");
    EXPECT_EQ(json::text_or(outcome, "code", ""), "spill_full") << runner.last_line;
    EXPECT_EQ(outcome.at("final"), true);
    EXPECT_NE(runner.last_line.find("10.0 MiB used"), std::string::npos) << runner.last_line;
    EXPECT_NE(runner.last_line.find("raise machine.spill"), std::string::npos) << runner.last_line;
    EXPECT_EQ(json::text_or(runner.call("one"), "type", ""), "completed");
  }
}

TEST(Limits, RemovesSpillAfterTheRun) {
  RunnerProcess runner(kSpec, {.memory = 64ULL << 20});
  const auto outcome = runner.call("spill");
  ASSERT_EQ(json::text_or(outcome, "type", ""), "completed") << runner.last_line;
  runner.call("one");
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(runner.tmp()))
    files += entry.is_regular_file() ? 1 : 0;
  EXPECT_EQ(files, 0U);
}

}  // namespace
}  // namespace gaur::test
