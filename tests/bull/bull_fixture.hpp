#pragma once
// The Bull store as a fixture of the conformance suite, over a real redis-server: one server for the whole
// program, a prefix of its own for each fixture. Scripts take the fixture's clock for now; a step of it ages
// the locks, which the server keeps by its own time. Thread-safety: the test's thread.
#include <map>
#include <mutex>

#include "base/system_env.hpp"
#include "bull/bull_store.hpp"
#include "conformance/store_fixture.hpp"
#include "redis/connect.hpp"
#include "support/redis_server.hpp"

namespace gaur::conformance {

/// The program's one server, started by the first call.
test::RedisServer& shared_redis();

/// A loop whose timers follow a TestClock: they run when the clock was moved past them. Tasks run on a
/// thread.
class TestLoop final : public Loop {
 public:
  explicit TestLoop(const TestClock& clock) : clock_(clock) {}
  void post(std::function<void()> task) override { thread_.post(std::move(task)); }
  TimerId post_at(Instant when, std::function<void()> task) override;
  void cancel(TimerId timer) override;
  /// Runs the timers that are due, and waits for all that was posted before.
  void catch_up();

 private:
  const TestClock& clock_;
  std::mutex mutex_;
  TimerId last_ = 0;
  std::map<std::pair<Instant, TimerId>, std::function<void()>> timers_;
  ThreadLoop thread_{"fixture-loop"};
};

class BullFixture final : public StoreFixture {
 public:
  explicit BullFixture(bull::BullOptions options = {.sightings = 1});
  ~BullFixture() override;
  Store& store() override { return *store_; }
  /// Another store on the same keys. It requeues the jobs of the old one, as a restarted host.
  void crash_and_reopen() override;
  void advance(Duration by) override;

  const std::string& prefix() const { return options_.prefix; }
  redis::Client& client() { return *client_; }
  Random& random() { return random_; }
  Loop& loop() { return loop_; }
  /// A command to the server, waited for.
  redis::Reply call(redis::Command command);

 private:
  void open();

  bull::BullOptions options_;
  SystemClock system_clock_;
  SystemRandom random_;
  TestLoop loop_{clock()};
  ThreadLoop client_loop_{"fixture-client"};
  std::unique_ptr<redis::Client> client_;
  std::unique_ptr<Store> store_;
};

Subject bull_subject();

}  // namespace gaur::conformance
