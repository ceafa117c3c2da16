// Waiting for results: no end is missed, whatever the order of looking, listening and ending is.
#include "api_fixture.hpp"

namespace gaur {
namespace {

using WaitsTest = ClientTest;

TEST_F(WaitsTest, ReturnJobWhenItFinishes) {
  make();
  const JobId id = add("q", {job("a")}).front().id;
  auto waited = client_->wait_finished({QueueName("q"), id}, Duration(60'000));
  const Taken taken = take("q");
  EXPECT_FALSE(waited.ready());
  finish("q", taken, outcome::Completed{"42"});
  const auto found = now(std::move(waited));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->state, State::kCompleted);
  EXPECT_EQ(found->result, "42");
}

TEST_F(WaitsTest, ReturnFinishedJobAtOnce) {
  make();
  const JobId id = add("q", {job("a")}).front().id;
  finish("q", take("q"), outcome::Failed{});
  EXPECT_EQ(now(client_->wait_finished({QueueName("q"), id}, Duration(60'000)))->state, State::kFailed);
}

TEST_F(WaitsTest, NoticeFinishBetweenReadAndEvents) {
  // The worker finishes the job at every possible step of the wait's own steps.
  for (int steps = 0; steps < 8; ++steps) {
    make();
    const JobId id = add("q", {job("a")}).front().id;
    const Taken taken = take("q");
    auto waited = client_->wait_finished({QueueName("q"), id}, Duration(60'000));
    TakeRequest turn;
    turn.queue = QueueName("q");
    turn.op = {SessionName("worker"), ++turns_};
    turn.finished.push_back({taken.job.id, taken.token, outcome::Completed{"1"}, {}, {}});
    for (int i = 0; i < steps; ++i) env_.loop.run_one();
    auto finished = store_.finish_and_take(turn);
    const auto found = now(std::move(waited));
    ASSERT_TRUE(found) << steps;
    EXPECT_EQ(found->state, State::kCompleted) << steps;
    EXPECT_TRUE(now(std::move(finished)));
    client_.reset();
    env_.loop.run_ready();
  }
}

TEST_F(WaitsTest, ReturnCurrentStateAfterTimeout) {
  make();
  const JobId id = add("q", {job("a")}).front().id;
  auto waited = client_->wait_finished({QueueName("q"), id}, Duration(10'000));
  env_.loop.run_for(Duration(9'999));
  EXPECT_FALSE(waited.ready());
  env_.loop.run_for(Duration(1));
  EXPECT_EQ(now(std::move(waited))->state, State::kWaiting);
}

TEST_F(WaitsTest, EndAtOnceWhenCancelled) {
  ClientOptions options;
  options.max_waits = 2;
  make(options);
  const JobId id = add("q", {job("a")}).front().id;
  for (int i = 0; i < 1'000; ++i) {
    std::stop_source client;
    auto waited = client_->wait_finished({QueueName("q"), id}, Duration(60'000), {}, client.get_token());
    env_.loop.run_ready();
    ASSERT_FALSE(waited.ready());
    client.request_stop();
    ASSERT_EQ(now(std::move(waited)).error().code, Errc::kDisconnected) << i;
  }
  std::stop_source before;
  before.request_stop();
  EXPECT_EQ(now(client_->wait_finished({QueueName("q"), id}, Duration(60'000), {}, before.get_token()))
                .error()
                .code,
            Errc::kDisconnected);
  const auto metrics = now(client_->metrics());
  EXPECT_NE(metrics->find("gaur_waits 0"), std::string::npos) << *metrics;
}

TEST_F(WaitsTest, ShareOneReader) {
  make();
  const JobId id = add("q", {job("a")}).front().id;
  std::vector<Async<Job>> waits;
  for (int i = 0; i < 50; ++i)
    waits.push_back(client_->wait_finished({QueueName("q"), id}, Duration(60'000)));
  finish("q", take("q"), outcome::Completed{"1"});
  for (auto& waited : waits) EXPECT_EQ(now(std::move(waited))->result, "1");
}

TEST_F(WaitsTest, ReturnJobRemovedByRetention) {
  make();
  const JobId id = add("q", {job("a", "[7]")}).front().id;
  auto waited = client_->wait_finished({QueueName("q"), id}, Duration(60'000));
  env_.loop.run_ready();
  finish("q", take("q"), outcome::Completed{"1"}, Retention{0, {}});
  const auto found = now(std::move(waited));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->result, "1");
  EXPECT_EQ(found->data, "[7]");
}

TEST_F(WaitsTest, FindRemovedJobByCursor) {
  make();
  const auto cursor = now(client_->cursor(QueueName("q")));
  ASSERT_TRUE(cursor);
  const JobId id = add("q", {job("a")}).front().id;
  finish("q", take("q"), outcome::Completed{"1"}, Retention{0, {}});
  EXPECT_EQ(now(client_->wait_finished({QueueName("q"), id}, Duration(60'000))).error().code,
            Errc::kNotFound);
  const auto found = now(client_->wait_finished({QueueName("q"), id}, Duration(60'000), *cursor));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->result, "1");
}

TEST_F(WaitsTest, WaitForNextFinishOfRetriedJob) {
  make();
  const JobId id = add("q", {job("a")}).front().id;
  auto waited = client_->wait_finished({QueueName("q"), id}, Duration(60'000));
  Failure failure;
  finish("q", take("q"), outcome::RetryAfter{Duration(0), failure, true});
  EXPECT_FALSE(waited.ready());
  finish("q", take("q"), outcome::Completed{"2"});
  EXPECT_EQ(now(std::move(waited))->result, "2");
}

TEST_F(WaitsTest, RejectUnknownJobsAndTooManyWaits) {
  ClientOptions options;
  options.max_waits = 1;
  make(options);
  EXPECT_EQ(now(client_->wait_finished({QueueName("q"), JobId("9")}, Duration(60'000))).error().code,
            Errc::kNotFound);
  const JobId id = add("q", {job("a")}).front().id;
  auto first = client_->wait_finished({QueueName("q"), id}, Duration(60'000));
  EXPECT_EQ(now(client_->wait_finished({QueueName("q"), id}, Duration(60'000))).error().code, Errc::kBusy);
  client_.reset();
  EXPECT_EQ(now(std::move(first)).error().code, Errc::kStopping);
}

TEST_F(WaitsTest, ContinueAfterCrashOfStore) {
  make();
  const JobId id = add("q", {job("a")}).front().id;
  auto waited = client_->wait_finished({QueueName("q"), id}, Duration(60'000));
  env_.loop.run_ready();
  store_.crash_and_reopen();
  env_.loop.run_for(Duration(2'000));
  finish("q", take("q"), outcome::Completed{"1"});
  EXPECT_EQ(now(std::move(waited))->result, "1");
}

}  // namespace
}  // namespace gaur
