#include "gaur/future.hpp"

#include <gmock/gmock.h>

#include <string>
#include <thread>

#include "base/system_env.hpp"

namespace gaur {
namespace {

/// The smallest coroutine type: starts at once, nobody waits for it.
struct Fire {
  struct promise_type {
    Fire get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

TEST(Future, GetWaitsForAnotherThread) {
  Promise<std::string> promise;
  std::thread setter([promise] { promise.set("there"); });
  EXPECT_EQ(promise.future().get(), "there");
  setter.join();
}

TEST(Future, RunsThenAtOnceWithValue) {
  int seen = 0;
  ready(42).then([&](int value) { seen = value; });
  EXPECT_EQ(seen, 42);
}

TEST(Future, RunsThenOnDeliveringThread) {
  Promise<int> promise;
  std::thread::id where;
  promise.future().then([&](int) { where = std::this_thread::get_id(); });
  std::thread setter([promise] { promise.set(1); });
  const auto expected = setter.get_id();
  setter.join();
  EXPECT_EQ(where, expected);
}

TEST(Future, IgnoresAllButFirstSet) {
  Promise<int> promise;
  promise.set(1);
  promise.set(2);
  EXPECT_EQ(promise.future().get(), 1);

  int calls = 0;
  Promise<int> listened;
  listened.future().then([&](int) { ++calls; });
  listened.set(1);
  listened.set(2);
  EXPECT_EQ(calls, 1);
}

TEST(Future, RunsCallbackOnceWhenSetAndThenRace) {
  for (int round = 0; round < 500; ++round) {
    Promise<int> promise;
    std::atomic<int> calls{0};
    std::thread setter([promise, round] { promise.set(round); });
    promise.future().then([&](int value) {
      EXPECT_EQ(value, round);
      ++calls;
    });
    setter.join();
    EXPECT_EQ(calls, 1);
  }
}

TEST(Future, CoAwaitResumesWithTheValue) {
  Promise<int> promise;
  int seen = 0;
  const auto wait = [&]() -> Fire { seen = co_await promise.future(); };
  wait();
  EXPECT_EQ(seen, 0);
  promise.set(7);
  EXPECT_EQ(seen, 7);
}

TEST(Future, ContinuesAtOnceWithReadyValue) {
  int seen = 0;
  const auto wait = [&]() -> Fire { seen = co_await ready(8); };
  wait();
  EXPECT_EQ(seen, 8);
}

TEST(Future, ResumesCoroutineOnOtherThreads) {
  Promise<std::string> done;
  {
    ThreadLoop loop("walk");
    const auto on_loop = [&](int value) {
      Promise<int> promise;
      loop.post([promise, value] { promise.set(value + 1); });
      return promise.future();
    };
    const auto walk = [&]() -> Fire {
      int value = 0;
      for (int i = 0; i < 100; ++i) value = co_await on_loop(value);
      done.set(std::to_string(value));
    };
    walk();
    EXPECT_EQ(done.future().get(), "100");
  }
}

TEST(Future, MovesValueThroughGet) {
  Promise<std::unique_ptr<int>> promise;
  promise.set(std::make_unique<int>(5));
  EXPECT_EQ(*promise.future().get(), 5);
}

}  // namespace
}  // namespace gaur
