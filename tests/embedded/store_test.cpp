// The store with its threads: hand-off, waits, events, reopening, the lock of the folder.
#include <gmock/gmock.h>

#include <fcntl.h>
#include <unistd.h>

#include <atomic>

#include <fstream>

#include "base/system_env.hpp"
#include "embedded/embedded_store.hpp"
#include "temp_folder.hpp"

namespace gaur::test {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class StoreTest : public ::testing::Test {
 protected:
  const QueueName q{"query"};

  StoreTest() { open(); }
  void open() {
    auto opened = open_embedded({.folder = folder.path(), .reserve_bytes = 1 << 20, .map_bytes = 1ULL << 32},
                                clock, loop);
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    store = *std::move(opened);
  }
  JobId add(JobOptions options = {}) {
    auto added = store->add({q, {{"top", "{}", std::move(options)}}, {}, 0}).get();
    EXPECT_TRUE(added.has_value()) << added.error().message;
    return added->front().id;
  }
  TakeRequest take_request(std::uint32_t take, Duration park = 0ms) {
    TakeRequest request;
    request.queue = q;
    request.op = {SessionName("w"), ++number};
    request.take = take;
    request.worker = "host";
    request.long_poll = park;
    return request;
  }
  TakeReply run(TakeRequest request) {
    auto reply = store->finish_and_take(std::move(request)).get();
    EXPECT_TRUE(reply.has_value()) << reply.error().message;
    return reply.value_or(TakeReply{});
  }

  TempFolder folder;
  SystemClock clock;
  ThreadLoop loop{"test-loop"};
  std::unique_ptr<EmbeddedStore> store;
  std::uint64_t number = 0;
};

TEST_F(StoreTest, AddIsHandedOffToLongPoll) {
  auto long_poll = store->finish_and_take(take_request(4, 30s));
  auto added = store->add({q, {{"a", "{}", {}}, {"b", "{}", {}}}, {}, 0}).get();
  ASSERT_TRUE(added.has_value());
  EXPECT_EQ(added->at(0).state, State::kActive);
  EXPECT_EQ(added->at(1).state, State::kActive);
  const auto reply = std::move(long_poll).get();
  ASSERT_EQ(reply->taken.size(), 2U);
  EXPECT_EQ(reply->taken[0].job.name, "a");
  EXPECT_EQ(store->counts(q).get()->of[static_cast<std::size_t>(State::kActive)], 2U);
}

TEST_F(StoreTest, NextRequestOfSessionEndsLongPoll) {
  auto long_poll = store->finish_and_take(take_request(1, 30s));
  EXPECT_TRUE(run(take_request(0)).taken.empty());
  EXPECT_TRUE(std::move(long_poll).get()->taken.empty());
  add();
  EXPECT_EQ(run(take_request(1)).taken.size(), 1U) << "the ended request took nothing";
}

TEST_F(StoreTest, RepeatJoinsLongPoll) {
  const TakeRequest one = take_request(1, 30s);
  auto first = store->finish_and_take(one);
  auto second = store->finish_and_take(one);
  add();
  EXPECT_EQ(std::move(first).get()->taken, std::move(second).get()->taken);
}

TEST_F(StoreTest, LongPollEndsAtItsTimeout) {
  EXPECT_TRUE(run(take_request(1, 20ms)).taken.empty());
}

TEST_F(StoreTest, WaitForWorkReportsAddsAndCancels) {
  auto waiting = store->wait_for_work({"host", {q}, 30s});
  add();
  EXPECT_THAT(std::move(waiting).get()->queues, ElementsAre(q));
  const Taken taken = run(take_request(1)).taken.at(0);
  auto cancelled = store->wait_for_work({"host", {q}, 30s});
  EXPECT_EQ(*store->cancel({q, taken.job.id}, "ann", "too slow").get(), CancelReply::kRequested);
  const auto reply = std::move(cancelled).get();
  ASSERT_EQ(reply->cancels.size(), 1U);
  EXPECT_EQ(reply->cancels[0].token, taken.token);
  EXPECT_EQ(reply->cancels[0].why, "too slow");
  EXPECT_EQ(run(take_request(0)).cancels.size(), 1U) << "reported in every reply until the run ends";
  EXPECT_TRUE(store->wait_for_work({"host", {q}, 1ms}).get()->cancels.empty());
}

TEST_F(StoreTest, EventsAreReadFromCursor) {
  auto page = store->events(q, "", 100, 0ms).get();
  EXPECT_TRUE(page->events.empty());
  auto next = store->events(q, page->cursor, 100, 30s);
  add();
  page = std::move(next).get();
  ASSERT_EQ(page->events.size(), 2U);
  EXPECT_EQ(page->events[0].kind, EventKind::kAdded);
  EXPECT_EQ(page->events[0].detail, "top");
  EXPECT_TRUE(store->events(q, page->cursor, 100, 1ms).get()->events.empty());
  EXPECT_EQ(store->events(q, "1", 1, 0ms).get()->events.at(0).kind, EventKind::kWaiting);
  EXPECT_EQ(store->events(q, "never", 1, 0ms).get().error().code, Errc::kInvalidArgument);
}

TEST_F(StoreTest, EventLogKeepsTenThousandAndReportsGap) {
  std::vector<NewJob> many(3000, NewJob{"job", "{}", {}});
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(store->add({q, many, {}, 0}).get().has_value());
  const auto page = store->events(q, "5", 10, 0ms).get();
  EXPECT_TRUE(page->gap);
  EXPECT_EQ(page->events.at(0).cursor, "2001");
  EXPECT_FALSE(store->events(q, "2000", 10, 0ms).get()->gap);
  EXPECT_EQ(store->events(q, "11990", 100, 0ms).get()->events.size(), 10U);
}

TEST_F(StoreTest, AcknowledgedChangesSurviveReopening) {
  const JobId waiting = add();
  run(take_request(1));
  auto long_poll = store->finish_and_take(take_request(5, 30s));
  store.reset();
  const auto ended = std::move(long_poll).get();
  ASSERT_FALSE(ended.has_value());
  EXPECT_EQ(ended.error().code, Errc::kStopping);
  open();
  EXPECT_EQ(store->counts(q).get()->of[static_cast<std::size_t>(State::kWaiting)], 1U);
  EXPECT_EQ(store->position({q, waiting}).get()->before, 0U);
}

/// Ahead of the machine's clock by what the test added.
class JumpingClock final : public Clock {
 public:
  Instant now() const override { return machine_.now() + Duration(ahead_.load()); }
  Time wall() const override { return machine_.wall() + Duration(ahead_.load()); }
  void jump(Duration by) { ahead_ += by.count(); }

 private:
  SystemClock machine_;
  std::atomic<std::int64_t> ahead_{0};
};

TEST_F(StoreTest, PauseOfProcessCostsNoRun) {
  JumpingClock jumping;
  store.reset();
  for (const Duration pause : {Duration(500), Duration(0)}) {
    SCOPED_TRACE(pause.count());
    EmbeddedOptions options{.folder = folder.path(), .reserve_bytes = 1 << 20};
    options.pause = pause;
    options.map_bytes = 1ULL << 32;
    auto opened = open_embedded(std::move(options), jumping, loop);
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    store = *std::move(opened);
    const JobId id = add();
    TakeRequest take = take_request(1);
    take.lock = 30s;
    const Taken taken = run(std::move(take)).taken.at(0);
    jumping.jump(1h);
    const auto recovered = store->recover({.queue = q}).get();
    ASSERT_TRUE(recovered.has_value());
    EXPECT_EQ(recovered->requeued.size(), pause == Duration(0) ? 1U : 0U);
    TakeRequest done = take_request(0);
    done.finished = {{id, taken.token, outcome::Completed{}, {}, {}}};
    EXPECT_EQ(run(std::move(done)).finished.at(0).has_value(), pause != Duration(0));
    store.reset();  // before its clock
  }
}

TEST_F(StoreTest, SecondOpenReportsOwnerOfFolder) {
  const auto second = open_embedded({.folder = folder.path(), .map_bytes = 1ULL << 32}, clock, loop);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::kBusy);
  EXPECT_THAT(second.error().message, HasSubstr("process " + std::to_string(::getpid())));
}

TEST_F(StoreTest, DescriptorsAreCloseOnExec) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const auto target = std::filesystem::read_symlink(entry.path(), gone);
    if (gone || target.string().find(folder.path().string()) == std::string::npos) continue;
    const int flags = ::fcntl(std::stoi(entry.path().filename().string()), F_GETFD);
    EXPECT_NE(flags & FD_CLOEXEC, 0) << target;
  }
}

TEST_F(StoreTest, RejectsInvalidAddWithEveryProblem) {
  auto bad = store->add({q, {{"", "{", {.priority = 3'000'000}}}, {}, 0}).get();
  ASSERT_FALSE(bad.has_value());
  EXPECT_THAT(bad.error().message, AllOf(HasSubstr("name:"), HasSubstr("data:"), HasSubstr("priority:")));
  EXPECT_EQ(store->add({QueueName(std::string(481, 'q')), {{"x", "{}", {}}}, {}, 0}).get().error().code,
            Errc::kInvalidArgument);
  EXPECT_EQ(
      store->add({q, {{"x", "{}", {.parent = ParentRef{q, JobId("1"), {}}}}}, {}, 0}).get().error().code,
      Errc::kUnsupported);
  EXPECT_TRUE(store->queues().get()->empty());
}

TEST_F(StoreTest, DrainsCleansAndObliteratesQueues) {
  std::vector<NewJob> many(5000, NewJob{"job", "{}", {}});
  ASSERT_TRUE(store->add({q, many, {}, 0}).get().has_value());
  add({.delay = 1h});
  EXPECT_EQ(*store->drain(q, false).get(), 5000U);
  EXPECT_EQ(*store->drain(q, true).get(), 1U);
  add();
  const Taken taken = run(take_request(1)).taken.at(0);
  EXPECT_EQ(store->obliterate(q, false).get().error().code, Errc::kBusy);
  TakeRequest done = take_request(0);
  done.finished = {{taken.job.id, taken.token, outcome::Completed{}, {}, {}}};
  run(done);
  EXPECT_EQ(*store->clean(q, State::kCompleted, 0ms, 0).get(), 1U);
  EXPECT_TRUE(store->obliterate(q, false).get().has_value());
  EXPECT_TRUE(store->queues().get()->empty());
  EXPECT_EQ(add().value, "1") << "a new queue of the same name starts at 1";
  EXPECT_EQ(store->events(q, "", 100, 0ms).get()->events.size(), 2U);
}

TEST_F(StoreTest, KeepsNewestLogs) {
  const JobId id = add({.keep_logs = 2});
  EXPECT_EQ(*store->append_logs({q, id}, {"a", "b", "c"}).get(), 2U);
  EXPECT_EQ(*store->append_logs({q, id}, {"d"}).get(), 2U);
  const auto page = store->logs({q, id}, 0, 10).get();
  EXPECT_THAT(page->lines, ElementsAre("c", "d"));
  EXPECT_EQ(page->total, 2U);
}

TEST_F(StoreTest, CommitsConcurrentAddsTogether) {
  std::vector<Async<std::vector<Added>>> sent;
  for (int i = 0; i < 200; ++i) sent.push_back(store->add({q, {{"top", "{}", {}}}, {}, 0}));
  for (auto& one : sent) EXPECT_TRUE(std::move(one).get().has_value());
  const EmbeddedStats stats = store->stats();
  EXPECT_EQ(stats.jobs_added, 200U);
  EXPECT_EQ(stats.syncs, 2 * stats.commits);
  EXPECT_LE(stats.commits, 200U);
}

/// Makes every write to the file fail as on a defective disk: replaces its descriptors by read-only ones.
class ReadOnlyFile {
 public:
  explicit ReadOnlyFile(const std::filesystem::path& file) {
    const int read_only = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      const int fd = std::stoi(entry.path().filename());
      if (fd != read_only && std::filesystem::read_symlink(entry.path(), error) == file)
        writable_.push_back(fd);
    }
    for (const int fd : writable_) {
      kept_.push_back(::dup(fd));
      ::dup2(read_only, fd);
    }
    ::close(read_only);
  }
  ~ReadOnlyFile() {
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      ::dup2(kept_[i], writable_[i]);
      ::close(kept_[i]);
    }
  }
  ReadOnlyFile(const ReadOnlyFile&) = delete;
  ReadOnlyFile& operator=(const ReadOnlyFile&) = delete;

 private:
  std::vector<int> writable_, kept_;
};

TEST_F(StoreTest, AcknowledgesNothingAfterFailedWrite) {
  add();
  store.reset();
  Promise<Error> reported;
  EmbeddedOptions options;
  options.folder = folder.path();
  options.map_bytes = 1ULL << 32;
  options.on_fatal = [reported](const Error& error) { reported.set(error); };
  auto opened = open_embedded(options, clock, loop);
  ASSERT_TRUE(opened.has_value());
  store = *std::move(opened);
  auto long_poll = store->finish_and_take(
      {.queue = QueueName("other"), .op = {}, .take = 1, .worker = "host", .long_poll = 30s});
  {
    const ReadOnlyFile broken(folder.path() / "store/data.mdb");
    auto lost = store->add({q, {{"a", "{}", {}}}, {}, 0}).get();
    ASSERT_FALSE(lost.has_value());
    EXPECT_EQ(lost.error().code, Errc::kDisconnected) << "the outcome is unknown";
  }
  EXPECT_THAT(reported.future().get().message, HasSubstr("must be restarted"));
  EXPECT_FALSE(std::move(long_poll).get().has_value());
  EXPECT_EQ(store->add({q, {{"a", "{}", {}}}, {}, 0}).get().error().code, Errc::kIo);
  EXPECT_EQ(store->counts(q).get()->of[static_cast<std::size_t>(State::kWaiting)], 1U) << "reads still work";
  store.reset();
  open();
  EXPECT_EQ(store->counts(q).get()->of[static_cast<std::size_t>(State::kWaiting)], 1U);
  add();
}

}  // namespace gaur::test
