// What the conformance suite does not cover: sightings, grace and orphans of recovery, jobs of a previous
// process, ids without a job, used generated ids, published messages, and repeats of large requests.
#include <gmock/gmock.h>

#include <set>

#include "bull_fixture.hpp"
#include "conformance/case_context.hpp"

namespace gaur::conformance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct FinishAndTakeTest : testing::Test {
  void open(bull::BullOptions options = {.sightings = 1}) {
    fixture = std::make_unique<BullFixture>(options);
    context = std::make_unique<CaseContext>(*fixture, Semantics::bull());
  }
  std::string key(const std::string& name) const { return fixture->prefix() + ":query:" + name; }
  redis::Reply call(redis::Command command) { return fixture->call(std::move(command)); }
  std::string text(redis::Command command) {
    const auto reply = call(std::move(command));
    if (const auto* number = reply.integer()) return std::to_string(*number);
    return reply.text() == nullptr ? "" : *reply.text();
  }
  Recovered recover(RecoverRequest request = {}) {
    request.queue = context->queue;
    return context->must(context->store().recover(request));
  }
  void lose_lock(const JobId& id) { (void)call({"DEL", key(id.value + ":lock")}); }

  std::unique_ptr<BullFixture> fixture;
  std::unique_ptr<CaseContext> context;
};

TEST_F(FinishAndTakeTest, RecoversAnUnlockedJobAfterThreeSightingsInFiveSeconds) {
  open({.sightings = 3, .sighting_span = Duration(5'000)});
  const JobId id = context->add();
  (void)context->take_one();
  lose_lock(id);
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(recover().requeued, IsEmpty()) << "after " << i << " s";
    fixture->advance(Duration(1'000));
  }
  EXPECT_THAT(recover().requeued, ElementsAre(id));
  EXPECT_EQ(text({"HGET", key(id.value), "stalledCounter"}), "1");
}

TEST_F(FinishAndTakeTest, DoesNotRecoverAJobThatIsLockedBetweenSightings) {
  open({.sightings = 2, .sighting_span = Duration(1'000)});
  const JobId id = context->add();
  (void)context->take_one();
  lose_lock(id);
  EXPECT_THAT(recover().requeued, IsEmpty());
  (void)call({"SET", key(id.value + ":lock"), "a-peer"});
  fixture->advance(Duration(0));
  EXPECT_THAT(recover().requeued, IsEmpty());
  lose_lock(id);
  EXPECT_THAT(recover().requeued, IsEmpty()) << "it is seen for the first time again";
}

TEST_F(FinishAndTakeTest, ReportsUnlockedJobsThatItDoesNotRecover) {
  open();
  const auto added = context->add_all({{.name = "a"}, {.name = "b"}});
  for (int i = 0; i < 2; ++i) (void)call({"RPOPLPUSH", key("wait"), key("active")});
  (void)call({"HSET", key(added[0].id.value), "processedOn", "1000"});
  const auto unlocked = recover({.act = false}).unlocked;
  ASSERT_THAT(unlocked, SizeIs(2));
  EXPECT_EQ(unlocked[0].why, UnlockedJob::Why::kReportOnly);
  const auto orphans = recover({.act = false, .orphans_before = from_ms(2000)}).unlocked;
  ASSERT_THAT(orphans, SizeIs(2));
  EXPECT_EQ(orphans[1].id, added[0].id);
  EXPECT_EQ(orphans[1].why, UnlockedJob::Why::kOrphan);
  const auto young = recover({.grace = Duration(60'000), .orphans_before = from_ms(2000)});
  EXPECT_THAT(young.requeued, IsEmpty());
  ASSERT_THAT(young.unlocked, SizeIs(2));
  EXPECT_EQ(young.unlocked[0].why, UnlockedJob::Why::kGrace);
  fixture->advance(Duration(60'000));
  const auto later = recover({.grace = Duration(60'000), .orphans_before = from_ms(2000)});
  EXPECT_THAT(later.requeued, ElementsAre(added[1].id));
  EXPECT_THAT(later.unlocked, SizeIs(1)) << "the orphan";
}

TEST_F(FinishAndTakeTest, GivesNoGraceToJobsOfThisHost) {
  open();
  const JobId id = context->add();
  (void)context->take_one();
  EXPECT_THAT(recover({.grace = Duration(60'000)}).requeued, IsEmpty());
  lose_lock(id);
  EXPECT_THAT(recover({.grace = Duration(60'000)}).requeued, ElementsAre(id));
}

TEST_F(FinishAndTakeTest, RequeuesJobsOfThePreviousProcessInOrderAndUncounted) {
  open();
  const auto added = context->add_all({{.name = "a"}, {.name = "b"}, {.name = "c"}});
  (void)context->take(2);
  const std::string second = context->worker + "~2";  // its second session
  (void)call({"SET", key(added[1].id.value + ":lock"), second + ":9:0"});
  const std::string other = context->worker + "x";  // a session with the same begin
  (void)call({"RPOPLPUSH", key("wait"), key("active")});
  (void)call({"SET", key(added[2].id.value + ":lock"), other + ":1:0"});
  const auto back = context->must(context->store().reclaim({context->queue, SessionName(context->worker)}));
  EXPECT_THAT(back, testing::UnorderedElementsAre(added[0].id, added[1].id));
  EXPECT_THAT(context->ids(State::kWaiting), ElementsAre(added[0].id, added[1].id));
  EXPECT_EQ(context->job(added[0].id).stalled, 0U);
  EXPECT_EQ(context->job(added[0].id).attempts_started, 1U);
  EXPECT_EQ(context->state(added[2].id), State::kActive);
}

TEST_F(FinishAndTakeTest, DropsAnIdWithoutAJob) {
  open();
  (void)call({"LPUSH", key("wait"), "ghost"});
  const JobId id = context->add();
  EXPECT_THAT(context->take_ids(1), ElementsAre(id));
  EXPECT_EQ(text({"EXISTS", key("ghost")}), "0");
  EXPECT_EQ(text({"LLEN", key("wait")}), "0");
  EXPECT_EQ(text({"LLEN", key("active")}), "1");
}

TEST_F(FinishAndTakeTest, SkipsAGeneratedIdThatIsUsed) {
  open();
  (void)call({"HSET", key("1"), "name", "somebody's"});
  const auto added = context->add_all({{.name = "a"}, {.name = "b"}});
  EXPECT_EQ(text({"HGET", key("1"), "name"}), "somebody's");
  EXPECT_NE(added[0].id, JobId("1"));
  EXPECT_NE(added[0].id, added[1].id);
  EXPECT_THAT(context->take_ids(5), ElementsAre(added[0].id, added[1].id));
}

TEST_F(FinishAndTakeTest, RejectsIdsThatAreKeyNames) {
  open();
  for (const char* id : {"wait", "meta", "id", "completed", "priority"}) {
    const auto added =
        context->now(context->store().add(context->request({{.name = "a", .options = {.id = JobId(id)}}})));
    ASSERT_FALSE(added) << id;
    EXPECT_EQ(added.error().code, Errc::kInvalidArgument);
  }
}

TEST_F(FinishAndTakeTest, AddsNothingWhenALargeRequestIsRepeated) {
  open();
  AddRequest request = context->request(std::vector<NewJob>(200, NewJob{.name = "n"}));
  request.op = {SessionName("producer"), 1};
  const auto first = context->must(context->store().add(request));
  EXPECT_EQ(context->must(context->store().add(request)), first);
  EXPECT_EQ(context->counts()[State::kWaiting], 200U);
  EXPECT_EQ(text({"GET", key("id")}), "200");
}

TEST_F(FinishAndTakeTest, ReturnsTheOwnerOfADeduplicationUntilItEnds) {
  open();
  const NewJob job{.name = "a", .options = {.deduplication = Deduplication{.id = "d"}}};
  const auto first = context->add_all({job});
  const auto again = context->add_all({job});
  EXPECT_TRUE(again[0].duplicate);
  EXPECT_EQ(again[0].id, first[0].id);
  EXPECT_TRUE(context->finish(context->take_one(), outcome::Completed{}));
  EXPECT_EQ(text({"EXISTS", key("de:d")}), "0");
  EXPECT_FALSE(context->add_all({job})[0].duplicate);
}

TEST_F(FinishAndTakeTest, CompletesAJobOfThisAndOfAPreviousStoreAlike) {
  for (const bool by_another : {false, true}) {
    SCOPED_TRACE(by_another);
    open();
    const JobId id = context->add("a", {.attempts = 3, .deduplication = Deduplication{.id = "d"}});
    ASSERT_TRUE(context->finish(context->take_one(), outcome::RetryAfter{.failure = {.message = "once"}}));
    const Taken stalled = context->take_one();
    ASSERT_TRUE(context->finish(stalled, outcome::Stalled{.max_stalled = 1}));
    const Taken taken = context->take_one();
    const auto another =
        bull::make_bull_store(fixture->client(), {fixture->clock(), fixture->random(), fixture->loop()},
                              {.prefix = fixture->prefix()});
    TakeRequest turn = context->take_request(0);
    turn.finished = {{.id = id, .token = taken.token, .outcome = outcome::Completed{.result = "1"}}};
    Store& store = by_another ? *another : context->store();
    const auto finished = context->must(store.finish_and_take(turn)).finished;
    ASSERT_THAT(finished, SizeIs(1));
    ASSERT_TRUE(finished[0]) << finished[0].error().message;
    EXPECT_EQ(*finished[0], (FinishResult{.state = State::kCompleted, .attempts_made = 2, .stalled = 1}));
    EXPECT_EQ(text({"EXISTS", key("de:d"), key(id.value + ":lock")}), "0");
  }
}

TEST_F(FinishAndTakeTest, DoesNotRecreateARemovedJobAtItsEnd) {
  open();
  const auto added = context->add_all({{.name = "a"}, {.name = "b"}});
  const auto taken = context->take(2);
  (void)call({"DEL", key(taken[0].job.id.value)});  // its lock and its place in `active` are left
  EXPECT_EQ(context->finish(taken[0], outcome::Completed{}).error().code, Errc::kNotFound);
  EXPECT_TRUE(context->finish(taken[1], outcome::Completed{}));
  EXPECT_EQ(text({"EXISTS", key(taken[0].job.id.value)}), "0");
}

TEST_F(FinishAndTakeTest, EndsAnySetOfRunsInOneRequest) {
  const std::vector<std::vector<std::size_t>> orders{
      {0, 1, 2, 3, 4}, {4, 3, 2, 1, 0}, {1, 2, 3, 4, 5}, {0, 1, 2, 3, 3}};
  for (const auto& order : orders) {
    for (const bool one_is_late : {false, true}) {
      SCOPED_TRACE(testing::PrintToString(order) + (one_is_late ? " with a late one" : ""));
      open();
      (void)context->add_all(std::vector<NewJob>(6, NewJob{.name = "a"}));
      const auto taken = context->take(6);
      TakeRequest turn = context->take_request(0);
      for (const std::size_t i : order)
        turn.finished.push_back(
            {.id = taken[i].job.id, .token = taken[i].token, .outcome = outcome::Completed{}});
      if (one_is_late) turn.finished[1].token = LockToken("another:1:0");
      std::set<JobId> ended;
      const auto finished = context->must(context->store().finish_and_take(turn)).finished;
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
        EXPECT_EQ(context->state(each.job.id), held ? State::kActive : State::kCompleted);
      }
    }
  }
}

TEST_F(FinishAndTakeTest, OrdersPrioritiesAsBull) {
  open();
  const auto add = [&](const char* id, std::uint32_t priority, bool lifo = false) {
    (void)context->add("n", {.id = JobId(id), .priority = priority, .lifo = lifo});
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

TEST_F(FinishAndTakeTest, SavesAFailedAttemptOnlyForTheLockOwner) {
  open();
  const JobId id = context->add("a", {.attempts = 3});
  const Taken taken = context->take_one();
  const outcome::RetryAfter again{.failure = {.message = "late", .stack = "at line 1"}};
  EXPECT_FALSE(context->finish(id, LockToken("another:1:0"), again));
  EXPECT_EQ(text({"HEXISTS", key(id.value), "attemptsMade"}), "0");
  EXPECT_EQ(text({"HEXISTS", key(id.value), "failedReason"}), "0");
  EXPECT_TRUE(context->finish(taken, again));
  EXPECT_EQ(text({"HGET", key(id.value), "stacktrace"}), R"(["at line 1"])");
  EXPECT_EQ(text({"EXISTS", key(id.value + ":lock")}), "0");
}

TEST_F(FinishAndTakeTest, RemovesLogsByRetention) {
  open();
  const JobId old = context->finished(outcome::Completed{});
  (void)call({"RPUSH", key(old.value + ":logs"), "line"});
  fixture->advance(Duration(5));
  (void)context->finished(outcome::Completed{}, {.count = 1});
  EXPECT_EQ(text({"EXISTS", key(old.value), key(old.value + ":logs")}), "0");
  EXPECT_EQ(text({"ZCARD", key("completed")}), "1");
}

TEST_F(FinishAndTakeTest, UsesTheServersClockByDefault) {
  open();
  auto store =
      bull::make_bull_store(fixture->client(), {fixture->clock(), fixture->random(), fixture->loop()},
                            {.prefix = fixture->prefix()});
  const auto added = context->must(
      store->add({.queue = context->queue, .jobs = {{.name = "d", .options = {.delay = Duration(60'000)}}}}));
  ASSERT_THAT(added, SizeIs(1));
  fixture->advance(Duration(61'000));  // this host's clock, not the server's
  const QueueHint next = context->must(store->wake_delayed(context->queue));
  EXPECT_TRUE(next.due);
  EXPECT_EQ(context->counts()[State::kDelayed], 1U);
}

TEST_F(FinishAndTakeTest, DecodesLargeDataOnce) {
  open();
  const std::string big = R"({"func":"big","pad":")" + std::string(60'000, 'x') + R"("})";
  for (int i = 0; i < 4; ++i) (void)context->add("__default__", {}, big);
  const JobId last = context->add("__default__", {}, R"({"func":"small"})");
  AdmissionFilter admit{.free = {.cores = 4, .memory_bytes = 100}};
  admit.needs[FunctionName("small")] = {.cores = 1, .memory_bytes = 1};
  admit.function_field = "func";
  std::vector<JobId> taken;
  for (int turns = 0; turns < 8 && taken.empty(); ++turns) {
    TakeRequest turn = context->take_request(1);
    turn.filter = admit;
    for (const Taken& one : context->send(turn).taken) taken.push_back(one.job.id);
  }
  EXPECT_THAT(taken, ElementsAre(last)) << "each request decodes 64 KiB more, until the small one is read";
}

}  // namespace
}  // namespace gaur::conformance
