// An add adds all of its jobs or none, also when a connection is lost.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "bull_fixture.hpp"
#include "conformance/case_context.hpp"

namespace gaur::conformance {
namespace {

struct AddJobsTest : testing::Test {
  AddJobsTest()
      : fixture(std::make_unique<BullFixture>()),
        context(std::make_unique<CaseContext>(*fixture, Semantics::bull())) {
    redis::ClientOptions options;
    options.endpoint.unix_path = shared_redis().unix_path();
    other = redis::connect(options, {clock, random, loop});
    EXPECT_TRUE(other->ready().get());
  }
  std::int64_t other_says(redis::Command command) {
    const auto reply = other->call(std::move(command)).get();
    EXPECT_TRUE(reply);
    return reply && reply->integer() != nullptr ? *reply->integer() : -1;
  }
  std::int64_t waiting() { return other_says({"LLEN", fixture->prefix() + ":query:wait"}); }
  AddRequest many(std::size_t count) {
    return context->request(std::vector<NewJob>(count, NewJob{.name = "a"}));
  }

  SystemClock clock;
  SystemRandom random;
  ThreadLoop loop{"other"};
  std::unique_ptr<redis::Client> other;
  std::unique_ptr<BullFixture> fixture;
  std::unique_ptr<CaseContext> context;
};

TEST_F(AddJobsTest, AddsTheLargestRequestAtomically) {
  auto added = fixture->store().add(many(10'000));
  std::int64_t seen = 0;
  while (seen == 0) seen = waiting();
  EXPECT_EQ(seen, 10'000) << "a part of a request was to be seen";
  const auto answer = std::move(added).get();
  ASSERT_TRUE(answer) << answer.error().message;
  ASSERT_EQ(answer->size(), 10'000U);
  for (std::size_t i = 0; i < answer->size(); ++i) {
    ASSERT_EQ((*answer)[i].id, JobId(std::to_string(i + 1)));
    ASSERT_EQ((*answer)[i].position, i);
  }
  EXPECT_EQ(context->take_ids(2).front(), JobId("1"));
}

TEST_F(AddJobsTest, LeavesNoPartWhenTheConnectionIsLost) {
  constexpr std::int64_t kJobs = 2'000;
  for (std::uint64_t number = 1; number <= 20; ++number) {
    AddRequest request = many(kJobs);
    request.op = {SessionName("producer"), number};
    auto answer = fixture->store().add(request);
    if (number % 4 != 0) (void)other_says({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
    EXPECT_EQ(waiting() % kJobs, 0) << "a part of a request is there";
    auto added = std::move(answer).get();
    // Sent again under the same operation, as the worker of a host does.
    while (!added) added = fixture->store().add(request).get();
    EXPECT_EQ(added->size(), static_cast<std::size_t>(kJobs));
    EXPECT_EQ(waiting(), kJobs * static_cast<std::int64_t>(number)) << "lost, or added twice";
  }
}

TEST_F(AddJobsTest, AddsNothingAboveMaxWaiting) {
  (void)context->add_all(std::vector<NewJob>(30, NewJob{.name = "a"}));
  AddRequest request = many(200);
  request.max_waiting = 229;
  const auto refused = fixture->store().add(request).get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kQueueFull);
  EXPECT_EQ(waiting(), 30);
  request.max_waiting = 230;
  EXPECT_TRUE(fixture->store().add(request).get());
  EXPECT_EQ(waiting(), 230);
}

TEST_F(AddJobsTest, AddsEachKindInOrder) {
  std::vector<NewJob> jobs;
  for (int i = 0; i < 2'500; ++i) {
    NewJob job{.name = "a"};
    job.options.id = JobId(fmt::format("own-{}", i));
    if (i % 5 == 3) job.options.delay = Duration(60'000);
    if (i % 5 == 4) job.options.priority = 7;
    jobs.push_back(job);
  }
  const auto first = context->add_all(jobs);
  const auto again = context->add_all(jobs);
  ASSERT_EQ(again.size(), jobs.size());
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    EXPECT_FALSE(first[i].duplicate);
    EXPECT_TRUE(again[i].duplicate);
    EXPECT_EQ(again[i].id, first[i].id);
    EXPECT_EQ(again[i].state, first[i].state) << i;
  }
  EXPECT_EQ(other_says({"ZCARD", fixture->prefix() + ":query:delayed"}), 500);
  EXPECT_EQ(waiting(), 2'000);
}

TEST_F(AddJobsTest, RejectsMoreBytesThanTheLimit) {
  AddRequest request = many(70);
  for (NewJob& job : request.jobs) job.data = "\"" + std::string(1'000'000, 'x') + "\"";
  const auto refused = fixture->store().add(request).get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kTooLarge);
  EXPECT_EQ(waiting(), 0);
}

}  // namespace
}  // namespace gaur::conformance
