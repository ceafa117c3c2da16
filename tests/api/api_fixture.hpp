#pragma once
// A client over the reference model in virtual time, and a hand that does the worker's part.
#include <gtest/gtest.h>

#include "api/client_factory.hpp"
#include "api/measured_store.hpp"
#include "base/manual_env.hpp"
#include "model/model_store.hpp"

namespace gaur {

class ClientTest : public testing::Test {
 protected:
  void make(ClientOptions options = {}) {
    client_ = make_client(*measured_, env_.env, metrics_, std::move(options));
  }

  /// The value of a future that needs no time to pass.
  template <class T>
  T now(Future<T> future) {
    env_.loop.run_ready();
    EXPECT_TRUE(future.ready()) << "still waiting";
    return future.ready() ? std::move(future).get() : T(Error{Errc::kInternal, "still waiting"});
  }
  static NewJob job(std::string name, std::string data = "{}") {
    return {std::move(name), std::move(data), {}};
  }
  std::vector<Added> add(const std::string& queue, std::vector<NewJob> jobs) {
    auto added = now(client_->add(QueueName(queue), std::move(jobs)));
    EXPECT_TRUE(added) << added.error().message;
    return added ? *added : std::vector<Added>(1);
  }
  Taken take(const std::string& queue) {
    TakeRequest turn;
    turn.queue = QueueName(queue);
    turn.op = {SessionName("worker"), ++turns_};
    turn.take = 1;
    turn.worker = "worker";
    auto reply = now(measured_->finish_and_take(turn));
    EXPECT_TRUE(reply && reply->taken.size() == 1);
    return reply && !reply->taken.empty() ? reply->taken.front() : Taken{};
  }
  void finish(const std::string& queue, const Taken& taken, Outcome outcome, Retention keep = {}) {
    TakeRequest turn;
    turn.queue = QueueName(queue);
    turn.op = {SessionName("worker"), ++turns_};
    turn.worker = "worker";
    Finish finish{taken.job.id, taken.token, std::move(outcome), keep, {}};
    turn.finished.push_back(std::move(finish));
    auto reply = now(measured_->finish_and_take(turn));
    ASSERT_TRUE(reply && reply->finished.front());
  }

  ManualEnv env_;
  Metrics metrics_;
  ModelStore store_{env_.clock, static_cast<Loop&>(env_.loop)};
  std::unique_ptr<Store> measured_ = make_measured_store(store_, metrics_, env_.clock);
  std::unique_ptr<Client> client_;
  std::uint64_t turns_ = 0;
};

}  // namespace gaur
