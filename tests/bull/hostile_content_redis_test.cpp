// What other programs write into a queue's keys: ids without a job, keys of other types, values that are not
// numbers, names of the queue's own keys as ids, odd bytes, oversized fields. Nothing of it stops the queue,
// and nothing is lost.
#include <gmock/gmock.h>

#include "bull/inspect.hpp"
#include "bull_fixture.hpp"
#include "conformance/case_context.hpp"

namespace gaur::conformance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

struct HostileContentTest : testing::Test {
  BullFixture fixture;
  CaseContext context{fixture, Semantics::bull()};

  std::string key(const std::string& name) const { return fixture.prefix() + ":query:" + name; }
  redis::Reply call(redis::Command command) { return fixture.call(std::move(command)); }
  std::string text(redis::Command command) {
    const auto reply = call(std::move(command));
    if (const auto* number = reply.integer()) return std::to_string(*number);
    return reply.text() == nullptr ? "" : *reply.text();
  }
  std::vector<std::string> texts(redis::Command command) {
    std::vector<std::string> out;
    const auto reply = call(std::move(command));
    if (const auto* all = reply.array()) {
      for (const redis::Reply& one : *all) out.push_back(one.text() == nullptr ? "" : *one.text());
    }
    return out;
  }
  /// "<list or set> <reason>" of an id that was set aside, or "".
  std::string aside(const std::string& id) {
    const std::string note = text({"HGET", "gaur:" + key("set_aside"), id});
    return note.empty() ? "" : note.substr(note.find(' ') + 1);
  }
  std::uint64_t asides() { return std::stoull(text({"HLEN", "gaur:" + key("set_aside")})); }
  /// Keys of every type but hash, whose names are ids.
  std::vector<std::string> plant_other_types() {
    (void)call({"SET", key("a-string"), "kept"});
    (void)call({"RPUSH", key("a-list"), "kept"});
    (void)call({"SADD", key("a-set"), "kept"});
    (void)call({"ZADD", key("a-zset"), "1", "kept"});
    (void)call({"XADD", key("a-stream"), "*", "kept", "1"});
    return {"a-string", "a-list", "a-set", "a-zset", "a-stream"};
  }
  Recovered recover() { return context.must(context.store().recover({.queue = context.queue})); }
};

TEST_F(HostileContentTest, TakesJobsBehindIdsOfOtherTypes) {
  for (const std::string& id : plant_other_types()) (void)call({"RPUSH", key("wait"), id});
  (void)call({"RPUSH", key("wait"), "no-key"});
  const JobId job = context.add();
  EXPECT_THAT(context.take_ids(1), ElementsAre(job));
  EXPECT_EQ(aside("a-string"), "wait string");
  EXPECT_EQ(aside("a-list"), "wait list");
  EXPECT_EQ(aside("a-stream"), "wait stream");
  EXPECT_EQ(aside("no-key"), "wait none");
  EXPECT_EQ(asides(), 6U);
  EXPECT_EQ(text({"LLEN", key("wait")}), "0");
  EXPECT_EQ(text({"GET", key("a-string")}), "kept");
  EXPECT_EQ(text({"LLEN", key("a-list")}), "1");
  EXPECT_EQ(context.state(job), State::kActive);
}

TEST_F(HostileContentTest, TakesJobsBehindIdsOfOtherTypesByNeeds) {
  const JobId big = context.add("big");
  const auto others = plant_other_types();
  for (const char* field : {"", "function"}) {
    SCOPED_TRACE(field);
    for (const std::string& id : others) (void)call({"LPUSH", key("wait"), id});
    const JobId small = context.add("small");
    AdmissionFilter filter;
    filter.free = filter.spare = {1, 1000};
    filter.function_field = field;
    filter.backfill = true;
    filter.needs[FunctionName("big")] = {.cores = 4, .memory_bytes = 10};
    filter.needs[FunctionName("small")] = {.cores = 1, .memory_bytes = 10};
    TakeRequest request = context.take_request(1);
    request.filter = filter;
    const TakeReply reply = context.send(request);
    ASSERT_THAT(reply.taken, SizeIs(1));
    EXPECT_EQ(reply.taken[0].job.id, small);
    ASSERT_TRUE(reply.blocked);
    EXPECT_EQ(reply.blocked->id, big);
    EXPECT_TRUE(context.finish(reply.taken[0], outcome::Completed{}));
    EXPECT_EQ(text({"LLEN", key("wait")}), "1");
  }
  EXPECT_EQ(asides(), 5U);
}

TEST_F(HostileContentTest, NamesOfKeysAsIdsAreNotJobs) {
  (void)call({"HSET", key("metrics:completed"), "count", "7"});
  for (const char* id : {"meta", "wait", "metrics:completed", "7:lock", "de:x"})
    (void)call({"RPUSH", key("wait"), id});
  const JobId job = context.add();
  EXPECT_THAT(context.take_ids(9), ElementsAre(job));
  EXPECT_EQ(asides(), 5U);
  EXPECT_EQ(aside("metrics:completed"), "wait reserved");
  EXPECT_EQ(text({"HGET", key("metrics:completed"), "count"}), "7");
}

TEST_F(HostileContentTest, RetentionDeletesNoKeyOfTheQueue) {
  const JobId waiting = context.add("later");
  (void)call({"ZADD", key("completed"), "1", "wait", "2", "active", "3", "id"});
  const JobId front = context.add("now", {.lifo = true});
  const Taken taken = context.take_one();
  EXPECT_EQ(taken.job.id, front);
  EXPECT_TRUE(context.finish(taken, outcome::Completed{}, {.count = 1}));
  EXPECT_THAT(texts({"ZRANGE", key("completed"), "0", "-1"}), ElementsAre(front.value));
  EXPECT_EQ(context.take_one().job.id, waiting);
  EXPECT_EQ(text({"EXISTS", key("id")}), "1");
}

TEST_F(HostileContentTest, WakesDelayedJobsBesideIdsOfOtherTypes) {
  std::vector<std::string> others = plant_other_types();
  others.emplace_back("no-key");
  const JobId job = context.add("d", {.delay = Duration(1000)});
  for (const std::string& id : others) (void)call({"ZADD", key("delayed"), "5", id});
  const JobId broken = context.add("broken", {.delay = Duration(500)});
  (void)call({"HSET", key(broken.value), "priority", "nan"});
  context.advance(Duration(1000));
  (void)context.must(context.store().wake_delayed(context.queue));
  EXPECT_THAT(context.take_ids(5), ElementsAre(broken, job));
  EXPECT_EQ(asides(), 6U);
  EXPECT_EQ(aside("a-set"), "delayed set");
}

TEST_F(HostileContentTest, RecoversJobsBesideIdsOfOtherTypes) {
  const JobId job = context.add();
  (void)context.take_one();
  (void)call({"DEL", key(job.value + ":lock")});
  (void)call({"HSET", key(job.value), "stalledCounter", "many", "priority", "inf"});
  for (const std::string& id : plant_other_types()) (void)call({"LPUSH", key("active"), id});
  EXPECT_THAT(recover().requeued, ElementsAre(job));
  EXPECT_EQ(text({"HGET", key(job.value), "stalledCounter"}), "1");
  EXPECT_EQ(asides(), 5U);
  EXPECT_EQ(aside("a-zset"), "active zset");
  EXPECT_THAT(context.take_ids(5), ElementsAre(job));
}

TEST_F(HostileContentTest, ReclaimsJobsBesideIdsOfOtherTypes) {
  const JobId job = context.add();
  (void)context.take_one();
  (void)call({"SET", key("a-string"), "kept"});
  (void)call({"LPUSH", key("active"), "a-string"});
  (void)call({"SET", key("a-string:lock"), context.worker + ":9:0"});
  const auto back = context.must(context.store().reclaim({context.queue, SessionName(context.worker)}));
  EXPECT_THAT(back, ElementsAre(job));
  EXPECT_EQ(aside("a-string"), "active string");
}

TEST_F(HostileContentTest, FinishesOtherRunsWhenKeyOfOneWasReplaced) {
  for (const Outcome& outcome : {Outcome(outcome::Completed{}), Outcome(outcome::Failed{{.message = "m"}}),
                                 Outcome(outcome::Requeue{}), Outcome(outcome::Stalled{})}) {
    const auto added = context.add_all({{.name = "a"}, {.name = "b"}, {.name = "c"}});
    const auto taken = context.take(3);
    ASSERT_EQ(taken.size(), 3U);
    (void)call({"DEL", key(added[1].id.value)});
    (void)call({"RPUSH", key(added[1].id.value), "kept"});
    TakeRequest request = context.take_request(0);
    for (const Taken& one : taken)
      request.finished.push_back(
          {one.job.id, one.token, &one == &taken[1] ? outcome : Outcome(outcome::Completed{}), {}, {}});
    const TakeReply reply = context.send(request);
    ASSERT_THAT(reply.finished, SizeIs(3));
    EXPECT_TRUE(reply.finished[0]);
    ASSERT_FALSE(reply.finished[1]);
    EXPECT_EQ(reply.finished[1].error().code, Errc::kNotFound);
    EXPECT_TRUE(reply.finished[2]);
    EXPECT_EQ(context.state(added[0].id), State::kCompleted);
    EXPECT_EQ(context.state(added[2].id), State::kCompleted);
    EXPECT_EQ(aside(added[1].id.value), "active list");
    EXPECT_EQ(text({"LLEN", key(added[1].id.value)}), "1");
    EXPECT_EQ(text({"LLEN", key("active")}), "0");
  }
}

/// A whole set or list of another type rejects the request before its first write.
TEST_F(HostileContentTest, SetOfAnotherTypeLosesNothing) {
  const auto added = context.add_all({{.name = "a"}, {.name = "b"}});
  const Taken taken = context.take_one();
  for (const char* set : {"completed", "failed", "delayed", "priority"}) {
    SCOPED_TRACE(set);
    (void)call({"SET", key(set), "x"});
    const Outcome outcome = std::string(set) == "completed" ? Outcome(outcome::Completed{})
                                                            : Outcome(outcome::RetryAfter{Duration(5)});
    TakeRequest request = context.take_request(0);
    request.finished = {{taken.job.id, taken.token, outcome, {}, {}}};
    EXPECT_FALSE(context.now(context.store().finish_and_take(request)));
    EXPECT_EQ(text({"LLEN", key("active")}), "1");
    EXPECT_EQ(text({"GET", key(taken.job.id.value + ":lock")}), taken.token.value);
    (void)call({"DEL", key(set)});
  }
  (void)call({"RENAME", key("active"), key("moved")});
  (void)call({"SET", key("active"), "x"});
  EXPECT_FALSE(context.now(context.store().finish_and_take(context.take_request(1))));
  EXPECT_THAT(texts({"LRANGE", key("wait"), "0", "-1"}), ElementsAre(added[1].id.value));
  (void)call({"RENAME", key("moved"), key("active")});
  EXPECT_TRUE(context.finish(taken, outcome::Completed{}));
  EXPECT_THAT(context.take_ids(1), ElementsAre(added[1].id));
}

TEST_F(HostileContentTest, IdsOfOddBytesAreJobs) {
  const std::vector<std::string> ids{"a\nb", std::string("n\0l", 3), "\xff\xfe", "a b", "\"quoted\"", "@",
                                     "%00"};
  for (const std::string& id : ids) {
    (void)call({"HSET", key(id), "name", "odd", "data", "{}", "opts", "{}", "timestamp", "1"});
    (void)call({"LPUSH", key("wait"), id});
  }
  const auto taken = context.take(99);
  ASSERT_EQ(taken.size(), ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(taken[i].job.id.value, ids[i]);
    EXPECT_TRUE(context.finish(taken[i], outcome::Completed{}));
    EXPECT_EQ(context.state(JobId(ids[i])), State::kCompleted);
  }
  EXPECT_EQ(asides(), 0U);
}

TEST_F(HostileContentTest, OversizedJobIsSetAsideAndLargeOnesAreTakenAFewAtATime) {
  const auto add = [&](const std::string& id, std::size_t bytes) {
    (void)call({"EVAL", "redis.call('HSET', KEYS[1], 'name', 'n', 'data', string.rep('1', ARGV[1]))", "1",
                key(id), std::to_string(bytes)});
    (void)call({"LPUSH", key("wait"), id});
  };
  add("absurd", 70U << 20U);
  for (const char* id : {"l1", "l2", "l3"}) add(id, 40U << 20U);
  EXPECT_THAT(context.take_ids(9), ElementsAre(JobId("l1"), JobId("l2")));
  EXPECT_THAT(context.take_ids(9), ElementsAre(JobId("l3")));
  EXPECT_THAT(aside("absurd"), HasSubstr("wait 734"));
  EXPECT_EQ(text({"EXISTS", key("absurd")}), "1");
}

TEST_F(HostileContentTest, MetricsOfAnotherTypeCostNoJob) {
  (void)call({"SET", key("metrics:completed"), "x"});
  const JobId job = context.finished(outcome::Completed{"42"});
  EXPECT_EQ(context.job(job).result, "42");
  EXPECT_EQ(text({"GET", key("metrics:completed")}), "x");
}

TEST_F(HostileContentTest, ObliterateStaysInItsQueue) {
  const std::string foreign = fixture.prefix() + ":other:wait";
  (void)call({"RPUSH", foreign, "1"});
  (void)call({"HSET", key("limiter:index"), "1", foreign});
  (void)context.add();
  EXPECT_TRUE(context.now(context.store().obliterate(context.queue, true)));
  EXPECT_EQ(text({"LLEN", foreign}), "1");
}

TEST_F(HostileContentTest, InspectorListsIdsThatWereSetAside) {
  (void)call({"SET", key("a-string"), "kept"});
  for (const char* id : {"a-string", "no-key", "meta"}) (void)call({"RPUSH", key("wait"), id});
  EXPECT_THAT(context.take_ids(1), IsEmpty());
  bull::Inspector inspector(fixture.client(), fixture.prefix());
  const auto found = inspector.set_aside(context.queue).get();
  ASSERT_TRUE(found.has_value()) << found.error().message;
  std::vector<std::string> lines;
  for (const bull::SetAside& one : *found) lines.push_back(one.id + ": " + one.from + ": " + one.why);
  EXPECT_THAT(lines, UnorderedElementsAre("a-string: wait: its key is a string, not a hash",
                                          "no-key: wait: it has no hash",
                                          "meta: wait: it is the name of one of the queue's keys"));
}

}  // namespace
}  // namespace gaur::conformance
