// Disks that are full, damaged, or written by a newer version.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mount.h>

#include <fstream>

#include "base/system_env.hpp"
#include "embedded/embedded_store.hpp"
#include "engine_fixture.hpp"

namespace gaur::test {

using ::testing::HasSubstr;

TEST_F(EngineTest, RejectsNewerDiskFormat) {
  {
    auto txn = must(Txn::begin(*env, Txn::Mode::kWrite));
    std::string record;
    embedded::begin_record(record);
    record.append("\x63\0\0\0", 4);
    embedded::seal_record(record, embedded::Magic::kFormat, embedded::kFormatKey);
    txn->put(embedded::Table::kMeta, embedded::kFormatKey, record);
    ASSERT_EQ(txn->commit(), 0);
  }
  const auto opened = Engine::open(*env, Semantics::bullmq(), now());
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Errc::kNewerFormat);
  EXPECT_THAT(opened.error().message, HasSubstr("disk format 99"));
}

TEST_F(EngineTest, ReportsDamagedJobAndTakesOthers) {
  for (int i = 0; i < 3; ++i) add_one();
  const embedded::JobKey second{1, 2};
  {
    auto txn = must(Txn::begin(*env, Txn::Mode::kWrite));
    const embedded::Key key(second);
    std::string body(*txn->get(embedded::Table::kBody, key.view()));
    body[body.size() / 2] ^= 1;
    txn->put(embedded::Table::kBody, key.view(), body);
    ASSERT_EQ(txn->commit(), 0);
  }
  const auto damaged = look([&](Snapshot& s) { return s.get({q, JobId("2")}); });
  ASSERT_FALSE(damaged.has_value());
  EXPECT_EQ(damaged.error().code, Errc::kCorrupt);
  EXPECT_THAT(damaged.error().message, HasSubstr("job 2"));
  const TakeReply reply = take(3);
  ASSERT_EQ(reply.taken.size(), 2U);
  EXPECT_EQ(reply.taken[1].job.id.value, "3");
}

TEST_F(EngineTest, OpensWithDamagedState) {
  for (int i = 0; i < 2; ++i) add_one();
  take(1);
  {
    auto txn = must(Txn::begin(*env, Txn::Mode::kWrite));
    const embedded::Key key(embedded::JobKey{1, 1});
    std::string state(*txn->get(embedded::Table::kState, key.view()));
    state[40] ^= 4;
    txn->put(embedded::Table::kState, key.view(), state);
    ASSERT_EQ(txn->commit(), 0);
  }
  reopen();
  EXPECT_EQ(take(5).taken.size(), 1U);
}

/// A small tmpfs. Mounting it requires root.
class SmallDisk {
 public:
  explicit SmallDisk(const std::filesystem::path& at) : at_(at) {
    mounted_ = ::mount("gaur-test", at.c_str(), "tmpfs", 0, "size=12m") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(at_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }

 private:
  std::filesystem::path at_;
  bool mounted_ = false;
};

TEST(FullDisk, RejectsAddsButFinishesJobsUntilThereIsSpace) {
  TempFolder folder;
  const SmallDisk disk(folder.path());
  if (!disk.mounted()) GTEST_SKIP() << "cannot mount a tmpfs (requires root)";
  SystemClock clock;
  ThreadLoop loop("test-loop");
  EmbeddedOptions options;
  options.folder = folder.path() / "data";
  options.reserve_bytes = 2 << 20;
  options.map_bytes = 1ULL << 32;
  auto store = must(open_embedded(options, clock, loop));
  const QueueName q("query");
  const AddRequest ten_jobs{
      q, std::vector<NewJob>(10, NewJob{"top", '"' + std::string(8000, 'x') + '"', {}}), {}, 0};

  std::uint64_t acknowledged = 0;
  Error rejected;
  for (int i = 0; i < 1000 && rejected.message.empty(); ++i) {
    const auto added = store->add(ten_jobs).get();
    if (added) acknowledged += added->size();
    if (!added) rejected = added.error();
  }
  EXPECT_EQ(rejected.code, Errc::kStoreFull) << rejected.message;
  EXPECT_GT(acknowledged, 50U);
  {
    // Another program uses the remaining disk space.
    std::ofstream filler(folder.path() / "filler", std::ios::binary);
    while (filler.write(std::string(65536, 'f').data(), 65536)) filler.flush();
  }

  std::uint64_t finished = 0;
  TakeRequest request;
  request.queue = q;
  request.worker = "host";
  request.take = 10;
  for (request.op = {SessionName("w"), 1}; finished < acknowledged; ++request.op.sequence) {
    const auto reply = store->finish_and_take(request).get();
    ASSERT_TRUE(reply.has_value()) << reply.error().message;
    for (const auto& result : reply->finished) finished += result ? 1 : 0;
    request.finished.clear();
    for (const Taken& taken : reply->taken) {
      request.finished.push_back({taken.job.id, taken.token, outcome::Completed{R"({"rows":100})"}, {}, {}});
    }
    ASSERT_FALSE(reply->taken.empty() && finished < acknowledged) << finished << " of " << acknowledged;
  }
  EXPECT_EQ(store->counts(q).get()->of[static_cast<std::size_t>(State::kCompleted)], acknowledged);
  EXPECT_EQ(store->add(ten_jobs).get().error().code, Errc::kStoreFull);

  std::filesystem::remove(folder.path() / "filler");
  ASSERT_EQ(::mount("gaur-test", folder.path().c_str(), "tmpfs", MS_REMOUNT, "size=32m"), 0);
  const auto again = store->add(ten_jobs).get();
  EXPECT_TRUE(again.has_value()) << again.error().message;
  store.reset();
  store = must(open_embedded(options, clock, loop));
  EXPECT_EQ(store->counts(q).get()->of[static_cast<std::size_t>(State::kWaiting)], 10U);
}

}  // namespace gaur::test
