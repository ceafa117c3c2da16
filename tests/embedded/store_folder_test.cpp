// Which data folders open: a store that proves complete, or a folder without any sign of one. Everything else
// is rejected with a message that says what is wrong and what to type.
#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <future>
#include <thread>

#include "../crash/child.hpp"
#include "base/files.hpp"
#include "base/system_env.hpp"
#include "child_output.hpp"
#include "embedded/embedded_store.hpp"
#include "embedded/job_view.hpp"
#include "embedded/store_folder.hpp"
#include "temp_folder.hpp"

namespace gaur::test {

namespace fs = std::filesystem;
using embedded::Key;
using embedded::LmdbEnv;
using embedded::PrefixScan;
using embedded::Table;
using embedded::Txn;
using ::testing::AllOf;
using ::testing::HasSubstr;

class StoreFolderTest : public ::testing::Test {
 protected:
  const QueueName q{"query"};
  const TempFolder folder;
  const fs::path store_folder = folder.path() / "store";
  const fs::path data = store_folder / "data.mdb";

  static EmbeddedOptions options_for(const fs::path& path) {
    return {.folder = path, .reserve_bytes = 1 << 20, .map_bytes = 1ULL << 32};
  }
  Status try_open(EmbeddedOptions options) {
    auto opened = open_embedded(std::move(options), clock, loop);
    if (!opened) return opened.error();
    store = *std::move(opened);
    return ok();
  }
  Status try_open() { return try_open(options_for(folder.path())); }
  void open() {
    const Status opened = try_open();
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
  }
  Result<std::vector<Added>> add(int count = 1) {
    AddRequest request{
        q, std::vector<NewJob>(static_cast<std::size_t>(count), NewJob{"top", R"({"n":1})", {}}), {}, 0};
    return store->add(std::move(request)).get();
  }
  /// A store with 300 jobs, closed.
  void make_store() {
    open();
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(add(100).has_value());
    store.reset();
  }
  void expect_rejected(const std::string& what) {
    const Status opened = try_open();
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code, Errc::kCorrupt);
    EXPECT_THAT(opened.error().message, AllOf(HasSubstr(what), HasSubstr("gaur restore")));
    EXPECT_FALSE(try_open().has_value()) << "the second start is rejected too";
  }
  std::string bytes() { return *read_file(data, 1 << 30); }
  void write(const std::string& content) { std::ofstream(data, std::ios::binary) << content; }
  /// Changes the closed store through LMDB, so that every page and checksum is valid.
  template <class Change>
  void change(Change change) {
    auto env = LmdbEnv::open({store_folder, 1ULL << 32, false, true});
    ASSERT_TRUE(env.has_value());
    auto txn = Txn::begin(**env, Txn::Mode::kWrite);
    ASSERT_TRUE(txn.has_value());
    change(**env, **txn);
    ASSERT_EQ((*txn)->commit(), 0);
  }

  SystemClock clock;
  ThreadLoop loop{"test-loop"};
  std::unique_ptr<EmbeddedStore> store;
};

TEST_F(StoreFolderTest, OpensNewFolderAndKeepsItsId) {
  open();
  EXPECT_EQ(add()->front().id.value, "1");
  store.reset();
  const auto first = embedded::read_marker(folder.path());
  ASSERT_TRUE(first.has_value() && first->has_value());
  open();
  EXPECT_EQ(add()->front().id.value, "2");
  store.reset();
  const auto second = embedded::read_marker(folder.path());
  EXPECT_EQ((*first)->ids, (*second)->ids);
  EXPECT_GT((*second)->transaction, (*first)->transaction);
  EXPECT_FALSE(fs::exists(folder.path() / "store.new"));
}

TEST_F(StoreFolderTest, OpensAfterCrashDuringCreation) {
  fs::create_directories(folder.path() / "store.new");
  std::ofstream(folder.path() / "store.new/data.mdb") << "half";
  fs::create_directories(store_folder);  // as earlier versions left it
  open();
  EXPECT_EQ(add()->front().id.value, "1");
}

TEST_F(StoreFolderTest, RemovesStoreOfInterruptedRestore) {
  make_store();
  fs::create_directories(folder.path() / "store.new");
  std::ofstream(folder.path() / "store.new/data.mdb") << "half";
  open();
  EXPECT_EQ(add()->front().id.value, "301");
  EXPECT_FALSE(fs::exists(folder.path() / "store.new"));
}

TEST_F(StoreFolderTest, RejectsDataFileOfLengthZero) {
  make_store();
  write("");
  expect_rejected("the data file has length 0");
}

TEST_F(StoreFolderTest, RejectsMissingDataFile) {
  make_store();
  fs::remove(data);
  expect_rejected("data.mdb is missing");
  fs::remove(folder.path() / "store-id");
  expect_rejected("data.mdb is missing");  // lock.mdb is left
  fs::remove(store_folder / "lock.mdb");
  open();
  EXPECT_EQ(add()->front().id.value, "1");
}

TEST_F(StoreFolderTest, RejectsMissingFolderOfKnownStore) {
  make_store();
  fs::remove_all(store_folder);
  expect_rejected("store-id names a store");
}

TEST_F(StoreFolderTest, RejectsFlippedTableName) {
  make_store();
  std::string content = bytes();
  std::size_t flipped = 0;
  for (std::size_t at = 0; (at = content.find(std::string("\x05\0state", 7), at)) != std::string::npos;
       ++at, ++flipped)
    content[at + 3] ^= 1;
  ASSERT_GT(flipped, 0U);
  write(content);
  expect_rejected("the table state is missing");
}

TEST_F(StoreFolderTest, RejectsMissingTable) {
  make_store();
  change([](LmdbEnv& env, Txn& txn) {
    ASSERT_TRUE(txn.get(Table::kMeta, embedded::kFormatKey));
    ASSERT_EQ(mdb_drop(mdb_cursor_txn(txn.cursor(Table::kIds)), env.table(Table::kIds), 1), 0);
  });
  expect_rejected("the table ids is missing");
}

TEST_F(StoreFolderTest, RejectsMissingFormatRecord) {
  make_store();
  change([](LmdbEnv&, Txn& txn) { txn.erase(Table::kMeta, embedded::kFormatKey); });
  expect_rejected("the format record is missing");
}

TEST_F(StoreFolderTest, RejectsOldQueueRecord) {
  open();
  ASSERT_TRUE(add(50).has_value());
  store.reset();
  std::string old;
  const Key key = embedded::queue_key(q);
  change([&](LmdbEnv&, Txn& txn) { old = *txn.get(Table::kMeta, key.view()); });
  open();
  ASSERT_TRUE(add(50).has_value());
  // Without jobs above the old number only the second place of the number shows that the record is old.
  ASSERT_TRUE(store->drain(q, true).get().has_value());
  store.reset();
  change([&](LmdbEnv&, Txn& txn) {
    auto queue = *embedded::decode_queue(old, key.view());
    queue.counts = {};
    std::string record;
    encode_queue(queue, key.view(), record);
    txn.put(Table::kMeta, key.view(), record);
  });
  expect_rejected("its newest events record has 100");
}

TEST_F(StoreFolderTest, RejectsOldCopyOfDataFile) {
  make_store();
  const std::string old = bytes();
  open();
  ASSERT_TRUE(add(10).has_value());
  store.reset();
  write(old);
  expect_rejected("the data file is an old copy");
}

TEST_F(StoreFolderTest, RejectsOldCopyOfDataFileAfterCrash) {
  EmbeddedOptions options = options_for(folder.path() / "data");
  options.mark_interval = Duration(5);
  ASSERT_TRUE(try_open(options).has_value());
  ASSERT_TRUE(add(10).has_value());
  fs::copy_file(options.folder / "store/data.mdb", folder.path() / "old.mdb");
  const std::uint64_t before = (*embedded::read_marker(options.folder))->transaction;
  ASSERT_TRUE(add(10).has_value());
  ASSERT_TRUE(add(10).has_value());
  const Instant end = clock.now() + Duration(30'000);
  while ((*embedded::read_marker(options.folder))->transaction < before + 3 && clock.now() < end)
    std::this_thread::yield();
  const fs::path crashed = folder.path() / "crashed";
  fs::copy(options.folder, crashed, fs::copy_options::recursive);
  store.reset();
  fs::copy_file(folder.path() / "old.mdb", crashed / "store/data.mdb", fs::copy_options::overwrite_existing);
  const Status opened = try_open(options_for(crashed));
  ASSERT_FALSE(opened.has_value());
  EXPECT_THAT(opened.error().message, HasSubstr("the data file is an old copy"));
}

/// A store in "data", whose fatal error can be awaited.
class LostFolderTest : public StoreFolderTest {
 protected:
  void open_and_add() {
    EmbeddedOptions options = options_for(place);
    options.on_fatal = [fatal = fatal](const Error& error) { fatal->set_value(error.message); };
    ASSERT_TRUE(try_open(std::move(options)).has_value());
    ASSERT_EQ(add()->front().id.value, "1");
  }
  std::string wait_for_fatal() {
    auto message = fatal->get_future();
    const bool came = message.wait_for(std::chrono::seconds(30)) == std::future_status::ready;
    EXPECT_TRUE(came);
    return came ? message.get() : "";
  }
  const fs::path place = folder.path() / "data", other = folder.path() / "other";
  std::shared_ptr<std::promise<std::string>> fatal = std::make_shared<std::promise<std::string>>();
};

TEST_F(LostFolderTest, DeletedFolderStopsTheStoreBeforeItAcknowledges) {
  open_and_add();
  fs::remove_all(place);
  EXPECT_FALSE(add().has_value());
  EXPECT_FALSE(store->get({q, JobId("1")}).get().has_value());
  EXPECT_THAT(wait_for_fatal(), AllOf(HasSubstr((place / "store/data.mdb").string() + " was deleted while"),
                                      HasSubstr("gaur restore")));
  store.reset();
  EXPECT_FALSE(fs::exists(place)) << "nothing is written there any more";
}

TEST_F(LostFolderTest, DeletedFolderStopsAnIdleStore) {
  open_and_add();
  fs::remove_all(place);
  EXPECT_THAT(wait_for_fatal(), HasSubstr("was deleted while it was open"));
}

TEST_F(LostFolderTest, MovedFolderStopsAnIdleStoreAndKeepsItsJobs) {
  open_and_add();
  fs::rename(place, other);
  EXPECT_THAT(wait_for_fatal(),
              AllOf(HasSubstr((place / "store/data.mdb").string() + " was moved or replaced"),
                    HasSubstr("put the data folder back")));
  EXPECT_FALSE(add().has_value());
  store.reset();
  EXPECT_FALSE(fs::exists(place));
  ASSERT_TRUE(try_open(options_for(other)).has_value());
  EXPECT_EQ(add()->front().id.value, "2");
}

TEST_F(LostFolderTest, MovedStoreDoesNotWriteToAStoreInItsPlace) {
  open_and_add();
  fs::rename(place, other);
  auto first = std::move(store);
  ASSERT_TRUE(try_open(options_for(place)).has_value());
  EXPECT_EQ(add()->front().id.value, "1");
  wait_for_fatal();
  first.reset();
  store.reset();
  ASSERT_TRUE(try_open(options_for(place)).has_value()) << "store-id is still its own";
  EXPECT_EQ(add()->front().id.value, "2");
}

TEST_F(StoreFolderTest, RejectsDataFileOfAnotherStore) {
  make_store();
  const std::string foreign = bytes();
  fs::remove_all(store_folder);
  fs::remove(folder.path() / "store-id");
  make_store();
  write(foreign);
  expect_rejected("the data file is of another store");
}

TEST_F(StoreFolderTest, RejectsEntryThatDoesNotAgreeWithItsJob) {
  make_store();
  change([](LmdbEnv&, Txn& txn) {
    PrefixScan scan(txn, Table::kReady, {});
    const std::string key(scan.key()), value(scan.value());
    txn.erase(Table::kReady, key);
    txn.put(Table::kReady, Key().u32(1).u32(0).i64(77'777).view(), value);
  });
  expect_rejected("table ready does not agree with the jobs");
}

TEST_F(StoreFolderTest, ReportsMissingJobOfDamagedStoreAsDamage) {
  make_store();
  change([](LmdbEnv&, Txn& txn) {
    const Key key(embedded::JobKey{1, 7});
    std::string state(*txn.get(Table::kState, key.view()));
    state[40] ^= 4;
    txn.put(Table::kState, key.view(), state);
  });
  open();  // other jobs can be used
  ASSERT_TRUE(store->damage());
  EXPECT_THAT(*store->damage(), HasSubstr("the state of a job"));
  EXPECT_TRUE(store->get({q, JobId("8")}).get().has_value());
  EXPECT_EQ(store->get({q, JobId("7")}).get().error().code, Errc::kCorrupt);
  const auto unknown = store->get({q, JobId("900")}).get();
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().code, Errc::kCorrupt) << "it may be in the damaged part";
}

TEST_F(StoreFolderTest, ChecksLargeFileInBackground) {
  open();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(add(500).has_value());
  store.reset();
  change([](LmdbEnv&, Txn& txn) {
    const Key key(embedded::JobKey{1, 9'000});
    std::string state(*txn.get(Table::kState, key.view()));
    state[40] ^= 4;
    txn.put(Table::kState, key.view(), state);
  });
  auto opened = open_embedded({.folder = folder.path(),
                               .reserve_bytes = 1 << 20,
                               .map_bytes = 1ULL << 32,
                               .check_limit = Duration{0}},
                              clock, loop);
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  store = *std::move(opened);
  ASSERT_TRUE(add().has_value()) << "the store is in use meanwhile";
  const Instant end = clock.now() + Duration(30'000);
  while (!store->damage() && clock.now() < end) std::this_thread::yield();
  ASSERT_TRUE(store->damage());
  EXPECT_THAT(*store->damage(), HasSubstr("the state of a job"));
}

TEST_F(StoreFolderTest, OpensWithLargeEventsAndNames) {
  open();
  ASSERT_TRUE(add(2).has_value());
  TakeRequest take{.queue = q, .op = {SessionName("w"), 1}, .take = 1, .worker = std::string(3000, 'w')};
  const auto taken = store->finish_and_take(take).get();
  ASSERT_EQ(taken->taken.size(), 1U);
  TakeRequest finish{.queue = q, .op = {SessionName("w"), 2}, .worker = take.worker};
  finish.finished.push_back({taken->taken[0].job.id,
                             taken->taken[0].token,
                             outcome::Failed{{"bad", std::string(3500, 'm'), "", ""}, false},
                             {},
                             {}});
  ASSERT_TRUE(store->finish_and_take(finish).get().has_value());
  store.reset();
  open();
  EXPECT_EQ(store->get({q, JobId("1")}).get()->state, State::kFailed);
}

TEST_F(StoreFolderTest, ReportsTruncationWhileOpen) {
  open();
  ASSERT_TRUE(add(300).has_value());
  EXPECT_EQ(store->get({q, JobId("900")}).get().error().code, Errc::kNotFound);
  fs::resize_file(data, 0);
  const auto job = store->get({q, JobId("7")}).get();
  ASSERT_FALSE(job.has_value());
  EXPECT_EQ(job.error().code, Errc::kCorrupt);
  EXPECT_THAT(job.error().message, HasSubstr("truncated"));
  EXPECT_THAT(*store->damage(), HasSubstr("truncated"));
  EXPECT_FALSE(add().has_value());
}

TEST_F(StoreFolderTest, MigratesFormat3) {
  open();
  ASSERT_TRUE(add(20).has_value());
  store.reset();
  change([](LmdbEnv&, Txn& txn) {
    std::string record;
    embedded::begin_record(record);
    record.append("\x03\0\0\0", 4);
    embedded::seal_record(record, embedded::Magic::kFormat, embedded::kFormatKey);
    txn.put(Table::kMeta, embedded::kFormatKey, record);
    std::vector<std::pair<std::string, std::string>> events;
    for (PrefixScan scan(txn, Table::kEvents, {}); !scan.done(); scan.next()) {
      const auto payload = *embedded::open_record(scan.value(), embedded::Magic::kEvents, scan.key());
      embedded::begin_record(record);
      record.append(payload.substr(0, 4)).append(payload.substr(embedded::kEventsHeaderBytes));
      embedded::seal_record(record, embedded::Magic::kEvents, scan.key());
      events.emplace_back(scan.key(), record);
    }
    for (const auto& [key, event] : events) txn.put(Table::kEvents, key, event);
  });
  fs::remove(folder.path() / "store-id");
  for (int i = 0; i < 2; ++i) {
    open();
    EXPECT_EQ(store->events(q, "", 1000, Duration{0}).get()->events.size(),
              static_cast<std::size_t>(40 + 2 * i));
    ASSERT_TRUE(add().has_value());
    store.reset();
  }
  EXPECT_TRUE(embedded::read_marker(folder.path())->has_value());
}

TEST_F(StoreFolderTest, RootIsKeptOutOfTheFolderOfAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can make a folder of another user";
  constexpr uid_t kUser = 12345;
  const auto expect_kept_out = [&](const fs::path& named) {
    const Status opened = try_open();
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code, Errc::kPermission);
    EXPECT_THAT(
        opened.error().message,
        AllOf(HasSubstr(named.string() + " belongs to the user with the number 12345"),
              HasSubstr("sudo -u '#12345' gaur"), HasSubstr("chown -R root " + folder.path().string())));
  };
  ASSERT_EQ(::chown(folder.path().c_str(), kUser, kUser), 0);
  expect_kept_out(folder.path());
  EXPECT_TRUE(fs::is_empty(folder.path()));
  ASSERT_EQ(::chown(folder.path().c_str(), 0, 0), 0);
  make_store();
  ASSERT_EQ(::chown(folder.path().c_str(), kUser, kUser), 0);
  open();  // all files are root's: a volume of a container
  store.reset();
  for (const fs::path& file : {store_folder, data}) ASSERT_EQ(::chown(file.c_str(), kUser, kUser), 0);
  const std::string marker = *read_file(folder.path() / "store-id", 1000);
  expect_kept_out(store_folder);
  EXPECT_EQ(*read_file(folder.path() / "store-id", 1000), marker);
}

TEST_F(StoreFolderTest, ReadersOfDataFileShareItsLock) {
  using embedded::DataLock;
  make_store();
  {
    const auto first = embedded::lock_data_file(data, DataLock::kShared);
    EXPECT_TRUE(first.has_value());
    EXPECT_TRUE(embedded::lock_data_file(data, DataLock::kShared).has_value());
    const Status opened = try_open();
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code, Errc::kBusy);
  }
  open();
  EXPECT_EQ(embedded::lock_data_file(data, DataLock::kShared).error().code, Errc::kBusy);
}

TEST_F(StoreFolderTest, SecondProcessIsRejectedEvenWithoutLockFile) {
  crash::Child first({program("damage_driver"), "hold", folder.path().string()});
  ASSERT_EQ(first.line(), "open");
  fs::remove(folder.path() / "gaur.lock");
  const ChildOutput second = run_child({program("damage_driver"), "read", folder.path().string()});
  EXPECT_EQ(second.code, 1);
  EXPECT_THAT(second.text, AllOf(HasSubstr("busy: "), HasSubstr("data.mdb is in use by another process")));
  fs::remove(store_folder / "lock.mdb");  // LMDB's own lock file
  EXPECT_THAT(run_child({program("damage_driver"), "read", folder.path().string()}).text,
              HasSubstr("busy: "));
  first.kill();
  EXPECT_EQ(run_child({program("damage_driver"), "read", folder.path().string()}).code, 0);
}

}  // namespace gaur::test
