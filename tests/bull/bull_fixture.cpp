#include "bull_fixture.hpp"

#include <atomic>
#include <future>

namespace gaur::conformance {

test::RedisServer& shared_redis() {
  static test::RedisServer server;
  return server;
}

Loop::TimerId TestLoop::post_at(Instant when, std::function<void()> task) {
  std::lock_guard lock(mutex_);
  timers_.emplace(std::pair{when, ++last_}, std::move(task));
  return last_;
}

void TestLoop::cancel(TimerId timer) {
  std::lock_guard lock(mutex_);
  std::erase_if(timers_, [&](const auto& entry) { return entry.first.second == timer; });
}

void TestLoop::catch_up() {
  {
    std::lock_guard lock(mutex_);
    while (!timers_.empty() && timers_.begin()->first.first <= clock_.now()) {
      thread_.post(std::move(timers_.begin()->second));
      timers_.erase(timers_.begin());
    }
  }
  std::promise<void> done;
  thread_.post([&done] { done.set_value(); });
  done.get_future().wait();
}

BullFixture::BullFixture(bull::BullOptions options) : options_(std::move(options)) {
  static std::atomic<int> last = 0;
  options_.prefix = "fixture" + std::to_string(++last);
  options_.clock_for_tests = &clock();
  redis::ClientOptions client;
  client.endpoint.unix_path = shared_redis().unix_path();
  client.command_timeout = Duration(20'000);
  client_ = redis::connect(client, {system_clock_, random_, client_loop_});
  open();
}

BullFixture::~BullFixture() {
  store_.reset();
  client_.reset();
}

void BullFixture::open() {
  store_ = bull::make_bull_store(*client_, {clock(), random_, loop_}, options_);
}

redis::Reply BullFixture::call(redis::Command command) {
  auto reply = client_->call(std::move(command)).get();
  return reply ? *std::move(reply) : redis::Reply{redis::Reply::Failure{reply.error().message}};
}

void BullFixture::crash_and_reopen() {
  store_.reset();
  open();
  for (const char* queue : {"query", "qa", "qb"}) {
    for (const char* session : {"worker-0", "worker-1", "worker-2"}) {
      auto back = await(*this, store_->reclaim({QueueName(queue), SessionName(session)}));
      if (!back) throw std::runtime_error(back.error().message);  // a test without a store cannot go on
    }
  }
}

void BullFixture::advance(Duration by) {
  clock().advance(by);
  // Locks live by the server's time, a thousand times as long (Shared::lock_ms): they grow older by the same
  // step.
  static constexpr const char* kAge =
      "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do local left = redis.call('PTTL', key) - ARGV[2] "
      "if left > 0 then redis.call('PEXPIRE', key, left) else redis.call('DEL', key) end end return 1";
  (void)call({"EVAL", kAge, "0", prefix() + ":*:lock", std::to_string(by.count() * 1000)});
  loop_.catch_up();
}

Subject bull_subject() {
  return {"bull", [] { return std::make_unique<BullFixture>(); }, Semantics::bull()};
}

}  // namespace gaur::conformance
