// What the suite cannot ask of every store: the sweep's sightings, grace and orphans, an earlier life's jobs,
// ids without a job, generated ids that are taken, what is published, and that a repeat in parts adds
// nothing.
#include <gmock/gmock.h>

#include <set>

#include "bull_rig.hpp"
#include "conformance/case_context.hpp"

namespace gaur::conformance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct Turns : testing::Test {
  void open(bull::BullOptions options = {.sightings = 1}) {
    rig = std::make_unique<BullRig>(options);
    bench = std::make_unique<CaseContext>(*rig, Semantics::bull());
  }
  std::string key(const std::string& name) const { return rig->prefix() + ":query:" + name; }
  redis::Reply call(redis::Command command) { return rig->call(std::move(command)); }
  std::string text(redis::Command command) {
    const auto reply = call(std::move(command));
    if (const auto* number = reply.integer()) return std::to_string(*number);
    return reply.text() == nullptr ? "" : *reply.text();
  }
  Recovered sweep(RecoverRequest request = {}) {
    request.queue = bench->queue;
    return bench->must(bench->store().recover(request));
  }
  void lose_lock(const JobId& id) { (void)call({"DEL", key(id.value + ":lock")}); }

  std::unique_ptr<BullRig> rig;
  std::unique_ptr<CaseContext> bench;
};

TEST_F(Turns, AJobWithoutALockIsSeenThreeTimesOverFiveSecondsBeforeItIsRecovered) {
  open({.sightings = 3, .sighting_span = Duration(5'000)});
  const JobId id = bench->add();
  (void)bench->take_one();
  lose_lock(id);
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(sweep().requeued, IsEmpty()) << "after " << i << " s";
    rig->advance(Duration(1'000));
  }
  EXPECT_THAT(sweep().requeued, ElementsAre(id));
  EXPECT_EQ(text({"HGET", key(id.value), "stalledCounter"}), "1");
}

TEST_F(Turns, ALockThatComesBetweenTwoSightingsSavesItsJob) {
  open({.sightings = 2, .sighting_span = Duration(1'000)});
  const JobId id = bench->add();
  (void)bench->take_one();
  lose_lock(id);
  EXPECT_THAT(sweep().requeued, IsEmpty());
  (void)call({"SET", key(id.value + ":lock"), "a-peer"});
  rig->advance(Duration(0));
  EXPECT_THAT(sweep().requeued, IsEmpty());
  lose_lock(id);
  EXPECT_THAT(sweep().requeued, IsEmpty()) << "it is seen for the first time again";
}

TEST_F(Turns, TheSweepLeavesWhatItIsToldToLeave) {
  open();
  const auto added = bench->add_all({{.name = "a"}, {.name = "b"}});
  for (int i = 0; i < 2; ++i) (void)call({"RPOPLPUSH", key("wait"), key("active")});
  (void)call({"HSET", key(added[0].id.value), "processedOn", "1000"});
  const auto told = sweep({.act = false}).unlocked;
  ASSERT_THAT(told, SizeIs(2));
  EXPECT_EQ(told[0].why, UnlockedJob::Why::kReportOnly);
  const auto orphans = sweep({.act = false, .orphans_before = from_ms(2000)}).unlocked;
  ASSERT_THAT(orphans, SizeIs(2));
  EXPECT_EQ(orphans[1].id, added[0].id);
  EXPECT_EQ(orphans[1].why, UnlockedJob::Why::kOrphan);
  const auto young = sweep({.grace = Duration(60'000), .orphans_before = from_ms(2000)});
  EXPECT_THAT(young.requeued, IsEmpty());
  ASSERT_THAT(young.unlocked, SizeIs(2));
  EXPECT_EQ(young.unlocked[0].why, UnlockedJob::Why::kGrace);
  rig->advance(Duration(60'000));
  const auto later = sweep({.grace = Duration(60'000), .orphans_before = from_ms(2000)});
  EXPECT_THAT(later.requeued, ElementsAre(added[1].id));
  EXPECT_THAT(later.unlocked, SizeIs(1)) << "the orphan";
}

TEST_F(Turns, WhatThisHostTookHasNoGrace) {
  open();
  const JobId id = bench->add();
  (void)bench->take_one();
  EXPECT_THAT(sweep({.grace = Duration(60'000)}).requeued, IsEmpty());
  lose_lock(id);
  EXPECT_THAT(sweep({.grace = Duration(60'000)}).requeued, ElementsAre(id));
}

TEST_F(Turns, AnEarlierLifesJobsGoBackInTheirOrderAndUncounted) {
  open();
  const auto added = bench->add_all({{.name = "a"}, {.name = "b"}, {.name = "c"}});
  (void)bench->take(2);
  const std::string second = bench->worker + "~2";  // its other lane
  (void)call({"SET", key(added[1].id.value + ":lock"), second + ":9:0"});
  const std::string other = bench->worker + "x";  // a lane that begins alike
  (void)call({"RPOPLPUSH", key("wait"), key("active")});
  (void)call({"SET", key(added[2].id.value + ":lock"), other + ":1:0"});
  const auto back = bench->must(bench->store().reclaim({bench->queue, SessionName(bench->worker)}));
  EXPECT_THAT(back, testing::UnorderedElementsAre(added[0].id, added[1].id));
  EXPECT_THAT(bench->ids(State::kWaiting), ElementsAre(added[0].id, added[1].id));
  EXPECT_EQ(bench->job(added[0].id).stalled, 0U);
  EXPECT_EQ(bench->job(added[0].id).attempts_started, 1U);
  EXPECT_EQ(bench->state(added[2].id), State::kActive);
}

TEST_F(Turns, AnIdWithoutAJobIsDroppedAndNoGhostIsMade) {
  open();
  (void)call({"LPUSH", key("wait"), "ghost"});
  const JobId id = bench->add();
  EXPECT_THAT(bench->take_ids(1), ElementsAre(id));
  EXPECT_EQ(text({"EXISTS", key("ghost")}), "0");
  EXPECT_EQ(text({"LLEN", key("wait")}), "0");
  EXPECT_EQ(text({"LLEN", key("active")}), "1");
}

TEST_F(Turns, AGeneratedIdThatIsTakenIsPassedOver) {
  open();
  (void)call({"HSET", key("1"), "name", "somebody's"});
  const auto added = bench->add_all({{.name = "a"}, {.name = "b"}});
  EXPECT_EQ(text({"HGET", key("1"), "name"}), "somebody's");
  EXPECT_NE(added[0].id, JobId("1"));
  EXPECT_NE(added[0].id, added[1].id);
  EXPECT_THAT(bench->take_ids(5), ElementsAre(added[0].id, added[1].id));
}

TEST_F(Turns, IdsThatAreNamesOfKeysAreRefused) {
  open();
  for (const char* id : {"wait", "meta", "id", "completed", "priority"}) {
    const auto added =
        bench->now(bench->store().add(bench->request({{.name = "a", .options = {.id = JobId(id)}}})));
    ASSERT_FALSE(added) << id;
    EXPECT_EQ(added.error().code, Errc::kInvalidArgument);
  }
}

TEST_F(Turns, ARequestOfManyPartsSentAgainAddsNothing) {
  open();
  AddRequest request = bench->request(std::vector<NewJob>(200, NewJob{.name = "n"}));
  request.op = {SessionName("producer"), 1};
  const auto first = bench->must(bench->store().add(request));
  EXPECT_EQ(bench->must(bench->store().add(request)), first);
  EXPECT_EQ(bench->counts()[State::kWaiting], 200U);
  EXPECT_EQ(text({"GET", key("id")}), "200");
}

TEST_F(Turns, DebouncedAddsAnswerTheHolderUntilItEnds) {
  open();
  const NewJob job{.name = "a", .options = {.deduplication = Deduplication{.id = "d"}}};
  const auto first = bench->add_all({job});
  const auto again = bench->add_all({job});
  EXPECT_TRUE(again[0].duplicate);
  EXPECT_EQ(again[0].id, first[0].id);
  EXPECT_TRUE(bench->finish(bench->take_one(), outcome::Completed{}));
  EXPECT_EQ(text({"EXISTS", key("de:d")}), "0");
  EXPECT_FALSE(bench->add_all({job})[0].duplicate);
}

TEST_F(Turns, ACompletedRunEndsAlikeForTheLifeThatTookItAndForALaterOne) {
  for (const bool later_life : {false, true}) {
    SCOPED_TRACE(later_life);
    open();
    const JobId id = bench->add("a", {.attempts = 3, .deduplication = Deduplication{.id = "d"}});
    ASSERT_TRUE(bench->finish(bench->take_one(), outcome::RetryAfter{.failure = {.message = "once"}}));
    const Taken stalled = bench->take_one();
    ASSERT_TRUE(bench->finish(stalled, outcome::Stalled{.max_stalled = 1}));
    const Taken taken = bench->take_one();
    const auto another = bull::make_bull_store(rig->client(), {rig->clock(), rig->random(), rig->loop()},
                                               {.prefix = rig->prefix()});
    TakeRequest turn = bench->turn(0);
    turn.finished = {{.id = id, .token = taken.token, .outcome = outcome::Completed{.result = "1"}}};
    Store& store = later_life ? *another : bench->store();
    const auto finished = bench->must(store.finish_and_take(turn)).finished;
    ASSERT_THAT(finished, SizeIs(1));
    ASSERT_TRUE(finished[0]) << finished[0].error().message;
    EXPECT_EQ(*finished[0], (FinishResult{.state = State::kCompleted, .attempts_made = 2, .stalled = 1}));
    EXPECT_EQ(text({"EXISTS", key("de:d"), key(id.value + ":lock")}), "0");
  }
}

TEST_F(Turns, AJobThatIsGoneIsNotMadeAgainByItsEnd) {
  open();
  const auto added = bench->add_all({{.name = "a"}, {.name = "b"}});
  const auto taken = bench->take(2);
  (void)call({"DEL", key(taken[0].job.id.value)});  // its lock and its place in `active` are left
  EXPECT_EQ(bench->finish(taken[0], outcome::Completed{}).error().code, Errc::kNotFound);
  EXPECT_TRUE(bench->finish(taken[1], outcome::Completed{}));
  EXPECT_EQ(text({"EXISTS", key(taken[0].job.id.value)}), "0");
}

TEST_F(Turns, RunsThatEndTogetherLeaveActiveInAnyOrderAndOnlyThoseThatMay) {
  const std::vector<std::vector<std::size_t>> orders{
      {0, 1, 2, 3, 4}, {4, 3, 2, 1, 0}, {1, 2, 3, 4, 5}, {0, 1, 2, 3, 3}};
  for (const auto& order : orders) {
    for (const bool one_is_late : {false, true}) {
      SCOPED_TRACE(testing::PrintToString(order) + (one_is_late ? " with a late one" : ""));
      open();
      (void)bench->add_all(std::vector<NewJob>(6, NewJob{.name = "a"}));
      const auto taken = bench->take(6);
      TakeRequest turn = bench->turn(0);
      for (const std::size_t i : order)
        turn.finished.push_back(
            {.id = taken[i].job.id, .token = taken[i].token, .outcome = outcome::Completed{}});
      if (one_is_late) turn.finished[1].token = LockToken("another:1:0");
      std::set<JobId> ended;
      const auto finished = bench->must(bench->store().finish_and_take(turn)).finished;
      for (std::size_t i = 0; i < finished.size(); ++i) {
        const bool may = !(one_is_late && i == 1) && ended.count(turn.finished[i].id) == 0;
        EXPECT_EQ(finished[i].has_value(), may) << i;
        if (may) ended.insert(turn.finished[i].id);
      }
      EXPECT_EQ(text({"LLEN", key("active")}), std::to_string(6 - ended.size()));
      EXPECT_EQ(text({"ZCARD", key("completed")}), std::to_string(ended.size()));
      for (const Taken& each : taken) {
        const bool held = ended.count(each.job.id) == 0;
        EXPECT_EQ(text({"EXISTS", key(each.job.id.value + ":lock")}), held ? "1" : "0");
        EXPECT_EQ(bench->state(each.job.id), held ? State::kActive : State::kCompleted);
      }
    }
  }
}

TEST_F(Turns, ThePrioritiesOfTheProtocolTextStandAsInBull) {
  open();
  const auto add = [&](const char* id, std::uint32_t priority, bool lifo = false) {
    (void)bench->add("n", {.id = JobId(id), .priority = priority, .lifo = lifo});
  };
  add("p5", 5);
  add("n1", 0);
  add("p1", 1);
  add("p5b", 5);
  add("p3", 3);
  add("L", 0, true);
  add("p4", 4);
  add("n2", 0);
  add("p9", 9);
  std::string line;
  const redis::Reply ids = call({"LRANGE", key("wait"), "0", "-1"});
  for (const auto& id : *ids.array()) line += *id.text() + " ";
  EXPECT_EQ(line, "n2 n1 p5b p9 p5 p3 p4 p1 L ");
}

TEST_F(Turns, AFailedAttemptIsSavedOnlyByTheOwner) {
  open();
  const JobId id = bench->add("a", {.attempts = 3});
  const Taken taken = bench->take_one();
  const outcome::RetryAfter again{.failure = {.message = "late", .stack = "at line 1"}};
  EXPECT_FALSE(bench->finish(id, LockToken("another:1:0"), again));
  EXPECT_EQ(text({"HEXISTS", key(id.value), "attemptsMade"}), "0");
  EXPECT_EQ(text({"HEXISTS", key(id.value), "failedReason"}), "0");
  EXPECT_TRUE(bench->finish(taken, again));
  EXPECT_EQ(text({"HGET", key(id.value), "stacktrace"}), R"(["at line 1"])");
  EXPECT_EQ(text({"EXISTS", key(id.value + ":lock")}), "0");
}

TEST_F(Turns, RetentionRemovesTheLogsToo) {
  open();
  const JobId old = bench->finished(outcome::Completed{});
  (void)call({"RPUSH", key(old.value + ":logs"), "line"});
  rig->advance(Duration(5));
  (void)bench->finished(outcome::Completed{}, {.count = 1});
  EXPECT_EQ(text({"EXISTS", key(old.value), key(old.value + ":logs")}), "0");
  EXPECT_EQ(text({"ZCARD", key("completed")}), "1");
}

TEST_F(Turns, TheServersClockDecidesWhereNoneIsGiven) {
  open();
  auto store = bull::make_bull_store(rig->client(), {rig->clock(), rig->random(), rig->loop()},
                                     {.prefix = rig->prefix()});
  const auto added = bench->must(
      store->add({.queue = bench->queue, .jobs = {{.name = "d", .options = {.delay = Duration(60'000)}}}}));
  ASSERT_THAT(added, SizeIs(1));
  rig->advance(Duration(61'000));  // this host's clock; the server's stands where it stood
  const QueueHint next = bench->must(store->wake_delayed(bench->queue));
  EXPECT_TRUE(next.due);
  EXPECT_EQ(bench->counts()[State::kDelayed], 1U);
}

TEST_F(Turns, AHugeFieldIsDecodedOnceAndRemembered) {
  open();
  const std::string big = R"({"func":"big","pad":")" + std::string(60'000, 'x') + R"("})";
  for (int i = 0; i < 4; ++i) (void)bench->add("__default__", {}, big);
  const JobId last = bench->add("__default__", {}, R"({"func":"small"})");
  AdmissionFilter admit{.free = {.cores = 4, .memory_bytes = 100}};
  admit.needs[FunctionName("small")] = {.cores = 1, .memory_bytes = 1};
  admit.function_field = "func";
  std::vector<JobId> taken;
  for (int turns = 0; turns < 8 && taken.empty(); ++turns) {
    TakeRequest turn = bench->turn(1);
    turn.filter = admit;
    for (const Taken& one : bench->play(turn).taken) taken.push_back(one.job.id);
  }
  EXPECT_THAT(taken, ElementsAre(last)) << "each turn decodes 64 KiB more, until the small one is seen";
}

}  // namespace
}  // namespace gaur::conformance
