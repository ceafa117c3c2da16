// Findings of `gaur look`, as text and as JSON.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/look/report.hpp"
#include "base/json.hpp"

namespace gaur::app {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::int64_t kNow = 1'800'000'000'000;

LookFacts healthy() {
  LookFacts facts;
  facts.url = "redis://h:6379/0";
  facts.prefix = "ncs_resource::";
  facts.server.version = "7.0.15";
  facts.server.mode = "standalone";
  facts.server.role = "master";
  facts.server.maxmemory_policy = "noeviction";
  facts.server.append_only = true;
  facts.server.append_fsync = "everysec";
  facts.server.config_readable = true;
  QueueFacts queue;
  queue.look.queue = QueueName("query");
  queue.look.evidence.bull = {"key priority"};
  queue.look.now = from_ms(kNow);
  queue.look.stalled_check_runs = true;
  facts.queues.push_back(queue);
  return facts;
}

KeptJob kept(std::int64_t run_ms, bool failed = false) {
  KeptJob made;
  made.job.name = "__default__";
  made.job.data = R"({"func":"rank"})";
  made.job.state = failed ? State::kFailed : State::kCompleted;
  made.job.attempts_made = 1;
  made.job.timestamp = from_ms(kNow - 100'000);
  made.job.processed_on = from_ms(kNow - 99'000);
  made.job.finished_on = from_ms(kNow - 99'000 + run_ms);
  if (failed) made.job.failure = Failure{.message = "Missing lock for job 7 finished"};
  return made;
}

struct Case {
  std::string code;
  Finding::Weight weight;
  std::string what;
  std::function<void(LookFacts&)> change;
};

TEST(Findings, AHealthySystemHasNone) {
  EXPECT_THAT(findings_of(healthy(), ""), IsEmpty());
}

TEST(Findings, EachConditionIsReportedOnceWithItsFigures) {
  using W = Finding::Weight;
  const std::vector<Case> cases{
      {"old-redis", W::kProblem, "Redis 4.0.9", [](LookFacts& f) { f.server.version = "4.0.9"; }},
      {"old-redis", W::kNote, "Redis 5.0.7", [](LookFacts& f) { f.server.version = "5.0.7"; }},
      {"eviction", W::kWarning, "allkeys-lru, though maxmemory is not set",
       [](LookFacts& f) { f.server.maxmemory_policy = "allkeys-lru"; }},
      {"evicted", W::kProblem, "3 keys were evicted", [](LookFacts& f) { f.server.evicted_keys = 3; }},
      {"persistence", W::kProblem, "Redis writes nothing to disk",
       [](LookFacts& f) { f.server.append_only = false; }},
      {"persistence", W::kWarning, "snapshots only (save 900 1)",
       [](LookFacts& f) {
         f.server.append_only = false;
         f.server.save = "900 1";
       }},
      {"persistence", W::kNote, "CONFIG is not allowed",
       [](LookFacts& f) {
         f.server.append_only = false;
         f.server.config_readable = false;
       }},
      {"fsync", W::kWarning, "appendfsync is no", [](LookFacts& f) { f.server.append_fsync = "no"; }},
      {"memory", W::kWarning, "900 MB of 1",
       [](LookFacts& f) {
         f.server.maxmemory_bytes = 1'000'000'000;
         f.server.used_bytes = 900'000'000;
       }},
      {"replica", W::kProblem, "replica", [](LookFacts& f) { f.server.role = "slave"; }},
      {"cluster", W::kWarning, "{tag}", [](LookFacts& f) { f.server.mode = "cluster"; }},
      {"dialect", W::kProblem, "",
       [](LookFacts& f) {
         f.queues[0].look.evidence = {{}, {"stream events"}};
       }},
      {"dialect", W::kProblem, "",
       [](LookFacts& f) { f.queues[0].look.evidence.bullmq = {"stream events"}; }},
      {"paused", W::kNote, "paused", [](LookFacts& f) { f.queues[0].look.counts.paused = true; }},
      {"repeatable", W::kNote, "2 repeatable jobs", [](LookFacts& f) { f.queues[0].look.repeatable = 2; }},
      {"unreadable-schedules", W::kProblem, "schedule nm::::0 5 * * *: time zone \"Mars/Olympus\"",
       [](LookFacts& f) {
         f.queues[0].look.unreadable = {{"nm::::0 5 * * *", "time zone \"Mars/Olympus\" is not known here"}};
       }},
      {"plain-workers", W::kWarning, "getNextJob()",
       [](LookFacts& f) {
         f.queues[0].look.stalled_check_runs = false;
         f.queues[0].look.counts[State::kCompleted] = 5;
       }},
      {"orphans", W::kProblem,
       "2 active jobs without a lock: 0 under a minute, 1 under an hour, 0 under a day, 1 older; the oldest "
       "3 d",
       [](LookFacts& f) {
         f.queues[0].look.unlocked = {{JobId("1"), "__default__", from_ms(0), std::chrono::hours(72), 0},
                                      {JobId("2"), "__default__", from_ms(0), std::chrono::minutes(10), 0}};
       }},
      {"overdue", W::kProblem, "4 jobs are due up to 2 h ago",
       [](LookFacts& f) {
         f.queues[0].look.overdue_total = 4;
         f.queues[0].look.overdue = {{JobId("9"), from_ms(kNow - 7'200'000)}};
       }},
      {"waiting", W::kWarning, "12 wait; the next has waited for 10 min",
       [](LookFacts& f) {
         f.queues[0].look.counts[State::kWaiting] = 12;
         f.queues[0].look.oldest_waiting_since = from_ms(kNow - 600'000);
       }},
      {"long-runs", W::kWarning, "rank runs for up to 41 s",
       [](LookFacts& f) {
         f.queues[0].kept = {kept(41'000), kept(100)};
       }},
      {"failures", W::kWarning, "1 of 2 kept jobs failed, most often \"Missing lock",
       [](LookFacts& f) {
         f.queues[0].kept = {kept(10, true), kept(10)};
       }},
      {"large", W::kWarning, "results up to 3 MB",
       [](LookFacts& f) {
         f.queues[0].kept = {kept(10)};
         f.queues[0].kept[0].result_bytes = 3'000'000;
       }},
      {"kept", W::kNote, "50000 finished jobs are kept, about 100 MB",
       [](LookFacts& f) {
         f.queues[0].look.counts[State::kCompleted] = 50'000;
         f.queues[0].kept = {kept(10)};
         f.queues[0].kept[0].data_bytes = 2'000;
       }},
      {"partial", W::kNote, "reached its limit", [](LookFacts& f) { f.every_queue = false; }},
  };
  for (const Case& one : cases) {
    LookFacts facts = healthy();
    one.change(facts);
    const auto found = findings_of(facts, "");
    ASSERT_EQ(found.size(), 1U) << one.code << " " << one.what;
    EXPECT_EQ(found[0].code, one.code);
    EXPECT_EQ(found[0].weight, one.weight) << one.code;
    EXPECT_THAT(found[0].what, HasSubstr(one.what)) << one.code;
    EXPECT_FALSE(found[0].advice.empty()) << one.code;
  }
}

TEST(Findings, DelayedJobsWithoutASweeperAreReported) {
  LookFacts facts = healthy();
  facts.queues[0].look.stalled_check_runs = false;
  facts.queues[0].look.counts[State::kDelayed] = 7;
  EXPECT_THAT(findings_of(facts, ""),
              Contains(testing::Field(&Finding::what, "7 delayed jobs, and no connected worker wakes them")));
  facts.queues[0].look.workers.push_back({"127.0.0.1:5", "brpoplpush", 1, 1});
  EXPECT_THAT(findings_of(facts, ""), IsEmpty());
}

TEST(Findings, ProblemsComeFirst) {
  LookFacts facts = healthy();
  facts.queues[0].look.counts.paused = true;
  facts.server.role = "slave";
  const auto found = findings_of(facts, "");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].code, "replica");
}

TEST(LookText, ShowsServerQueuesFunctionsAndFindings) {
  LookFacts facts = healthy();
  facts.queues[0].look.counts[State::kWaiting] = 3;
  facts.queues[0].kept = {kept(1500), kept(500)};
  facts.queues[0].look.unlocked = {{JobId("41"), "__default__", from_ms(0), std::chrono::hours(5), 0}};
  const auto findings = findings_of(facts, "");
  const std::string text = look_text({facts, findings, ""});
  for (const char* part :
       {"redis 7.0.15", "append-only file (everysec)", "noeviction", "query", "rank", "500 ms / 1.5 s",
        "active without a lock: 41", "started 5 h ago", "problem  query: 1 active job without a lock"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_THAT(text, Not(HasSubstr(" \n"))) << "no trailing blanks";
}

TEST(LookText, ReportsThatThereAreNoQueues) {
  LookFacts facts = healthy();
  facts.queues.clear();
  EXPECT_THAT(look_text({facts, {}, ""}), HasSubstr("no queue under the prefix \"ncs_resource::\""));
  EXPECT_THAT(look_text({facts, {}, ""}), HasSubstr("no findings"));
}

TEST(LookJson, ContainsTheSameFigures) {
  LookFacts facts = healthy();
  facts.queues[0].look.counts[State::kWaiting] = 3;
  facts.queues[0].look.overdue_total = 2;
  facts.queues[0].kept = {kept(1500), kept(500, true)};
  const auto findings = findings_of(facts, "");
  const auto parsed = json::parse(look_json({facts, findings, ""}));
  ASSERT_TRUE(parsed);
  const json::Value& queue = parsed->at("queues").at(0);
  EXPECT_EQ(queue.at("waiting"), 3);
  EXPECT_EQ(queue.at("dialect"), "bull");
  EXPECT_EQ(queue.at("functions").at(0).at("run_ms").at("p95").to_number<double>(), 1500);
  EXPECT_EQ(queue.at("functions").at(0).at("failures").at(0).at("message"),
            "Missing lock for job 7 finished");
  EXPECT_EQ(queue.at("oldest_waiting_ms"), nullptr);
  EXPECT_EQ(parsed->at("server").at("append_only"), true);
  EXPECT_EQ(parsed->at("findings").at(0).at("code"), "overdue");
}

TEST(Age, IsFormattedForPeople) {
  struct Row {
    Duration age;
    std::string text;
  };
  for (const Row& row :
       {Row{Duration(-5), "0 s"}, Row{Duration(8'400), "8 s"}, Row{std::chrono::minutes(5), "5 min"},
        Row{std::chrono::hours(30), "30 h"}, Row{std::chrono::hours(72), "3 d"}}) {
    EXPECT_EQ(human_age(row.age), row.text);
  }
}

}  // namespace
}  // namespace gaur::app
