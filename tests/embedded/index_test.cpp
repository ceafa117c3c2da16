// The index of ready jobs by function: a take request reads few records however many jobs it skips, and the
// index follows every verb that makes a job ready or not. Also the migration of older disk formats.
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>

#include "base/files.hpp"
#include "base/system_env.hpp"
#include "engine_fixture.hpp"

namespace gaur::test {

using embedded::JobNumber;
using embedded::PrefixScan;
using embedded::Table;
using ::testing::ElementsAre;

constexpr std::uint64_t kFewRecords = 64;  // independent of the number of jobs

class IndexTest : public EngineTest {
 protected:
  /// Fits every job. "open" and "also-open" are served, "shut" is unavailable, others are not served.
  static AdmissionFilter host_filter(std::string field = {}) {
    AdmissionFilter filter{.free = {.cores = 64, .memory_bytes = 1ULL << 40},
                           .function_field = std::move(field)};
    filter.needs[FunctionName("open")] = {.cores = 1};
    filter.needs[FunctionName("also-open")] = {.cores = 1};
    filter.needs[FunctionName("shut")] = {.cores = 1, .unavailable = true};
    return filter;
  }
  TakeReply take_by(const AdmissionFilter& which, std::uint32_t at_most = 9) {
    TakeRequest request = take_request(at_most);
    request.filter = which;
    return run(request);
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
  /// The index contains each ready job once, under the hash of its function, and nothing else.
  void expect_whole_index() {
    auto txn = must(Txn::begin(*env, Txn::Mode::kRead));
    std::size_t ready = 0, indexed = 0;
    for (PrefixScan scan(*txn, Table::kReady, {}); !scan.done(); scan.next(), ++ready) {
      const auto entry = embedded::decode_ready_entry(scan.value());
      ASSERT_TRUE(entry);
      const auto key = embedded::function_key(embedded::u32_at(scan.key(), 0), entry->function,
                                              embedded::priority_and_order(scan.key()));
      EXPECT_TRUE(txn->get(Table::kByFunction, key.view())) << "job " << entry->job;
    }
    for (PrefixScan scan(*txn, Table::kByFunction, {}); !scan.done(); scan.next()) ++indexed;
    EXPECT_EQ(ready, indexed);
  }
  /// Rewrites the store in disk format 1 and reopens it.
  void make_format_1() {
    write_format_1();
    reopen();
  }
  void make_format(char format) {
    write_format(format);
    reopen();
  }
  void write_format_1() {
    {
      auto txn = must(Txn::begin(*env, Txn::Mode::kWrite));
      for (PrefixScan scan(*txn, Table::kByFunction, {}); !scan.done();) scan.erase();
      std::vector<std::pair<std::string, JobNumber>> entries;
      for (PrefixScan scan(*txn, Table::kReady, {}); !scan.done(); scan.next())
        entries.emplace_back(scan.key(), embedded::decode_job_number(scan.value()).value());
      for (const auto& [key, job] : entries) txn->put(Table::kReady, key, embedded::encode_job_number(job));
      std::vector<std::pair<std::string, std::string>> queues;
      for (PrefixScan scan(*txn, Table::kMeta, "q"); !scan.done(); scan.next()) {
        auto payload = embedded::open_record(scan.value(), embedded::Magic::kQueue, scan.key());
        ASSERT_TRUE(payload);
        payload->remove_suffix(4 + embedded::decode_queue(scan.value(), scan.key())->function_field.size());
        std::string record;
        embedded::begin_record(record);
        record.append(*payload);
        embedded::seal_record(record, embedded::Magic::kQueue, scan.key());
        queues.emplace_back(scan.key(), record);
      }
      for (const auto& [key, record] : queues) txn->put(Table::kMeta, key, record);
      ASSERT_EQ(txn->commit(), 0);
    }
    write_format(1);
  }
  /// Moves the sessions to the table of formats 1 and 2, and writes the format.
  void write_format(char format) {
    MDB_txn* txn = nullptr;
    MDB_dbi old_table = 0;
    MDB_cursor* sessions = nullptr;
    ASSERT_EQ(mdb_txn_begin(env->get(), nullptr, 0, &txn), 0);
    ASSERT_EQ(mdb_dbi_open(txn, "lanes", MDB_CREATE, &old_table), 0);
    ASSERT_EQ(mdb_cursor_open(txn, env->table(Table::kSessions), &sessions), 0);
    std::vector<std::pair<std::string, std::string>> entries;
    MDB_val key{}, value{};
    while (mdb_cursor_get(sessions, &key, &value, MDB_NEXT) == 0)
      entries.emplace_back(embedded::to_view(key), embedded::to_view(value));
    mdb_cursor_close(sessions);
    std::string record;
    embedded::begin_record(record);
    record.append(std::string{format, '\0', '\0', '\0'});
    embedded::seal_record(record, embedded::Magic::kFormat, embedded::kFormatKey);
    const auto put = [&](MDB_dbi table, std::string_view at, std::string_view what) {
      MDB_val k = embedded::to_val(at), v = embedded::to_val(what);
      ASSERT_EQ(mdb_put(txn, table, &k, &v, 0), 0);
    };
    for (const auto& [session, reply] : entries) put(old_table, session, reply);
    ASSERT_EQ(mdb_drop(txn, env->table(Table::kSessions), 1), 0);
    put(env->table(Table::kMeta), embedded::kFormatKey, record);
    ASSERT_EQ(mdb_txn_commit(txn), 0);
  }
  void close() {
    engine.reset();
    env.reset();
  }
  /// Opens the store in a process that is killed after this time; returns whether it was still opening it.
  bool open_and_kill(std::chrono::microseconds after) {
    const pid_t child = ::fork();
    if (child == 0) {
      open();
      ::_exit(0);
    }
    const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(after);
    const timespec time{0, static_cast<long>(nanoseconds.count())};
    ::ppoll(nullptr, 0, &time, nullptr);
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status);
  }
};

TEST_F(IndexTest, TakeReadsFewRecordsHoweverManyItSkips) {
  const bool all = std::getenv("GAUR_LONG") != nullptr;
  const std::size_t each = all ? 500'000 : 50'000;
  add_many(each, {"unserved", "{}", {}});
  add_many(each, {"shut", "{}", {}});
  const std::string runnable = add_one({}, "open").value;
  const SystemClock real;
  const Instant start = real.now();
  EXPECT_THAT(taken_by(host_filter()), ElementsAre(runnable));
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(real.now() - start);
  RecordProperty("microseconds", std::to_string(took.count()));
  if (all) {
    EXPECT_LE(took, 100ms);
  }
  EXPECT_LE(engine->visited(), kFewRecords);
  EXPECT_TRUE(taken_by(host_filter()).empty());
  EXPECT_LE(engine->visited(), kFewRecords) << "also without a result";
}

TEST_F(IndexTest, SkipsManyJobsThatDoNotFit) {
  AdmissionFilter which = host_filter();
  which.backfill = true;
  which.needs[FunctionName("big")] = {.cores = 128};
  which.needs[FunctionName("open")].ends_before_head = true;
  add_many(20'000, {"big", "{}", {}});
  const std::string runnable = add_one({}, "open").value;
  EXPECT_THAT(taken_by(which), ElementsAre(runnable));
  EXPECT_LE(engine->visited(), kFewRecords);
}

TEST_F(IndexTest, WithoutSpaceReadsFewRecords) {
  constexpr std::uint64_t kNoBytes = 0;
  embedded::SpaceGuard full(*env, kNoBytes, kNoBytes);
  add_many(1'000, {"open", "{}", {}});
  engine->use_space(full);
  const TakeReply reply = run(take_request(9));
  EXPECT_TRUE(reply.taken.empty());
  EXPECT_TRUE(reply.next.store_full);
  EXPECT_FALSE(reply.next.more);
  EXPECT_LE(engine->visited(), kFewRecords);
}

TEST_F(IndexTest, FindsUnlistedFunctionsAmongMany) {
  AdmissionFilter which = host_filter();
  which.default_needs = Needs{.cores = 1};
  add_many(20'000, {"shut", "{}", {}});
  const std::string one = add_one({}, "anything").value;
  const std::string two = add_one({}, "open").value;
  EXPECT_THAT(taken_by(which), ElementsAre(one, two));
  EXPECT_LE(engine->visited(), kFewRecords);
}

TEST_F(IndexTest, KeepsOrderAcrossFunctions) {
  add_many(100, {"shut", "{}", {}});
  const std::string first = add_one({}, "open").value;
  add_many(100, {"shut", "{}", {}});
  const std::string second = add_one({}, "also-open").value;
  add_many(100, {"unserved", "{}", {.priority = 2}});
  const std::string low = add_one({.priority = 9}, "open").value;
  const std::string high = add_one({.priority = 3}, "also-open").value;
  const std::string front = add_one({.lifo = true}, "also-open").value;
  EXPECT_THAT(taken_by(host_filter()), ElementsAre(front, first, second, high, low));
}

TEST_F(IndexTest, FollowsEveryVerb) {
  add_many(100, {"shut", "{}", {}});
  const JobId delayed = add_one({.delay = 5s}, "open");
  const JobId other = add_one({.id = JobId("mine")}, "open");
  EXPECT_THAT(taken_by(host_filter()), ElementsAre("mine"));
  expect_whole_index();
  reopen();  // requeues it
  expect_whole_index();
  const TakeReply again = take_by(host_filter());
  ASSERT_EQ(again.taken.size(), 1U);
  ASSERT_TRUE(finish(again.taken[0], outcome::Failed{}));
  ASSERT_TRUE(step([&](Engine& e) { return e.retry({q, other}, true); }));
  ASSERT_TRUE(step([&](Engine& e) { return e.promote({q, delayed}); }));
  ASSERT_TRUE(step([&](Engine& e) { return e.change_priority({q, delayed}, 4, false); }));
  expect_whole_index();
  ASSERT_TRUE(step([&](Engine& e) { return e.cancel({q, JobId("1")}, "me", "test"); }));
  ASSERT_TRUE(step([&](Engine& e) { return e.remove({q, JobId("2")}); }));
  expect_whole_index();
  EXPECT_THAT(taken_by(host_filter()), ElementsAre("mine", delayed.value));
  ASSERT_TRUE(step([&](Engine& e) { return e.drain(q, true, 1000); }));
  expect_whole_index();
  add_many(10, {"open", "{}", {}});
  ASSERT_TRUE(step([&](Engine& e) { return e.obliterate(q, true, 1000); }));
  expect_whole_index();
}

TEST_F(IndexTest, FollowsDataAndFunctionField) {
  add_many(100, {"open", R"({"func":"shut"})", {}});
  EXPECT_TRUE(taken_by(host_filter("func")).empty());
  ASSERT_TRUE(step([&](Engine& e) { return e.update_data({q, JobId("90")}, R"({"func":"also-open"})"); }));
  expect_whole_index();
  EXPECT_THAT(taken_by(host_filter("func")), ElementsAre("90"));
  EXPECT_LE(engine->visited(), kFewRecords);
  EXPECT_EQ(taken_by(host_filter(""), 3).size(), 3U) << "now the name is the function";
  expect_whole_index();
  reopen();
  EXPECT_EQ(taken_by(host_filter(""), 3).size(), 3U);
}

TEST_F(IndexTest, AbortRevertsIndex) {
  add_many(30, {"shut", R"({"func":"open"})", {}});
  ASSERT_TRUE(engine->begin(now()));
  TakeRequest request = take_request(5);
  request.filter = host_filter("func");
  ASSERT_TRUE(engine->finish_and_take(request));
  engine->abort();
  expect_whole_index();
  EXPECT_TRUE(taken_by(host_filter("")).empty());
  EXPECT_EQ(taken_by(host_filter("func")).size(), 9U);
  expect_whole_index();
}

TEST_F(IndexTest, MigratesFormat1) {
  add_many(2'000, {"unserved", "{}", {}});
  const std::string first = add_one({}, "open").value;
  const std::string second = add_one({.priority = 7}, "also-open").value;
  const std::string running = add_one({}, "open").value;
  const QueueName other("other");
  ASSERT_TRUE(step([&](Engine& e) { return e.add({other, {{"open", "{}", {}}}, {}, 0}); }));
  const auto before = ids(State::kWaiting);
  make_format_1();
  expect_whole_index();
  EXPECT_EQ(ids(State::kWaiting), before);
  EXPECT_THAT(taken_by(host_filter()), ElementsAre(first, running, second));
  EXPECT_LE(engine->visited(), kFewRecords);
  reopen();
  expect_whole_index();
}

TEST_F(IndexTest, MigrationSurvivesKills) {
  add_many(3'000, {"open", "{}", {}});
  const std::string last = add_one({.priority = 7}, "also-open").value;
  const auto before = ids(State::kWaiting);
  write_format_1();
  close();
  const auto file = folder.path() / "data.mdb";
  const std::string old_bytes = *read_file(file, std::uintmax_t{1} << 30);
  const SystemClock time;
  const Instant start = time.now();
  open();
  const auto takes = std::chrono::duration_cast<std::chrono::microseconds>(time.now() - start);
  close();
  SeededRandom random(3);
  int killed = 0;
  for (int round = 0; round < 50; ++round) {
    std::ofstream(file, std::ios::binary) << old_bytes;
    const auto after = random.below(static_cast<std::uint64_t>(takes.count()) * 3 / 2);
    killed += open_and_kill(std::chrono::microseconds(after)) ? 1 : 0;
    open();
    expect_whole_index();
    ASSERT_EQ(ids(State::kWaiting), before);
    ASSERT_EQ(ids(State::kPrioritized), std::vector{last});
    close();
  }
  EXPECT_GT(killed, 5) << "no kill hit a migration";
  open();
}

TEST_F(IndexTest, MigratesSessionsOfFormat2) {
  const OperationId producer{SessionName("producer"), 7}, other{SessionName("other"), 1};
  const auto first = add({{"open", "{}", {}}}, producer);
  ASSERT_TRUE(add({{"open", "{}", {}}}, other));
  make_format(2);
  EXPECT_EQ(*add({{"open", "{}", {}}}, producer), *first);
  EXPECT_EQ(counts()[State::kWaiting], 2U) << "the session is still known";
  EXPECT_EQ(add({{"open", "{}", {}}}, {SessionName("producer"), 6}).error().code, Errc::kInvalidArgument);
  reopen();
  EXPECT_EQ(*add({{"open", "{}", {}}}, producer), *first);
}

TEST_F(IndexTest, CountsWaitingFunctionsUpToLimit) {
  add_many(1'500, {"many", "{}", {}});
  add_many(2, {"few", "{}", {.priority = 3}});
  const auto found = must(look([&](Snapshot& s) { return s.waiting_functions(q, "", 100); }));
  EXPECT_THAT(found, ElementsAre(WaitingFunction{FunctionName("few"), 2, true},
                                 WaitingFunction{FunctionName("many"), 1'000, false}));
}

}  // namespace gaur::test
