#pragma once
// An engine with a manual clock and one transaction for each verb, and reopening as after a crash.
#include <gtest/gtest.h>

#include "base/manual_env.hpp"
#include "embedded/engine.hpp"
#include "embedded/snapshot.hpp"
#include "temp_folder.hpp"

namespace gaur::test {

using namespace std::chrono_literals;
using embedded::Engine;
using embedded::LmdbEnv;
using embedded::Snapshot;
using embedded::Txn;

/// The value. An error fails the test.
template <class T>
T must(Result<T> result) {
  EXPECT_TRUE(result.has_value()) << (result ? "" : result.error().message);
  return result ? *std::move(result) : T{};
}

class EngineTest : public ::testing::Test {
 protected:
  const QueueName q{"query"};

  EngineTest() { open(); }

  embedded::Now now() const { return {clock.wall(), clock.now()}; }

  void open() {
    auto opened = LmdbEnv::open({folder.path(), 1ULL << 30, true, true});
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    env = *std::move(opened);
    auto made = Engine::open(*env, Semantics::bullmq(), now());
    ASSERT_TRUE(made.has_value()) << made.error().message;
    engine = *std::move(made);
  }
  /// Simulates a crash: uncommitted changes are lost.
  void reopen() {
    engine.reset();
    env.reset();
    open();
  }

  /// Executes `verb` in a transaction.
  template <class Verb>
  auto step(Verb verb) {
    EXPECT_TRUE(engine->begin(now()).has_value());
    auto reply = verb(*engine);
    const auto committed = engine->commit();
    EXPECT_TRUE(committed.has_value()) << committed.error().message;
    return reply;
  }
  template <class Look>
  auto look(Look see) {
    auto txn = Txn::begin(*env, Txn::Mode::kRead);
    EXPECT_TRUE(txn.has_value());
    Snapshot snapshot(**txn);
    return see(snapshot);
  }

  Result<std::vector<Added>> add(std::vector<NewJob> jobs, OperationId op = {},
                                 std::uint64_t max_waiting = 0) {
    return step([&](Engine& e) { return e.add({q, jobs, op, max_waiting}); });
  }
  JobId add_one(JobOptions options = {}, std::string name = "top", std::string data = "{}") {
    auto added = add({{std::move(name), std::move(data), std::move(options)}});
    EXPECT_TRUE(added.has_value()) << added.error().message;
    return added->front().id;
  }
  TakeRequest take_request(std::uint32_t take, std::vector<Finish> finished = {}) {
    TakeRequest request;
    request.queue = q;
    request.op = {SessionName("w"), ++last_sequence};
    request.finished = std::move(finished);
    request.take = take;
    request.worker = "host";
    return request;
  }
  TakeReply run(const TakeRequest& request) {
    auto result = step([&](Engine& e) { return e.finish_and_take(request); });
    EXPECT_TRUE(result.has_value()) << result.error().message;
    return result ? std::move(result->reply) : TakeReply{};
  }
  TakeReply take(std::uint32_t n) { return run(take_request(n)); }
  Result<FinishResult> finish(const Taken& taken, Outcome outcome, Retention keep = {}) {
    return run(take_request(0, {{taken.job.id, taken.token, std::move(outcome), keep, {}}})).finished.front();
  }
  Job get(const JobId& id) {
    auto job = look([&](Snapshot& s) { return s.get({q, id}); });
    EXPECT_TRUE(job.has_value()) << job.error().message;
    return job.value_or(Job{});
  }
  Counts counts() {
    return look([&](Snapshot& s) { return s.counts(q); }).value_or(Counts{});
  }
  std::vector<std::string> ids(State state) {
    std::vector<std::string> out;
    const auto jobs = look([&](Snapshot& s) { return s.range({q, state, 0, 1000, false}); });
    EXPECT_TRUE(jobs.has_value());
    for (const Job& job : jobs.value_or(std::vector<Job>{})) out.push_back(job.id.value);
    return out;
  }
  std::vector<std::string> events() {
    std::vector<std::string> out;
    const auto page = look([&](Snapshot& s) { return s.events(q, "", 1000); });
    EXPECT_TRUE(page.has_value());
    for (const Event& event : page.value_or(EventPage{}).events) {
      std::string text(to_string(event.kind));
      if (!event.id.empty()) text += " " + event.id.value;
      if (event.previous) text += " from " + std::string(to_string(*event.previous));
      out.push_back(std::move(text));
    }
    return out;
  }

  TempFolder folder;
  ManualClock clock;
  std::unique_ptr<LmdbEnv> env;
  std::unique_ptr<Engine> engine;
  std::uint64_t last_sequence = 0;
};

}  // namespace gaur::test
