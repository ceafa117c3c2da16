// The index of ready jobs by function: a turn visits few records however many jobs it may not take, in every
// way that a job comes into the line and leaves it; and folders of disk format 1 get the index when opened.
#include <gmock/gmock.h>

#include <cstdlib>

#include "base/system_env.hpp"
#include "engine_fixture.hpp"

namespace gaur::test {

using embedded::JobNumber;
using embedded::Key;
using embedded::Table;
using embedded::Walk;
using ::testing::ElementsAre;

constexpr std::uint64_t kFewRecords = 64;  // a constant: of the walk, its leaps and what is taken

class IndexTest : public EngineTest {
 protected:
  /// Room for anything; "open" is served, "shut" is closed, others are not served.
  static AdmissionFilter admit(std::string field = {}) {
    AdmissionFilter admit{.free = {.cores = 64, .memory_bytes = 1ULL << 40},
                          .function_field = std::move(field)};
    admit.needs[FunctionName("open")] = {.cores = 1};
    admit.needs[FunctionName("also-open")] = {.cores = 1};
    admit.needs[FunctionName("shut")] = {.cores = 1, .unavailable = true};
    return admit;
  }
  TakeReply take_by(const AdmissionFilter& which, std::uint32_t at_most = 9) {
    TakeRequest turn = turn_of(at_most);
    turn.filter = which;
    return run(turn);
  }
  std::vector<std::string> taken_by(const AdmissionFilter& which, std::uint32_t at_most = 9) {
    std::vector<std::string> out;
    for (const Taken& taken : take_by(which, at_most).taken) out.push_back(taken.job.id.value);
    return out;
  }
  void add_many(std::size_t count, const NewJob& job) {
    for (std::size_t left = count; left > 0;) {
      const std::size_t now = std::min<std::size_t>(left, 10'000);
      ASSERT_TRUE(add(std::vector<NewJob>(now, job)));
      left -= now;
    }
  }
  /// Every ready job stands in the index once, under the hash of its function, and nothing else does.
  void expect_whole_index() {
    auto txn = must(Txn::begin(*env, Txn::Mode::kRead));
    std::size_t ready = 0, indexed = 0;
    for (Walk walk(*txn, Table::kReady, {}); !walk.done(); walk.next(), ++ready) {
      const auto entry = embedded::ready_entry_of(walk.value());
      ASSERT_TRUE(entry);
      const auto key = embedded::function_key(embedded::u32_at(walk.key(), 0), entry->function,
                                              embedded::place_in_line(walk.key()));
      EXPECT_TRUE(txn->get(Table::kByFunction, key.view())) << "job " << entry->job;
    }
    for (Walk walk(*txn, Table::kByFunction, {}); !walk.done(); walk.next()) ++indexed;
    EXPECT_EQ(ready, indexed);
  }
  /// Rewrites the open store as a program of disk format 1 would have left it.
  void make_format_1() {
    {
      auto txn = must(Txn::begin(*env, Txn::Mode::kWrite));
      for (Walk walk(*txn, Table::kByFunction, {}); !walk.done();) walk.erase();
      std::vector<std::pair<std::string, JobNumber>> entries;
      for (Walk walk(*txn, Table::kReady, {}); !walk.done(); walk.next())
        entries.emplace_back(walk.key(), embedded::number_of(walk.value()).value());
      for (const auto& [key, job] : entries) txn->put(Table::kReady, key, embedded::number_value(job));
      std::vector<std::pair<std::string, std::string>> queues;
      for (Walk walk(*txn, Table::kMeta, "q"); !walk.done(); walk.next()) {
        auto payload = embedded::open_record(walk.value(), embedded::Magic::kQueue, walk.key());
        ASSERT_TRUE(payload);
        payload->remove_suffix(4 + embedded::decode_queue(walk.value(), walk.key())->function_field.size());
        std::string record;
        embedded::begin_record(record);
        record.append(*payload);
        embedded::seal_record(record, embedded::Magic::kQueue, walk.key());
        queues.emplace_back(walk.key(), record);
      }
      for (const auto& [key, record] : queues) txn->put(Table::kMeta, key, record);
      std::string record;
      embedded::begin_record(record);
      record.append("\x01\0\0\0", 4);
      embedded::seal_record(record, embedded::Magic::kFormat, embedded::kFormatKey);
      txn->put(Table::kMeta, embedded::kFormatKey, record);
      ASSERT_EQ(txn->commit(), 0);
    }
    reopen();
  }
};

TEST_F(IndexTest, ATurnVisitsFewRecordsHoweverManyItMayNotTake) {
  const bool all = std::getenv("GAUR_LONG") != nullptr;
  const std::size_t each = all ? 500'000 : 50'000;
  add_many(each, {"nobody-serves-this", "{}", {}});
  add_many(each, {"shut", "{}", {}});
  const std::string runnable = add_one({}, "open").value;
  const SystemClock real;
  const Instant start = real.now();
  EXPECT_THAT(taken_by(admit()), ElementsAre(runnable));
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(real.now() - start);
  RecordProperty("microseconds", std::to_string(took.count()));
  if (all) {
    EXPECT_LE(took, 100ms);
  }
  EXPECT_LE(engine->visited(), kFewRecords);
  EXPECT_TRUE(taken_by(admit()).empty());
  EXPECT_LE(engine->visited(), kFewRecords) << "finding nothing is as cheap";
}

TEST_F(IndexTest, JobsThatNeedTooMuchArePassedAsCheaply) {
  AdmissionFilter which = admit();
  which.backfill = true;
  which.needs[FunctionName("big")] = {.cores = 128};
  which.needs[FunctionName("open")].ends_before_head = true;
  add_many(20'000, {"big", "{}", {}});
  const std::string runnable = add_one({}, "open").value;
  EXPECT_THAT(taken_by(which), ElementsAre(runnable));
  EXPECT_LE(engine->visited(), kFewRecords);
}

TEST_F(IndexTest, FunctionsThatAreNotListedAreFoundAmongMany) {
  AdmissionFilter which = admit();
  which.default_needs = Needs{.cores = 1};
  add_many(20'000, {"shut", "{}", {}});
  const std::string one = add_one({}, "anything").value;
  const std::string two = add_one({}, "open").value;
  EXPECT_THAT(taken_by(which), ElementsAre(one, two));
  EXPECT_LE(engine->visited(), kFewRecords);
}

TEST_F(IndexTest, TheOrderOfHandingOutHoldsOverFunctions) {
  add_many(100, {"shut", "{}", {}});
  const std::string first = add_one({}, "open").value;
  add_many(100, {"shut", "{}", {}});
  const std::string second = add_one({}, "also-open").value;
  add_many(100, {"nobody-serves-this", "{}", {.priority = 2}});
  const std::string low = add_one({.priority = 9}, "open").value;
  const std::string high = add_one({.priority = 3}, "also-open").value;
  const std::string front = add_one({.lifo = true}, "also-open").value;
  EXPECT_THAT(taken_by(admit()), ElementsAre(front, first, second, high, low));
}

TEST_F(IndexTest, FollowsAJobOnEveryWayIntoTheLineAndOut) {
  add_many(100, {"shut", "{}", {}});
  const JobId delayed = add_one({.delay = 5s}, "open");
  const JobId other = add_one({.id = JobId("mine")}, "open");
  EXPECT_THAT(taken_by(admit()), ElementsAre("mine"));
  expect_whole_index();
  reopen();  // gives it back
  expect_whole_index();
  const TakeReply again = take_by(admit());
  ASSERT_EQ(again.taken.size(), 1U);
  ASSERT_TRUE(finish(again.taken[0], outcome::Failed{}));
  ASSERT_TRUE(step([&](Engine& e) { return e.retry({q, other}, true); }));
  ASSERT_TRUE(step([&](Engine& e) { return e.promote({q, delayed}); }));
  ASSERT_TRUE(step([&](Engine& e) { return e.change_priority({q, delayed}, 4, false); }));
  expect_whole_index();
  ASSERT_TRUE(step([&](Engine& e) { return e.cancel({q, JobId("1")}, "me", "test"); }));
  ASSERT_TRUE(step([&](Engine& e) { return e.remove({q, JobId("2")}); }));
  expect_whole_index();
  EXPECT_THAT(taken_by(admit()), ElementsAre("mine", delayed.value));
  ASSERT_TRUE(step([&](Engine& e) { return e.drain(q, true, 1000); }));
  expect_whole_index();
  add_many(10, {"open", "{}", {}});
  ASSERT_TRUE(step([&](Engine& e) { return e.obliterate(q, true, 1000); }));
  expect_whole_index();
}

TEST_F(IndexTest, FollowsTheDataAndTheFieldThatNamesTheFunction) {
  add_many(100, {"open", R"({"func":"shut"})", {}});
  EXPECT_TRUE(taken_by(admit("func")).empty());
  ASSERT_TRUE(step([&](Engine& e) { return e.update_data({q, JobId("90")}, R"({"func":"also-open"})"); }));
  expect_whole_index();
  EXPECT_THAT(taken_by(admit("func")), ElementsAre("90"));
  EXPECT_LE(engine->visited(), kFewRecords);
  EXPECT_EQ(taken_by(admit(""), 3).size(), 3U) << "now the name tells the function";
  expect_whole_index();
  reopen();
  EXPECT_EQ(taken_by(admit(""), 3).size(), 3U);
}

TEST_F(IndexTest, AnAbortedTransactionLeavesTheIndexAsItWas) {
  add_many(30, {"shut", R"({"func":"open"})", {}});
  ASSERT_TRUE(engine->begin(now()));
  TakeRequest turn = turn_of(5);
  turn.filter = admit("func");
  ASSERT_TRUE(engine->turn(turn));
  engine->abort();
  expect_whole_index();
  EXPECT_TRUE(taken_by(admit("")).empty());
  EXPECT_EQ(taken_by(admit("func")).size(), 9U);
  expect_whole_index();
}

TEST_F(IndexTest, AFolderOfFormat1IsIndexedWhenItIsOpened) {
  add_many(2'000, {"nobody-serves-this", "{}", {}});
  const std::string first = add_one({}, "open").value;
  const std::string second = add_one({.priority = 7}, "also-open").value;
  const std::string running = add_one({}, "open").value;
  const QueueName other("other");
  ASSERT_TRUE(step([&](Engine& e) { return e.add({other, {{"open", "{}", {}}}, {}, 0}); }));
  const auto before = ids(State::kWaiting);
  make_format_1();
  expect_whole_index();
  EXPECT_EQ(ids(State::kWaiting), before);
  EXPECT_THAT(taken_by(admit()), ElementsAre(first, running, second));
  EXPECT_LE(engine->visited(), kFewRecords);
  reopen();
  expect_whole_index();
}

TEST_F(IndexTest, WaitingFunctionsAreCountedUpToABound) {
  add_many(1'500, {"many", "{}", {}});
  add_many(2, {"few", "{}", {.priority = 3}});
  const auto found = must(look([&](Snapshot& s) { return s.waiting_functions(q, "", 100); }));
  EXPECT_THAT(found, ElementsAre(WaitingFunction{FunctionName("few"), 2, true},
                                 WaitingFunction{FunctionName("many"), 1'000, false}));
}

}  // namespace gaur::test
