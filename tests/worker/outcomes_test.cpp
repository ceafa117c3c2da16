// The outcome of a run: each row of the table in docs/reference/runner-protocol.md.
#include "worker/outcomes.hpp"

#include <gtest/gtest.h>

#include "base/manual_env.hpp"

namespace gaur::worker {
namespace {

using std::chrono::seconds;

struct Row {
  const char* what;
  RunEnd end;
  /// The job's own.
  std::uint32_t attempts = 0;
  std::uint32_t attempts_made = 0;
  FunctionPolicy policy{};
  const char* outcome = "";
  const char* code = "";
  const char* message = "";
};

FunctionPolicy three_attempts() {
  FunctionPolicy policy;
  policy.attempts = 3;
  return policy;
}
FunctionPolicy fragile() {
  FunctionPolicy policy;
  policy.rerun_on_crash = false;
  return policy;
}
FunctionPolicy configured() {
  FunctionPolicy policy;
  policy.configured_in = "functions.rank";
  return policy;
}
const run::Failed kFailed{{.code = "sql", .message = "no such table"}, false};
const run::Failed kFinal{{.code = "sql", .message = "no such table"}, true};
const run::Failed kPlainFinal{{.message = "never"}, true};
const run::OutOfMemory kMemory{1'000'000'000, 1'240'000'000};

FunctionPolicy keeps(std::size_t bytes) {
  FunctionPolicy policy;
  policy.result_bytes = bytes;
  return policy;
}

// clang-format off
const std::vector<Row> kRows = {
    // what, end, the job's attempts, made before, policy -> outcome, code, message
    {"completed", run::Completed{"7"}, 0, 0, {}, "completed", "", ""},
    {"failed, the only attempt", kFailed, 0, 0, {}, "failed", "sql", "no such table"},
    {"failed, attempts left", kFailed, 3, 1, {}, "retried", "sql", "no such table"},
    {"failed, the last attempt", kFailed, 3, 2, {}, "failed", "sql", "no such table"},
    {"failed, attempts by the function", kFailed, 0, 0, three_attempts(), "retried", "sql", "no such table"},
    {"failed, the job's attempts take precedence", kFailed, 1, 0, three_attempts(), "failed", "sql", "no such table"},
    {"final, with a code of its own", kFinal, 3, 0, {}, "failed", "sql", "no such table"},
    {"final, without a code", kPlainFinal, 3, 0, {}, "failed", "unrecoverable", "never"},
    {"snoozed", run::Snooze{seconds(5), "not yet"}, 0, 0, {}, "snoozed", "", "not yet"},
    {"timed out, attempts left", run::TimedOut{seconds(60)}, 2, 0, {}, "retried", "timeout", "the run was stopped after its timeout of 60 s"},
    {"timed out", run::TimedOut{seconds(60)}, 0, 0, {}, "failed", "timeout", "the run was stopped after its timeout of 60 s"},
    {"out of memory", kMemory, 0, 0, {}, "failed", "memory", "the run was stopped at its memory limit of 1.0 GB: it reached 1.2 GB"},
    {"out of memory, attempts left", kMemory, 2, 0, {}, "retried", "memory", "the run was stopped at its memory limit of 1.0 GB: it reached 1.2 GB"},
    {"out of memory, of a function in gaur.toml", kMemory, 0, 0, configured(), "failed", "memory",
     "the run was stopped at its memory limit of 1.0 GB: it reached 1.2 GB; raise functions.rank.needs.memory, or reduce its use"},
    {"timed out, of a function in gaur.toml", run::TimedOut{seconds(60)}, 0, 0, configured(), "failed", "timeout",
     "the run was stopped after its timeout of 60 s; raise functions.rank.timeout if it may run longer"},
    {"crashed", run::Crashed{11, 0, "the runner died of SIGSEGV"}, 3, 0, {}, "stalled", "crashed", "the runner died of SIGSEGV"},
    {"crashed, without a message", run::Crashed{0, 3, ""}, 0, 0, {}, "stalled", "crashed", "the runner exited with code 3"},
    {"crashed, must not run again", run::Crashed{9, 0, ""}, 3, 0, fragile(), "failed", "crashed", "the runner died of signal 9"},
    {"interrupted", run::Interrupted{"recycled"}, 3, 0, {}, "requeued", "", "recycled"},
    {"cancelled", run::Cancelled{"ann", "wrong day"}, 3, 0, {}, "cancelled", "cancelled", "cancelled by ann: wrong day"},
    {"cancelled without a name", run::Cancelled{}, 0, 0, {}, "cancelled", "cancelled", "cancelled"},
    {"a result over the limit", run::Completed{std::string((1 << 20) + 1, '1')}, 0, 0, {}, "failed", "too_large",
     "the result has 1048577 bytes, at most 1048576 are kept (max_result). Return less, write a result file, or raise max_result of the function or its pool"},
    {"a result within the function's own limit", run::Completed{std::string((1 << 20) + 1, '1')}, 0, 0, keeps(2 << 20), "completed", "", ""},
    {"a result over the function's own limit", run::Completed{R"({"a":1,"rows":")" + std::string(200, 'x') + "\"}"}, 0, 0, keeps(100), "failed", "too_large",
     "the result has 217 bytes, at most 100 are kept (max_result); its member \"rows\" alone has 202. Return less, write a result file, or raise max_result of the function or its pool"},
};
// clang-format on

const Failure* failure_of(const Outcome& outcome) {
  if (const auto* failed = std::get_if<outcome::Failed>(&outcome)) return &failed->failure;
  if (const auto* retry = std::get_if<outcome::RetryAfter>(&outcome)) return &retry->failure;
  if (const auto* stalled = std::get_if<outcome::Stalled>(&outcome)) return &stalled->failure;
  return nullptr;
}

TEST(Outcomes, FollowTheTable) {
  SeededRandom random(1);
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.what);
    Job job;
    job.options.attempts = row.attempts;
    job.attempts_made = row.attempts_made;
    const Decision decision = decide(row.end, job, row.policy, {}, random);
    EXPECT_EQ(decision.outcome_name, row.outcome);
    EXPECT_EQ(decision.code, row.code);
    EXPECT_EQ(decision.message, row.message);
    const std::map<std::string, std::size_t> kinds{{"completed", 0}, {"failed", 1},   {"retried", 2},
                                                   {"snoozed", 2},   {"requeued", 4}, {"stalled", 5},
                                                   {"cancelled", 1}};
    EXPECT_EQ(decision.outcome.index(), kinds.at(row.outcome));
    if (const Failure* failure = failure_of(decision.outcome); failure != nullptr && *row.code != '\0') {
      EXPECT_EQ(failure->code, row.code);
      EXPECT_EQ(failure->message, row.message);
    }
    if (const auto* retry = std::get_if<outcome::RetryAfter>(&decision.outcome)) {
      EXPECT_EQ(retry->counted, decision.outcome_name == "retried");
    }
  }
}

TEST(Outcomes, SetsExhaustedWhenNoAttemptIsLeft) {
  SeededRandom random(1);
  const auto exhausted = [&](RunEnd end) {
    return std::get<outcome::Failed>(decide(std::move(end), {}, {}, {}, random).outcome).exhausted;
  };
  EXPECT_TRUE(exhausted(run::Failed{{.message = "x"}, false}));
  EXPECT_TRUE(exhausted(run::TimedOut{seconds(1)}));
  EXPECT_FALSE(exhausted(run::Failed{{.message = "x"}, true}));
  EXPECT_FALSE(exhausted(run::Cancelled{}));
}

TEST(Outcomes, TakesBackoffOfJobBeforeFunction) {
  SeededRandom random(1);
  const Backoff own{.kind = Backoff::Kind::kExponential, .delay = seconds(2)};
  FunctionPolicy policy;
  policy.attempts = 5;
  policy.backoff = Backoff{.kind = Backoff::Kind::kFixed, .delay = seconds(9)};
  const auto delay = [&](const Job& job) {
    return std::get<outcome::RetryAfter>(
               decide(run::Failed{{.message = "x"}, false}, job, policy, {}, random).outcome)
        .delay;
  };
  Job job;
  EXPECT_EQ(delay(job), seconds(9));
  job.options.attempts = 4;  // its own attempts: no delay
  EXPECT_EQ(delay(job), seconds(0));
  job.options.backoff = own;
  job.attempts_made = 2;  // third attempt failed: 2 s * 2^2
  EXPECT_EQ(delay(job), seconds(8));
}

TEST(Outcomes, UsesBullsTimeoutMessage) {
  SeededRandom random(1);
  WorkerOptions bull;
  bull.semantics = Semantics::bull();
  EXPECT_EQ(decide(run::TimedOut{seconds(2)}, {}, {}, bull, random).message,
            "Promise timed out after 2000 milliseconds");
}

TEST(Outcomes, ContainsMemoryLimitAndPeakInDetails) {
  SeededRandom random(1);
  const Decision decision = decide(run::OutOfMemory{100, 150}, {}, {}, {}, random);
  EXPECT_EQ(failure_of(decision.outcome)->details, R"({"bound_bytes":100,"peak_bytes":150})");
}

TEST(Outcomes, KeepsOutputOfCrashedRunner) {
  SeededRandom random(1);
  const run::Crashed end{11, 0, "its runner died of SIGSEGV: out of luck", "first\nout of luck", 100, 50};
  const Failure failure = *failure_of(decide(end, {}, {}, {}, random).outcome);
  EXPECT_EQ(failure.stack, "first\nout of luck");
  EXPECT_EQ(failure.details, R"({"signal":11,"exit_code":0,"bound_bytes":100,"peak_bytes":50})");
}

TEST(Outcomes, NamesTimeoutThatTheJobSet) {
  SeededRandom random(1);
  Job job;
  job.options.timeout = seconds(2);
  EXPECT_EQ(decide(run::TimedOut{seconds(2)}, job, configured(), {}, random).message,
            "the run was stopped after its timeout of 2 s, set by the job");
}

TEST(Outcomes, TakesRetentionOfJobBeforeFunction) {
  SeededRandom random(1);
  FunctionPolicy policy;
  policy.keep_completed = {.count = 10, .age = {}};
  policy.keep_failed = {.count = 20, .age = {}};
  Job job;
  EXPECT_EQ(decide(run::Completed{}, job, policy, {}, random).keep.count, 10U);
  EXPECT_EQ(decide(run::Cancelled{}, job, policy, {}, random).keep.count, 20U);
  EXPECT_EQ(decide(run::Crashed{}, job, policy, {}, random).keep.count, 20U);
  job.options.on_complete = Retention{.count = 1, .age = {}};
  job.options.on_fail = Retention{.count = 2, .age = {}};
  EXPECT_EQ(decide(run::Completed{}, job, policy, {}, random).keep.count, 1U);
  EXPECT_EQ(decide(run::Cancelled{}, job, policy, {}, random).keep.count, 2U);
}

TEST(Outcomes, KeepsTheResultFile) {
  SeededRandom random(1);
  const ResultFileInfo file{.url = "/v1/queues/q/jobs/1/result", .format = "csv", .bytes = 1};
  const Outcome outcome = decide(run::Completed{"{}", file}, {}, {}, {}, random).outcome;
  EXPECT_EQ(std::get<outcome::Completed>(outcome).file, file);
}

TEST(Outcomes, TruncatesFailuresBetweenCharacters) {
  SeededRandom random(1);
  WorkerOptions options;
  options.job_limits.failure_bytes = 10;
  const run::Failed end{{.message = "가나다라마", .stack = "at line 1", .details = "{\"position\":12}"},
                        true};  // 15 bytes
  const Decision decision = decide(end, {}, {}, options, random);
  EXPECT_EQ(failure_of(decision.outcome)->message, "가나다");
  EXPECT_EQ(failure_of(decision.outcome)->stack, "a");
  EXPECT_EQ(failure_of(decision.outcome)->details, "");
}

TEST(QueueTimeout, StartsWhenTheJobIsReady) {
  FunctionPolicy policy;
  policy.queue_timeout = seconds(10);
  Job job;
  job.timestamp = from_ms(1'000'000);
  job.options.delay = seconds(30);
  job.attempts_started = 1;
  EXPECT_FALSE(waited_too_long(job, policy, from_ms(1'040'000)));
  EXPECT_TRUE(waited_too_long(job, policy, from_ms(1'040'001)));
  EXPECT_EQ(waited(job, from_ms(1'040'001)), Duration(10'001));
  EXPECT_EQ(waited(job, from_ms(1'000'500)), Duration(0)) << "promoted before it was due";
  job.options.queue_timeout = seconds(20);
  EXPECT_TRUE(waited_too_long(job, policy, from_ms(1'045'000))) << "the job can lower it, not raise it";
  job.options.queue_timeout = seconds(5);
  EXPECT_TRUE(waited_too_long(job, policy, from_ms(1'035'001)));
  job.attempts_started = 2;
  EXPECT_FALSE(waited_too_long(job, policy, from_ms(9'000'000)))
      << "only the first start has a queue_timeout";
}

TEST(Outcomes, FailsJobWithInvalidDataFinally) {
  Job job;
  EXPECT_FALSE(without_data(job));
  job.options.attempts = 3;
  job.data_invalid = "not JSON: syntax error at byte 1";
  auto end = without_data(job);
  ASSERT_TRUE(end);
  SeededRandom random(1);
  const Decision decision = decide(*std::move(end), job, {}, {}, random);
  EXPECT_EQ(decision.outcome_name, "failed");
  EXPECT_EQ(decision.code, "invalid_data");
  EXPECT_EQ(decision.message, "the job's data cannot be read: not JSON: syntax error at byte 1");
}

}  // namespace
}  // namespace gaur::worker
