// Repeatable jobs and rate limits in Bull's layout, on a real server.
#include "base/json.hpp"
#include "bull/inspect.hpp"
#include "bull/repeat.hpp"
#include "bull/repeatable_jobs.hpp"
#include "layout_fixture.hpp"

#include <fmt/format.h>

namespace gaur::bull {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class RepeatableJobsTest : public Layout {
 protected:
  TakeRequest turn(std::uint32_t take) {
    return {
        .queue = queue_, .op = {SessionName("worker-1"), ++operation_}, .take = take, .worker = "worker-1"};
  }
  Taken take_one() {
    auto reply = must(store().finish_and_take(turn(1)));
    EXPECT_EQ(reply.taken.size(), 1U);
    return reply.taken.empty() ? Taken{} : std::move(reply.taken.front());
  }
  /// Waits for what a verb does in the background; ctest's timeout ends it otherwise.
  static void until_delayed(std::size_t count) {
    while (list({"ZRANGE", key("delayed"), "0", "-1"}).size() < count) {
    }
  }
  /// The first run of a schedule, as Bull's add() leaves it.
  std::string bull_adds(const std::string& name, const Repeat& repeat, const std::string& repeat_json,
                        Time slot) {
    const std::string schedule = repeat_key(name, repeat);
    const std::string id = iteration_id(name, repeat, schedule, slot).value;
    (void)redis({"ZADD", key("repeat"), std::to_string(to_ms(slot)), schedule});
    (void)redis({"INCR", key("id")});
    job(id, name,
        {"opts",
         fmt::format(
             R"({{"repeat":{},"attempts":3,"delay":7,"timestamp":1,"prevMillis":{},"jobId":"{}","mine":[1, 2]}})",
             repeat_json, to_ms(slot), id)});
    (void)redis({"LPUSH", key("wait"), id});
    return id;
  }
  std::uint64_t operation_ = 0;
};

TEST_F(RepeatableJobsTest, TakingAnIterationAddsTheNext) {
  const Time slot = from_ms(1'799'999'999'000);  // a second ago
  const std::string id =
      bull_adds("nm", {.every = "60000"}, R"({"every":60000,"count":1,"key":"nm:::60000"})", slot);
  EXPECT_EQ(take_one().job.id, JobId(id));
  until_delayed(1);
  const auto delayed = list({"ZRANGE", key("delayed"), "0", "-1"});
  const Time next = from_ms(to_ms(clock_.wall()) / 60'000 * 60'000 + 60'000);
  EXPECT_THAT(delayed, ElementsAre(iteration_id("nm", {.every = "60000"}, "nm:::60000", next).value));
  EXPECT_EQ(text({"ZSCORE", key("repeat"), "nm:::60000"}), std::to_string(to_ms(next)));
  const auto options = json::parse_object(text({"HGET", key(delayed[0]), "opts"}));
  ASSERT_TRUE(options);
  EXPECT_EQ(json::integer(*options, "prevMillis"), to_ms(next));
  EXPECT_EQ(json::integer(*options, "timestamp"), to_ms(clock_.wall()));
  EXPECT_EQ(json::integer(*options, "delay"), to_ms(next) - to_ms(clock_.wall()));
  EXPECT_EQ(json::integer(*options, "attempts"), 3);
  EXPECT_EQ(json::text_or(*options, "jobId", ""), delayed[0]);
  EXPECT_EQ(json::integer(options->at("repeat").get_object(), "count"), 2);
  EXPECT_THAT(text({"HGET", key(delayed[0]), "opts"}), HasSubstr(R"("mine":[1, 2])"))
      << "what we do not know stays";
  EXPECT_EQ(text({"HGET", key(delayed[0]), "data"}), R"({"func":"rank"})");
  EXPECT_EQ(text({"GET", key("id")}), "2");
}

TEST_F(RepeatableJobsTest, ARemovedOrEndedScheduleHasNoNextIteration) {
  const Time slot = from_ms(1'799'999'999'000);
  (void)bull_adds("gone", {.every = "60000"}, R"({"every":60000,"count":1,"key":"gone:::60000"})", slot);
  (void)redis({"ZREM", key("repeat"), "gone:::60000"});
  (void)take_one();
  (void)bull_adds("last", {.every = "60000"}, R"({"every":60000,"count":3,"limit":3,"key":"last:::60000"})",
                  slot);
  (void)take_one();
  (void)bull_adds("on", {.every = "60000"}, R"({"every":60000,"count":1,"key":"on:::60000"})", slot);
  (void)take_one();
  until_delayed(1);  // asked last: the others were decided before it
  const auto delayed = list({"ZRANGE", key("delayed"), "0", "-1"});
  EXPECT_THAT(delayed, SizeIs(1));
  EXPECT_EQ(text({"HGET", key(delayed[0]), "name"}), "on");
}

TEST_F(RepeatableJobsTest, ReportsAndKeepsAnUnreadableSchedule) {
  const Repeat repeat{.cron = "0 5 * * *", .time_zone = "Mars/Olympus"};
  const std::string id = bull_adds("nm", repeat, R"({"cron":"0 5 * * *","tz":"Mars/Olympus","count":1})",
                                   from_ms(1'799'999'999'000));
  Inspector inspector(*client_, "bull");
  const QueueLook look = must(inspector.look(queue_));
  ASSERT_THAT(look.unreadable, SizeIs(1));
  EXPECT_EQ(look.unreadable[0].key, "nm:::Mars/Olympus:0 5 * * *");
  EXPECT_THAT(look.unreadable[0].why, HasSubstr("time zone \"Mars/Olympus\" is not known here"));
  EXPECT_EQ(take_one().job.id, JobId(id));
  while (list({"LRANGE", key(id + ":logs"), "0", "-1"}).empty()) {
  }
  EXPECT_THAT(list({"LRANGE", key(id + ":logs"), "0", "-1"}),
              ElementsAre(HasSubstr("this schedule has no next run: time zone \"Mars/Olympus\"")));
  EXPECT_THAT(list({"ZRANGE", key("repeat"), "0", "-1"}), ElementsAre("nm:::Mars/Olympus:0 5 * * *"));
}

/// Offsets, zone names in another case, and tabs.
TEST_F(RepeatableJobsTest, OptionsAreReadAsBullReadsThem) {
  const Time now = clock_.wall();
  const auto next = [&](const char* name, const std::string& repeat) {
    (void)redis({"FLUSHALL"});
    (void)bull_adds(name, {.every = "1"}, repeat, from_ms(1'799'999'999'000));
    (void)take_one();
    until_delayed(1);
    return text({"ZSCORE", key("repeat"), std::string(name) + ":::1"});
  };
  // Bull: node -e "..." in tests/interop/cron.test.mjs compares all forms; these go through the store.
  const std::int64_t minute = to_ms(now) / 60'000 * 60'000 + 60'000;
  for (const char* cron : {"*\\t*\\t*\\t*\\t*", " * * * * * "}) {
    EXPECT_EQ(
        next("nm", fmt::format(R"({{"cron":"{}","tz":"asia/SEOUL","key":"nm:::1","count":"3","limit":"9"}})",
                               cron)),
        std::to_string(minute));
  }
  EXPECT_EQ(
      next("nm", R"({"cron":"* * * * *","tz":"UTC+9","key":"nm:::1","endDate":"2099-12-01T00:00:00+09:00"})"),
      std::to_string(minute));
}

TEST_F(RepeatableJobsTest, SchedulesAreAddedListedReplacedAndRemoved) {
  Schedulers* schedulers = store().schedulers();
  ASSERT_NE(schedulers, nullptr);
  Schedule daily{.id = "report", .pattern = "0 5 * * *", .time_zone = "Europe/Athens", .limit = 9};
  daily.job = {.name = "nm", .data = R"({"day":1})", .options = {.priority = 2}};
  const Time slot = clock_.wall() + Duration(5000);
  const Added added = must(schedulers->upsert(queue_, daily, slot));
  EXPECT_EQ(added.state, State::kDelayed);
  EXPECT_THAT(list({"ZRANGE", key("repeat"), "0", "-1"}), ElementsAre("nm:report::Europe/Athens:0 5 * * *"));
  EXPECT_TRUE(must(schedulers->upsert(queue_, daily, slot)).duplicate);

  auto all = must(schedulers->schedules(queue_, 0, 10));
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].id, "report");
  EXPECT_EQ(all[0].pattern, "0 5 * * *");
  EXPECT_EQ(all[0].time_zone, "Europe/Athens");
  EXPECT_EQ(all[0].next, slot);
  EXPECT_EQ(all[0].limit, 9U);
  EXPECT_EQ(all[0].iterations, 1U);
  EXPECT_EQ(all[0].job.name, "nm");
  EXPECT_EQ(all[0].job.data, R"({"day":1})");

  daily.pattern = "";
  daily.time_zone = "";
  daily.every = Duration(60'000);
  (void)must(schedulers->upsert(queue_, daily, slot));
  EXPECT_THAT(list({"ZRANGE", key("repeat"), "0", "-1"}), ElementsAre("nm:report::60000"));
  EXPECT_EQ(text({"ZCARD", key("delayed")}), "1") << "the run of the replaced one is gone";

  must(schedulers->remove_schedule(queue_, "report"));
  EXPECT_EQ(text({"EXISTS", key("repeat"), key("delayed")}), "0");
  EXPECT_EQ(error(schedulers->remove_schedule(queue_, "report")), Errc::kNotFound);
  daily.job.name = "a:b";
  EXPECT_EQ(error(schedulers->upsert(queue_, daily, slot)), Errc::kInvalidArgument);
}

class RateLimit : public RepeatableJobsTest {};

TEST_F(RateLimit, DelaysJobsAboveTheLimit) {
  for (int i = 1; i <= 4; ++i) waiting(std::to_string(i));
  const auto limited = [&](std::uint32_t most) {
    TakeRequest one = turn(most);
    one.limit = gaur::RateLimit{.max = 2, .per = Duration(60'000)};
    return must(store().finish_and_take(one));
  };
  const TakeReply first = limited(4);
  EXPECT_THAT(first.taken, SizeIs(2));
  ASSERT_TRUE(first.next.limited_for);
  EXPECT_GT(*first.next.limited_for, Duration(0));
  EXPECT_LE(*first.next.limited_for, Duration(60'000));
  EXPECT_EQ(text({"GET", key("limiter")}), "2");
  EXPECT_THAT(list({"ZRANGE", key("delayed"), "0", "-1"}), ElementsAre("3")) << "parked, as Bull parks it";
  EXPECT_THAT(list({"SMEMBERS", key("limiter:limited")}), ElementsAre("3"));
  EXPECT_EQ(text({"HGET", key("limiter:index"), "3"}), key("limiter:limited"));
  EXPECT_THAT(list({"LRANGE", key("wait"), "0", "-1"}), ElementsAre("4")) << "the others stay where they are";
  EXPECT_EQ(must(store().counts(queue_))[State::kDelayed], 1U);
  // The window ends, the parked one comes back and is let through.
  (void)redis({"DEL", key("limiter")});
  must(store().promote(ref("3")));
  EXPECT_THAT(limited(1).taken, IsEmpty()) << "4 is in front, but the delayed ones are next";
  EXPECT_THAT(list({"SMEMBERS", key("limiter:limited")}), testing::UnorderedElementsAre("3", "4"));
  const TakeReply second = limited(1);
  ASSERT_THAT(second.taken, SizeIs(1));
  EXPECT_EQ(second.taken[0].job.id, JobId("3"));
  must(store().promote(ref("4")));
  EXPECT_THAT(limited(1).taken, SizeIs(1));
  EXPECT_EQ(text({"EXISTS", key("limiter:limited"), key("limiter:index")}), "0");
}

TEST_F(RateLimit, ARemovedJobLeavesNoEntry) {
  for (int i = 1; i <= 2; ++i) waiting(std::to_string(i));
  TakeRequest one = turn(2);
  one.limit = gaur::RateLimit{.max = 1, .per = Duration(60'000)};
  EXPECT_THAT(must(store().finish_and_take(one)).taken, SizeIs(1));
  must(store().remove(ref("2")));
  EXPECT_EQ(text({"EXISTS", key("limiter:limited"), key("limiter:index"), key("delayed")}), "0");
  one = turn(1);
  one.limit = gaur::RateLimit{};
  EXPECT_EQ(error(store().finish_and_take(one)), Errc::kInvalidArgument);
}

// Malformed content of a queue never fails a take request.
class BadInput : public RepeatableJobsTest {};

TEST_F(BadInput, ANullRetentionKeepsAll) {
  job("1", "__default__",
      {"opts", R"({"attempts":1,"delay":0,"timestamp":1,"removeOnComplete":null,"removeOnFail":null})"});
  (void)redis({"LPUSH", key("wait"), "1"});
  const Taken taken = take_one();
  EXPECT_FALSE(taken.job.options.on_complete);
  TakeRequest end = turn(0);
  end.finished.push_back({.id = taken.job.id, .token = taken.token, .outcome = outcome::Completed{"1"}});
  const TakeReply reply = must(store().finish_and_take(end));
  ASSERT_TRUE(reply.finished.at(0));
  EXPECT_EQ(must(store().state(ref("1"))), State::kCompleted);
  // Stalled: Bull's own check would stop at such options.
  job("2", "__default__", {"opts", R"({"removeOnFail":null})"});
  (void)redis({"LPUSH", key("active"), "2"});
  for (int sight = 0; sight < 3; ++sight) (void)must(store().recover({.queue = queue_, .max_stalled = 0}));
}

TEST_F(BadInput, IdsWithoutAJobAreDropped) {
  (void)redis({"LPUSH", key("wait"), "ghost"});
  waiting("1");
  const TakeReply nothing = must(store().finish_and_take(turn(1)));
  EXPECT_TRUE(nothing.taken.empty() == nothing.next.more)
      << "either it is passed over or there is more to ask for";
  if (nothing.taken.empty()) {
    EXPECT_EQ(take_one().job.id, JobId("1"));
  }
  EXPECT_EQ(text({"EXISTS", key("ghost"), key("ghost:lock")}), "0");
  EXPECT_EQ(text({"LLEN", key("wait")}), "0");
  EXPECT_THAT(list({"LRANGE", key("active"), "0", "-1"}), ElementsAre("1"));
}

TEST_F(BadInput, InvalidJsonAndMissingFunctionsAreHandedOut) {
  job("1", "__default__", {"data", "{no json"});
  (void)redis({"LPUSH", key("wait"), "1"});
  job("2", "__default__", {"data", R"({"userId":7})"});
  (void)redis({"LPUSH", key("wait"), "2"});
  job("3", "__default__", {"opts", "[]", "timestamp", "yesterday", "priority", "high", "attemptsMade", "-4"});
  (void)redis({"LPUSH", key("wait"), "3"});
  TakeRequest one = turn(3);
  one.filter = AdmissionFilter{.free = {.cores = 8, .memory_bytes = 8'000'000'000}};
  one.filter->default_needs = Needs{.cores = 1, .memory_bytes = 1};
  one.filter->function_field = "func";
  const TakeReply reply = must(store().finish_and_take(one));
  ASSERT_THAT(reply.taken, SizeIs(3));
  EXPECT_EQ(reply.taken[0].function, FunctionName("__default__"));
  EXPECT_EQ(reply.taken[1].function, FunctionName("__default__"));
  EXPECT_EQ(reply.taken[0].job.data, R"("{no json")") << "held as text, for the failure that follows";
  EXPECT_THAT(reply.taken[0].job.data_invalid, HasSubstr("not JSON"));
}

TEST_F(BadInput, IdsThatAreKeyNamesAreRejected) {
  for (const char* id : {"wait", "meta", "stalled-check", "limiter:index:x", "events"}) {
    const auto refused =
        now(store().add({.queue = queue_, .jobs = {{.name = "a", .options = {.id = JobId(id)}}}}));
    ASSERT_FALSE(refused) << id;
    EXPECT_EQ(refused.error().code, Errc::kInvalidArgument) << id;
  }
  EXPECT_THAT(list({"KEYS", "*"}), IsEmpty());
}

TEST_F(BadInput, AUsedGeneratedIdIsSkipped) {
  job("1");
  (void)redis({"LPUSH", key("wait"), "1"});
  const auto added = must(store().add({.queue = queue_, .jobs = {{.name = "a"}}}));
  ASSERT_EQ(added.size(), 1U);
  EXPECT_EQ(added[0].id, JobId("2"));
  EXPECT_EQ(text({"HGET", key("1"), "name"}), "__default__");
}

}  // namespace
}  // namespace gaur::bull
