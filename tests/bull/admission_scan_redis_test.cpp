// Finds jobs behind any number of jobs that cannot start, at a bounded cost per script and without moving
// any, while other clients take, remove and add jobs anywhere. GAUR_LONG=1: behind a million.
#include <gmock/gmock.h>

#include <cstdlib>
#include <random>

#include "bull_fixture.hpp"
#include "conformance/case_context.hpp"

namespace gaur::conformance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const bool kLong = std::getenv("GAUR_LONG") != nullptr;

/// Writes jobs as Bull's add, many per call. KEYS[1]: base; ARGV: first number, last, name, data.
constexpr const char* kFill =
    "for i = ARGV[1], ARGV[2] do local id = ARGV[3] .. '-' .. string.format('%d', i) "
    "redis.call('HMSET', KEYS[1] .. id, 'name', ARGV[3], 'data', ARGV[4], 'opts', "
    "'{\"attempts\":1,\"delay\":0,\"timestamp\":1700000000000}', 'timestamp', '1700000000000', 'delay', '0', "
    "'priority', '0') redis.call('LPUSH', KEYS[1] .. 'wait', id) end return 1";

struct AdmissionScanTest : testing::Test {
  AdmissionScanTest()
      : fixture(std::make_unique<BullFixture>()),
        context(std::make_unique<CaseContext>(*fixture, Semantics::bull())) {
    admit.free = {.cores = 64, .memory_bytes = 64};
    serve("good");
  }
  void serve(const char* function, bool closed = false) {
    admit.needs[FunctionName(function)] = {.cores = 1, .memory_bytes = 1, .unavailable = closed};
  }
  std::string key(const std::string& name) const { return fixture->prefix() + ":query:" + name; }
  redis::Reply call(redis::Command command) { return fixture->call(std::move(command)); }
  std::int64_t number(redis::Command command) {
    const auto reply = call(std::move(command));
    return reply.integer() == nullptr ? -1 : *reply.integer();
  }
  void fill(const std::string& name, int count, const std::string& data = "{}") {
    for (int first = filled + 1, last = filled + count; first <= last; first += 10'000)
      (void)call({"EVAL", kFill, "1", key(""), std::to_string(first),
                  std::to_string(std::min(first + 9'999, last)), name, data});
    filled += count;
  }
  std::vector<JobId> turn(std::uint32_t most = 10) {
    TakeRequest turn = context->take_request(most);
    turn.filter = admit;
    std::vector<JobId> ids;
    for (const Taken& taken : context->send(turn).taken) ids.push_back(taken.job.id);
    return ids;
  }
  /// As a worker: a take request, then a wait for work.
  std::vector<JobId> take(std::uint32_t most = 10) {
    const Instant until = clock.now() + std::chrono::seconds(20);
    while (clock.now() < until) {
      const auto ids = turn(most);
      if (!ids.empty()) return ids;
      (void)context->must(
          context->store().wait_for_work({context->worker, {context->queue}, Duration(60'000)}));
    }
    return {};
  }
  std::vector<std::string> line() {
    std::vector<std::string> ids;
    const redis::Reply reply = call({"LRANGE", key("wait"), "0", "-1"});
    for (const auto& id : *reply.array()) ids.push_back(*id.text());
    return ids;
  }
  double server_cpu() {
    const std::string info = *call({"INFO", "cpu"}).text();
    double seconds = 0;
    for (const char* name : {"used_cpu_user:", "used_cpu_sys:"})
      seconds += std::atof(info.c_str() + info.find(name) + std::string_view(name).size());
    return seconds;
  }
  /// Hashes that the server read since the last call.
  std::int64_t hashes_read() {
    const std::string stats = *call({"INFO", "commandstats"}).text();
    std::int64_t reads = 0;
    for (const char* command : {"cmdstat_hget:calls=", "cmdstat_hmget:calls=", "cmdstat_hgetall:calls="}) {
      const auto at = stats.find(command);
      if (at != std::string::npos) reads += std::atoll(stats.c_str() + at + std::string_view(command).size());
    }
    (void)call({"CONFIG", "RESETSTAT"});
    return reads;
  }

  std::unique_ptr<BullFixture> fixture;
  std::unique_ptr<CaseContext> context;
  AdmissionFilter admit;
  /// The real time.
  SystemClock clock;
  int filled = 0;
};

TEST_F(AdmissionScanTest, FindsAJobBehindManyThatCannotStart) {
  const int ahead = kLong ? 1'000'000 : 20'000;
  fill("nobody", ahead);
  fill("good", 1);
  (void)call({"SLOWLOG", "RESET"});
  (void)call({"CONFIG", "SET", "slowlog-log-slower-than", "100"});
  (void)hashes_read();
  const double cpu_before = server_cpu();
  const Instant before = clock.now();
  EXPECT_THAT(take(), SizeIs(1));
  const std::chrono::duration<double> took = clock.now() - before;
  const double cpu = server_cpu() - cpu_before;
  RecordProperty("server_cpu_seconds", std::to_string(cpu));
  // The requests themselves look at up to 512 jobs each, beside the scan.
  EXPECT_LT(hashes_read(), ahead + 4'000) << "the scan reads each job once";
  if (kLong) {
    EXPECT_LT(cpu, 2.0) << "on a machine that does nothing else the wall time is hardly more";
    EXPECT_LT(took.count(), 20.0);
  }
  RecordProperty("seconds", std::to_string(took.count()));
  std::int64_t longest = 0;
  const redis::Reply slow = call({"SLOWLOG", "GET", "1000"});
  for (const auto& entry : *slow.array()) longest = std::max(longest, *(*entry.array())[2].integer());
  RecordProperty("longest_script_us", std::to_string(longest));
  EXPECT_EQ(number({"LLEN", key("wait")}), ahead);

  for (int i = 0; i < 20; ++i) {
    fill("good", 1);
    EXPECT_THAT(take(), SizeIs(1));
  }
  EXPECT_LT(hashes_read(), 20 * 400) << "what was scanned is not scanned again";
}

TEST_F(AdmissionScanTest, KeepsTheOrderAndMovesNoOtherJob) {
  std::vector<JobId> expected;
  for (int i = 0; i < 30; ++i) {
    fill("nobody", 97);
    fill("good", 1);
    expected.emplace_back("good-" + std::to_string(filled));
  }
  std::vector<std::string> others;
  for (const std::string& id : line()) {
    if (!id.starts_with("good")) others.push_back(id);
  }
  std::vector<JobId> taken;
  while (taken.size() < expected.size()) {
    const auto ids = take(4);
    ASSERT_FALSE(ids.empty());
    taken.insert(taken.end(), ids.begin(), ids.end());
  }
  EXPECT_EQ(taken, expected);
  EXPECT_EQ(line(), others);
}

TEST_F(AdmissionScanTest, ReadsTheFunctionFromTheData) {
  admit.function_field = "data.func";
  fill("__default__", 3'000, R"({"data":{"func":"nobody"}})");
  fill("__default__", 2, R"({"data":{"func":"good"}})");
  fill("__default__", 3'000, R"({"data":{"func":"nobody"}})");
  EXPECT_THAT(take(), ElementsAre(JobId("__default__-3001"), JobId("__default__-3002")));
}

TEST_F(AdmissionScanTest, ScansFromTheFrontWhenAFunctionBecomesAvailable) {
  serve("shut", true);
  fill("shut", 3'000);
  fill("good", 1);
  fill("shut", 3'000);
  EXPECT_THAT(take(), ElementsAre(JobId("good-3001")));
  serve("shut");
  EXPECT_THAT(turn(3), ElementsAre(JobId("shut-1"), JobId("shut-2"), JobId("shut-3")));
  serve("shut", true);
  (void)hashes_read();
  fill("good", 1);
  EXPECT_THAT(take(), ElementsAre(JobId("good-6002")));
  EXPECT_LT(hashes_read(), 4'000) << "for the other function the scan goes on where it was";
}

TEST_F(AdmissionScanTest, TakesInOrderWhenMoreJobsAreFoundThanRemembered) {
  fill("nobody", 1'000);
  serve("shut", true);
  fill("shut", 1'000);
  fill("good", 1);
  EXPECT_THAT(take(), SizeIs(1));
  serve("shut");
  for (int next = 1'001; next <= 2'000;) {
    const auto ids = take(50);
    ASSERT_FALSE(ids.empty());
    for (const JobId& id : ids) ASSERT_EQ(id, JobId("shut-" + std::to_string(next++)));
  }
}

TEST_F(AdmissionScanTest, FindsItsPlaceAgainAfterClientsTookAndAddedJobs) {
  fill("nobody", 30'000);
  fill("good", 1);
  EXPECT_THAT(take(), SizeIs(1));
  (void)hashes_read();
  (void)call({"LTRIM", key("wait"), "0", "-9001"});  // a peer took 9 000
  for (int i = 0; i < 100; ++i)
    (void)call({"LREM", key("wait"), "1", "nobody-" + std::to_string(20'000 + i)});
  fill("good", 1);
  EXPECT_THAT(take(), SizeIs(1));
  EXPECT_LT(hashes_read(), 3'000);
  (void)call({"LTRIM", key("wait"), "50", "-1"});  // the last that were scanned are gone
  for (int i = 0; i < 70; ++i) (void)call({"RPUSH", key("wait"), "nobody-" + std::to_string(20'200 + i)});
  fill("good", 1);
  EXPECT_THAT(take(), SizeIs(1));
  EXPECT_LT(hashes_read(), 3'000);
}

TEST_F(AdmissionScanTest, RestartsWhenNoKnownJobIsLeft) {
  fill("nobody", 5'000);
  fill("good", 1);
  EXPECT_THAT(take(), SizeIs(1));
  (void)call({"DEL", key("wait")});
  fill("nobody", 9'000);
  fill("good", 2);
  fill("nobody", 1'000);
  EXPECT_THAT(take(), SizeIs(2));
}

TEST_F(AdmissionScanTest, FindsAPrioritizedJobInTheScannedPart) {
  serve("urgent");
  for (int i = 0; i < 1'500; ++i) (void)context->add("nobody", {.priority = 1});
  for (int i = 0; i < 1'500; ++i) (void)context->add("nobody", {.priority = 3});
  (void)context->add("good");
  EXPECT_THAT(take(), SizeIs(1));
  (void)hashes_read();
  const JobId middle = context->add("urgent", {.priority = 2});
  EXPECT_THAT(take(), ElementsAre(middle));
  EXPECT_LT(hashes_read(), 1'500);
}

TEST_F(AdmissionScanTest, FindsAnUnnoticedJobInTheScannedPartWithinTwoMinutes) {
  fill("nobody", 3'000);
  fill("good", 2);
  EXPECT_THAT(take(1), ElementsAre(JobId("good-3001")));
  EXPECT_THAT(take(1), ElementsAre(JobId("good-3002")));
  EXPECT_THAT(turn(), IsEmpty());
  (void)call({"EVAL", kFill, "1", key(""), "9", "9", "good", "{}"});
  (void)call({"LREM", key("wait"), "1", "good-9"});
  (void)call({"LINSERT", key("wait"), "BEFORE", "nobody-1500", "good-9"});
  std::vector<JobId> ids;
  for (int second = 0; second < 120 && ids.empty(); ++second) {
    fixture->advance(Duration(1'000));
    ids = turn();
  }
  EXPECT_THAT(ids, ElementsAre(JobId("good-9")));
}

TEST_F(AdmissionScanTest, RepeatsTheReplyOfARequestThatTookFromTheMiddle) {
  fill("nobody", 2'000);
  fill("good", 5);
  fill("nobody", 2'000);
  EXPECT_THAT(take(1), ElementsAre(JobId("good-2001")));
  TakeRequest turn = context->take_request(3);
  turn.filter = admit;
  const auto first = context->send(turn).taken;
  const auto again = context->send(turn).taken;
  ASSERT_THAT(first, SizeIs(3));
  EXPECT_EQ(first, again);
  EXPECT_THAT(take(), ElementsAre(JobId("good-2005")));
}

TEST_F(AdmissionScanTest, TakesNothingWhilePausedAndContinuesAfterwards) {
  fill("nobody", 3'000);
  fill("good", 2);
  EXPECT_THAT(take(1), SizeIs(1));
  EXPECT_TRUE(context->now(context->store().pause(context->queue)));
  EXPECT_THAT(turn(), IsEmpty());
  EXPECT_TRUE(context->now(context->store().resume(context->queue)));
  EXPECT_THAT(take(), ElementsAre(JobId("good-3002")));
}

/// Two hosts, and a client that takes, adds and removes anywhere: no job is lost, taken twice or moved.
TEST_F(AdmissionScanTest, LosesNoJobBesideOtherClients) {
  std::mt19937_64 random(kLong ? fixture->random().next() : 7);
  const auto other =
      bull::make_bull_store(fixture->client(), {fixture->clock(), fixture->random(), fixture->loop()},
                            {.prefix = fixture->prefix()});
  std::set<std::string> goods, taken;
  const auto add = [&](const char* name, JobOptions options) {
    const JobId id = context->add(name, std::move(options));
    if (std::string_view(name) == "good") goods.insert(id.value);
  };
  fill("nobody", 3'000);
  std::uint64_t operation = 0;
  for (int round = 0; round < (kLong ? 3'000 : 300); ++round) {
    switch (random() % 6) {
      case 0: add("good", {}); break;
      case 1: add("good", {.priority = 1 + static_cast<std::uint32_t>(random() % 5)}); break;
      case 2: add("nobody", {.priority = 1 + static_cast<std::uint32_t>(random() % 5)}); break;
      case 3: add(random() % 4 == 0 ? "good" : "nobody", {.lifo = true}); break;
      case 4: {
        const redis::Reply id = call({"RPOPLPUSH", key("wait"), key("active")});
        if (id.text() == nullptr) break;
        (void)call({"SET", key(*id.text() + ":lock"), "a-peer"});
        goods.erase(*id.text());
        break;
      }
      default: (void)call({"LREM", key("wait"), "1", "nobody-" + std::to_string(random() % 3'000)});
    }
    if (round % 3 != 0) continue;
    Store& store = round % 2 == 0 ? context->store() : *other;
    TakeRequest turn{.queue = context->queue, .take = 2, .filter = admit, .worker = "w"};
    turn.op = {SessionName(round % 2 == 0 ? "one" : "two"), ++operation};
    for (const Taken& one : context->must(store.finish_and_take(turn)).taken) {
      EXPECT_TRUE(taken.insert(one.job.id.value).second) << one.job.id.value << " was taken twice";
      EXPECT_EQ(one.function, FunctionName("good"));
    }
  }
  for (int i = 0; i < 400 && taken.size() < goods.size(); ++i) {
    if (i % 5 == 0) fixture->advance(Duration(10'000));  // time for an audit
    for (const JobId& id : turn()) EXPECT_TRUE(taken.insert(id.value).second);
  }
  EXPECT_EQ(taken, goods);
  for (const std::string& id : line()) EXPECT_FALSE(goods.contains(id) || id.starts_with("gaur")) << id;
}

}  // namespace
}  // namespace gaur::conformance
