// A full disk: a limit of the file size stands for it, so that no file system has to be mounted.
#include <gmock/gmock.h>

#include <sys/resource.h>

#include <csignal>

#include "base/system_env.hpp"
#include "embedded/embedded_store.hpp"
#include "temp_folder.hpp"

namespace gaur::test {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

/// While it lives, no file of this process may grow above the limit: writes above it are short or fail.
class FileLimit {
 public:
  explicit FileLimit(std::uint64_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    old_handler_ = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, old_handler_);
  }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;

 private:
  rlimit before_{};
  sighandler_t old_handler_ = SIG_DFL;
};

class FullDiskTest : public ::testing::Test {
 protected:
  const QueueName q{"query"};

  void SetUp() override { open(); }
  void open(std::uint64_t map_bytes = 1ULL << 32) {
    EmbeddedOptions options;
    options.folder = folder.path();
    options.reserve_bytes = 4 << 20;
    options.map_bytes = map_bytes;
    options.on_fatal = [this](const Error& error) { fatal = error.message; };
    auto opened = open_embedded(options, clock, loop);
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    store = *std::move(opened);
  }
  Result<std::vector<Added>> add(std::size_t jobs, std::size_t bytes = 2, JobOptions options = {}) {
    const NewJob job{"top", '"' + std::string(bytes, 'x') + '"', std::move(options)};
    return store->add({q, std::vector<NewJob>(jobs, job), {}, 0}).get();
  }
  TakeRequest request(std::uint32_t take, std::vector<Finish> finished = {}) {
    TakeRequest made;
    made.queue = q;
    made.op = {SessionName("w"), ++sequence};
    made.take = take;
    made.finished = std::move(finished);
    made.worker = "host";
    return made;
  }
  TakeReply run(const TakeRequest& request) {
    auto reply = store->finish_and_take(request).get();
    EXPECT_TRUE(reply.has_value()) << reply.error().message;
    return reply.value_or(TakeReply{});
  }
  static Finish completed(const Taken& taken, std::size_t bytes) {
    return {taken.job.id, taken.token, outcome::Completed{'"' + std::string(bytes, 'r') + '"'}, {}, {}};
  }
  static std::vector<Finish> all_completed(const std::vector<Taken>& taken, std::size_t bytes) {
    std::vector<Finish> finished;
    for (const Taken& one : taken) finished.push_back(completed(one, bytes));
    return finished;
  }
  std::uint64_t count(State state) { return (*store->counts(q).get())[state]; }
  std::uint64_t used() { return store->stats().file_bytes; }
  template <class Condition>
  void until(Condition condition) {
    const Instant end = clock.now() + 20s;
    while (!condition() && clock.now() < end) store->counts(q).get().value();
    EXPECT_TRUE(condition());
  }

  TempFolder folder;
  SystemClock clock;
  ThreadLoop loop{"test-loop"};
  std::string fatal;
  std::unique_ptr<EmbeddedStore> store;
  std::uint64_t sequence = 0;
};

TEST_F(FullDiskTest, TakesOnlyJobsWhoseResultsFit) {
  constexpr std::size_t kResult = (1 << 20) - 2;
  ASSERT_TRUE(add(20));
  std::uint64_t starts = 0;
  {
    const FileLimit limit(used() + (10 << 20));
    TakeReply reply = run(request(20));
    EXPECT_GE(reply.taken.size(), 4U) << "the reserve is used for them";
    EXPECT_LE(reply.taken.size(), 9U) << "each may store 1 MiB";
    EXPECT_TRUE(reply.next.store_full);
    while (!reply.taken.empty()) {
      starts += reply.taken.size();
      const std::size_t finishes = reply.taken.size();
      reply = run(request(20, all_completed(reply.taken, kResult)));
      ASSERT_EQ(reply.finished.size(), finishes);
      for (const auto& finish : reply.finished) EXPECT_TRUE(finish.has_value());
    }
    EXPECT_TRUE(reply.next.store_full);
    EXPECT_EQ(count(State::kCompleted), starts);
    EXPECT_TRUE(store->stats().full);
    EXPECT_TRUE(store->stats().starts_blocked);
    EXPECT_EQ(add(1).error().code, Errc::kStoreFull);
  }
  until([&] { return !store->stats().full; });
  EXPECT_FALSE(store->stats().starts_blocked);
  EXPECT_TRUE(add(1));
  const TakeReply rest = run(request(30));
  EXPECT_EQ(rest.taken.size(), 21 - starts);
  for (const Taken& taken : rest.taken) EXPECT_EQ(taken.job.attempts_started, 1U);
  EXPECT_EQ(fatal, "");
}

TEST_F(FullDiskTest, ReservesWhatTheFunctionMayStore) {
  ASSERT_TRUE(add(1));
  TakeRequest seven_mebibytes = request(1);
  seven_mebibytes.filter.emplace();
  seven_mebibytes.filter->free = {1, 0};
  seven_mebibytes.filter->needs[FunctionName("top")].result_bytes = 7 << 20;
  const FileLimit limit(used() + (6 << 20));
  EXPECT_TRUE(run(seven_mebibytes).taken.empty());
  TakeRequest one_mebibyte = request(1);
  one_mebibyte.filter = seven_mebibytes.filter;
  one_mebibyte.filter->needs[FunctionName("top")].result_bytes = 1 << 20;
  EXPECT_EQ(run(one_mebibyte).taken.size(), 1U);
  EXPECT_GT(store->stats().reserved_bytes, 1U << 20);
  EXPECT_LT(store->stats().reserved_bytes, 2U << 20);
}

/// The guard's calculation is bypassed: the limit comes after the jobs were taken.
TEST_F(FullDiskTest, CommitThatFailsIsRepeatedWhenThereIsSpace) {
  for (const std::uint64_t odd : {0, 1000}) {  // an error, and a short write
    ASSERT_TRUE(add(1));
    const TakeReply taken = run(request(1));
    ASSERT_EQ(taken.taken.size(), 1U);
    const TakeRequest finish = request(0, all_completed(taken.taken, 900'000));
    {
      const FileLimit limit(used() + odd);
      const auto reply = store->finish_and_take(finish).get();
      ASSERT_FALSE(reply.has_value());
      EXPECT_EQ(reply.error().code, Errc::kStoreFull) << reply.error().message;
      EXPECT_EQ(store->get({q, taken.taken.front().job.id}).get()->state, State::kActive);
    }
    const TakeReply reply = run(finish);
    ASSERT_EQ(reply.finished.size(), 1U);
    EXPECT_TRUE(reply.finished.front().has_value());
    const auto job = store->get({q, taken.taken.front().job.id}).get();
    EXPECT_EQ(job->state, State::kCompleted);
    EXPECT_EQ(job->attempts_started, 1U);
  }
  EXPECT_EQ(fatal, "");
}

TEST_F(FullDiskTest, RemovedJobsMakeSpace) {
  const FileLimit limit(used() + (20 << 20));
  std::uint64_t added = 0;
  while (add(1, 500'000, {.delay = Duration(3'600'000)})) ASSERT_LT(++added, 100U);
  EXPECT_GT(added, 5U);
  ASSERT_TRUE(add(1, 500'000).error().code == Errc::kStoreFull);
  EXPECT_TRUE(store->drain(q, true).get());
  until([&] { return add(1, 500'000).has_value(); });
  EXPECT_EQ(run(request(1)).taken.size(), 1U);
  EXPECT_EQ(fatal, "");
}

TEST_F(FullDiskTest, FullMapIsAFullDisk) {
  store.reset();
  open(16 << 20);
  std::uint64_t added = 0;
  while (add(1, 500'000)) ASSERT_LT(++added, 100U);
  EXPECT_GT(added, 2U);
  std::uint64_t finished = 0;
  TakeReply reply = run(request(1));
  while (!reply.taken.empty()) {
    reply = run(request(1, all_completed(reply.taken, 250'000)));
    finished += reply.finished.size();
  }
  EXPECT_EQ(count(State::kCompleted), finished);
  EXPECT_GT(finished, 0U);
  EXPECT_EQ(fatal, "");
}

TEST_F(FullDiskTest, LogLinesOfARunHaveTheirSpace) {
  ASSERT_TRUE(add(2));
  const FileLimit limit(used() + (3 << 20));
  const TakeReply taken = run(request(1));
  ASSERT_EQ(taken.taken.size(), 1U);
  EXPECT_TRUE(store->stats().full);
  const JobRef job{q, taken.taken.front().job.id};
  const std::vector<std::string> lines(10, std::string(10'000, 'l'));
  EXPECT_TRUE(store->append_logs(job, lines).get());
  EXPECT_TRUE(store->append_logs(job, lines).get());
  EXPECT_EQ(store->append_logs(job, lines).get().error().code, Errc::kStoreFull) << "more than is reserved";
  EXPECT_EQ(store->append_logs({q, JobId("2")}, {"line"}).get().error().code, Errc::kStoreFull)
      << "not active";
  EXPECT_TRUE(store->update_progress(job, taken.taken.front().token, "50").get());
  const TakeReply reply = run(request(0, {completed(taken.taken.front(), 1'000'000)}));
  EXPECT_TRUE(reply.finished.front().has_value());
}

}  // namespace gaur::test
