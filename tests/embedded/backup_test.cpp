// Backups while the store is in use, and restores.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include "base/files.hpp"
#include "base/system_env.hpp"
#include "child_output.hpp"
#include "embedded/backup.hpp"
#include "embedded/embedded_store.hpp"
#include "embedded/salvage.hpp"
#include "embedded/store_folder.hpp"
#include "temp_folder.hpp"

namespace gaur::test {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class BackupTest : public ::testing::Test {
 protected:
  const QueueName q{"query"};
  const TempFolder folder;
  const fs::path data = folder.path() / "data";
  const fs::path backup = folder.path() / "backups/one.mdb";

  void open(const fs::path& path) {
    auto opened =
        open_embedded({.folder = path, .reserve_bytes = 1 << 20, .map_bytes = 1ULL << 32}, clock, loop);
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    store = *std::move(opened);
  }
  std::string add() {
    const auto added = store->add({q, {{"top", R"({"n":1})", {}}}, {}, 0}).get();
    EXPECT_TRUE(added.has_value()) << added.error().message;
    return added ? added->front().id.value : "";
  }
  std::uint64_t waiting() { return (*store->counts(q).get())[State::kWaiting]; }
  embedded::Now now() const { return {clock.wall(), clock.now()}; }
  /// Also in free pages, whose old records do not matter.
  static void flip_records(const fs::path& file, std::string_view magic) {
    std::string bytes = *read_file(file, 1 << 30);
    for (std::size_t at = 0; (at = bytes.find(magic, at)) != std::string::npos; ++at) bytes[at + 14] ^= 1;
    std::ofstream(file, std::ios::binary) << bytes;
  }
  void make_backup() {
    open(data);
    for (int i = 0; i < 10; ++i) add();
    store.reset();
    fs::create_directories(backup.parent_path());
    const auto report = embedded::back_up(data, backup);
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_EQ(report->check.jobs, 10U);
  }

  SystemClock clock;
  ThreadLoop loop{"test-loop"};
  std::unique_ptr<EmbeddedStore> store;
};

TEST_F(BackupTest, CopiesStoreThatAnotherProcessWrites) {
  open(data);
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> acknowledged{0};
  std::thread writer([&] {
    for (; !stop; ++acknowledged) add();
  });
  for (std::uint64_t i = 0; i < 5; ++i) {
    while (acknowledged < 50 * (i + 1)) std::this_thread::yield();
    const std::uint64_t before = acknowledged;
    const fs::path file = folder.path() / fmt::format("backup-{}.mdb", i);
    const ChildOutput made = run_child({program("damage_driver"), "backup", data.string(), file.string()});
    EXPECT_EQ(made.code, 0) << made.text;
    ASSERT_TRUE(made.text.starts_with("jobs ")) << made.text;
    const std::uint64_t jobs = std::stoull(made.text.substr(5));
    EXPECT_GE(jobs, before) << "acknowledged jobs are in the backup";
    EXPECT_LE(jobs, acknowledged + 1);
    EXPECT_FALSE(fs::exists(file.string() + ".part"));
  }
  stop = true;
  writer.join();
}

TEST_F(BackupTest, RejectsExistingFileAndDamagedStore) {
  make_backup();
  EXPECT_EQ(embedded::back_up(data, backup).error().code, Errc::kAlreadyExists);
  flip_records(data / "store/data.mdb", "GauB");
  const auto report = embedded::back_up(data, folder.path() / "other.mdb");
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, Errc::kCorrupt);
  EXPECT_THAT(report.error().message, HasSubstr("gaur doctor"));
  EXPECT_FALSE(fs::exists(folder.path() / "other.mdb.part"));
}

TEST_F(BackupTest, RejectsMissingFolderOfTheFile) {
  make_backup();
  const fs::path missing = folder.path() / "disk";
  const auto report = embedded::back_up(data, missing / "one.mdb");
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, Errc::kNotFound);
  EXPECT_THAT(report.error().message, HasSubstr("there is no folder " + missing.string()));
  EXPECT_FALSE(fs::exists(missing));
}

TEST_F(BackupTest, RejectsFolderInPlaceOfABackup) {
  make_backup();
  const auto report = embedded::restore({data, folder.path() / "restored"}, now());
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, Errc::kInvalidArgument);
  EXPECT_THAT(report.error().message, HasSubstr(data.string() + " is a folder, not a file"));
  EXPECT_FALSE(fs::exists(folder.path() / "restored"));
}

TEST_F(BackupTest, SalvageOfAFileWithoutRecordsFails) {
  for (const std::string& content : {std::string(), std::string(100'000, 'x')}) {
    const fs::path file = folder.path() / "empty.mdb";
    std::ofstream(file, std::ios::binary) << content;
    const auto source = embedded::PageFile::open(file.string());
    ASSERT_TRUE(source.has_value());
    const auto report = embedded::salvage(*source, folder.path() / "salvaged", now());
    ASSERT_FALSE(report.has_value());
    EXPECT_EQ(report.error().code, Errc::kCorrupt);
    EXPECT_THAT(report.error().message, HasSubstr("nothing to save"));
    EXPECT_FALSE(fs::exists(folder.path() / "salvaged"));
  }
}

TEST_F(BackupTest, RejectsStoreOfHostWithoutItsLockFile) {
  open(data);
  add();
  fs::remove(data / "store/lock.mdb");
  const fs::path file = folder.path() / "one.mdb";
  const ChildOutput made = run_child({program("damage_driver"), "backup", data.string(), file.string()});
  EXPECT_EQ(made.code, 1);
  EXPECT_THAT(made.text, HasSubstr("lock.mdb was deleted while a host uses the store"));
}

TEST_F(BackupTest, RestoresIntoNewFolderAndSkipsIds) {
  make_backup();
  const fs::path target = folder.path() / "restored";
  const auto report = embedded::restore({backup, target, false, 1000}, now());
  ASSERT_TRUE(report.has_value()) << report.error().message;
  open(target);
  EXPECT_EQ(waiting(), 10U);
  EXPECT_EQ(add(), "1011");
  store.reset();
  open(target);
  EXPECT_EQ(add(), "1012");
  EXPECT_NE((*embedded::read_marker(target))->ids, (*embedded::read_marker(data))->ids);
}

TEST_F(BackupTest, RejectsSkippedIdsThatExceedTheLargestId) {
  make_backup();
  const fs::path target = folder.path() / "restored";
  for (const std::uint64_t skip : {embedded::kMostSkippedIds + 1, UINT64_MAX - 4, UINT64_MAX}) {
    const auto report = embedded::restore({backup, target, false, skip}, now());
    ASSERT_FALSE(report.has_value()) << skip;
    EXPECT_EQ(report.error().code, Errc::kInvalidArgument);
    EXPECT_FALSE(fs::exists(target / "store"));
  }
  ASSERT_TRUE(embedded::restore({backup, target, false, embedded::kMostSkippedIds}, now()).has_value());
  open(target);
  EXPECT_EQ(add(), "1000000000011");
}

TEST_F(BackupTest, OnlyRestoreMakesAStoreOfIt) {
  make_backup();
  open(data);
  EXPECT_EQ(add(), "11");
  // The state after a crash: the file store-id is that of the last start.
  const fs::path crashed = folder.path() / "crashed";
  fs::copy(data, crashed, fs::copy_options::recursive);
  store.reset();
  fs::copy_file(backup, crashed / "store/data.mdb", fs::copy_options::overwrite_existing);
  const fs::path fresh = folder.path() / "fresh";
  fs::create_directories(fresh / "store");
  fs::copy_file(backup, fresh / "store/data.mdb");
  for (const fs::path& path : {crashed, fresh}) {
    const auto opened = open_embedded({.folder = path, .map_bytes = 1ULL << 32}, clock, loop);
    ASSERT_FALSE(opened.has_value()) << path;
    EXPECT_EQ(opened.error().code, Errc::kCorrupt);
    EXPECT_THAT(
        opened.error().message,
        AllOf(HasSubstr("the data file is a backup"),
              HasSubstr(fmt::format("gaur restore {0}/store/data.mdb --data {0} --replace", path.string()))));
    ASSERT_TRUE(embedded::restore({path / "store/data.mdb", path, true, 1000}, now()).has_value());
    open(path);
    EXPECT_EQ(waiting(), 10U);
    EXPECT_EQ(add(), "1011") << "11 was given before the crash";
    store.reset();
  }
}

TEST_F(BackupTest, BackupOfARestoredStoreIsABackupToo) {
  make_backup();
  const fs::path second = folder.path() / "backups/two.mdb";
  ASSERT_TRUE(embedded::restore({backup, data, true}, now()).has_value());
  ASSERT_TRUE(embedded::back_up(data, second).has_value());
  for (const fs::path& file : {backup, second})
    EXPECT_TRUE(embedded::check_store(*embedded::PageFile::open(file.string()))->format->backup) << file;
  EXPECT_FALSE(
      embedded::check_store(*embedded::PageFile::open((data / "store/data.mdb").string()))->format->backup);
}

TEST_F(BackupTest, ReplacesStoreOnlyIfRequested) {
  make_backup();
  open(data);
  EXPECT_EQ(add(), "11");
  EXPECT_EQ(embedded::restore({backup, data, true}, now()).error().code, Errc::kBusy) << "a host uses it";
  store.reset();
  EXPECT_EQ(embedded::restore({backup, data}, now()).error().code, Errc::kAlreadyExists);
  const auto report = embedded::restore({backup, data, true, 1000}, now());
  ASSERT_TRUE(report.has_value()) << report.error().message;
  open(data);
  EXPECT_EQ(waiting(), 10U);
  EXPECT_EQ(add(), "1011") << "11 was a job of the replaced store";
  EXPECT_TRUE(fs::exists(data / "store.replaced/data.mdb"));
}

TEST_F(BackupTest, ReplacesDamagedAndMissingStore) {
  make_backup();
  fs::resize_file(data / "store/data.mdb", 5000);
  ASSERT_TRUE(embedded::restore({backup, data, true}, now()).has_value());
  open(data);
  EXPECT_EQ(waiting(), 10U);
  store.reset();
  fs::remove_all(data / "store");
  EXPECT_EQ(embedded::restore({backup, data}, now()).error().code, Errc::kAlreadyExists)
      << "store-id names one";
  ASSERT_TRUE(embedded::restore({backup, data, true}, now()).has_value());
  open(data);
  EXPECT_EQ(waiting(), 10U);
}

/// Files of this process may not become larger, as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
};

TEST_F(BackupTest, FullDiskLeavesStoreAsItWas) {
  make_backup();
  const auto source = embedded::PageFile::open(backup.string());
  {
    const FileSizeLimit full(32 << 10);
    const auto saved = embedded::back_up(data, folder.path() / "second.mdb");
    ASSERT_FALSE(saved.has_value());
    EXPECT_EQ(saved.error().code, Errc::kStoreFull) << saved.error().message;
    EXPECT_THAT(saved.error().message, HasSubstr("second.mdb"));
    const auto restored = embedded::restore({backup, data, true}, now());
    ASSERT_FALSE(restored.has_value());
    EXPECT_EQ(restored.error().code, Errc::kStoreFull) << restored.error().message;
    EXPECT_THAT(restored.error().message, HasSubstr("store.new"));
    const auto salvaged = embedded::salvage(*source, folder.path() / "salvaged", now());
    ASSERT_FALSE(salvaged.has_value());
    EXPECT_EQ(salvaged.error().code, Errc::kStoreFull) << salvaged.error().message;
    EXPECT_THAT(salvaged.error().message, HasSubstr("salvaged"));
  }
  EXPECT_FALSE(fs::exists(folder.path() / "second.mdb.part"));
  EXPECT_FALSE(fs::exists(data / "store.new"));
  EXPECT_FALSE(fs::exists(folder.path() / "salvaged/store.new"));
  open(data);
  EXPECT_EQ(waiting(), 10U);
}

TEST_F(BackupTest, RejectsFolderOfAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can make a folder of another user";
  make_backup();
  const fs::path target = folder.path() / "restored";
  fs::create_directory(target);
  ASSERT_EQ(::chown(target.c_str(), 12345, 12345), 0);
  const auto report = embedded::restore({backup, target}, now());
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, Errc::kPermission);
  EXPECT_THAT(report.error().message, HasSubstr("sudo -u '#12345' gaur restore"));
  EXPECT_TRUE(fs::is_empty(target));
}

TEST_F(BackupTest, RejectsDamagedBackup) {
  make_backup();
  flip_records(backup, "GauS");
  const auto report = embedded::restore({backup, folder.path() / "restored"}, now());
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, Errc::kCorrupt);
  EXPECT_FALSE(fs::exists(folder.path() / "restored/store"));
}

}  // namespace gaur::test
