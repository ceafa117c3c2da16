#pragma once
// A Bull store over a real server, and helpers that write Bull's layout as other clients do. One server per
// program; every test begins with an empty one. Thread-safety: the test's thread.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/system_env.hpp"
#include "bull/bull_store.hpp"
#include "conformance/store_fixture.hpp"
#include "redis/connect.hpp"
#include "support/redis_server.hpp"

namespace gaur::bull {

class Layout : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (server_ == nullptr) server_ = new test::RedisServer();  // ended by TearDownTestSuite
  }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }

  void SetUp() override {
    (void)redis({"FLUSHALL"});
    redis::ClientOptions options;
    options.endpoint.port = server_->port();
    client_ = redis::connect(options, env_);
    ASSERT_TRUE(client_->ready().get());
    store_ = make_bull_store(*client_, env_, options_());
  }
  void TearDown() override {
    store_.reset();
    client_.reset();
  }
  virtual BullOptions options_() const {
    BullOptions options;
    options.clock_for_tests = &clock_;
    return options;
  }

  static redis::Reply redis(const std::vector<std::string>& command) { return server_->call(command); }
  static std::string text(const std::vector<std::string>& command) {
    const auto reply = redis(command);
    if (const auto* text = reply.text()) return *text;
    if (const auto* number = reply.integer()) return std::to_string(*number);
    if (const auto* failure = reply.failure()) return "-" + failure->text;
    return "nil";
  }
  static std::vector<std::string> list(const std::vector<std::string>& command) {
    std::vector<std::string> found;
    const auto reply = redis(command);
    if (const auto* array = reply.array()) {
      for (const auto& one : *array) found.push_back(one.text() == nullptr ? "?" : *one.text());
    }
    return found;
  }
  static std::string key(std::string_view name) { return "bull:query:" + std::string(name); }

  /// The least that a peer writes for a job.
  void job(const std::string& id, const std::string& name = "__default__",
           std::vector<std::string> more = {}) {
    std::vector<std::string> command{"HMSET",     key(id),
                                     "name",      name,
                                     "data",      R"({"func":"rank"})",
                                     "opts",      R"({"attempts":1,"delay":0,"timestamp":1700000000000})",
                                     "timestamp", "1700000000000",
                                     "delay",     "0",
                                     "priority",  "0"};
    command.insert(command.end(), more.begin(), more.end());
    (void)redis(command);
  }
  void waiting(const std::string& id) {
    job(id);
    (void)redis({"LPUSH", key("wait"), id});
  }
  void active(const std::string& id, const std::string& token) {
    job(id);
    (void)redis({"LPUSH", key("active"), id});
    if (!token.empty()) (void)redis({"SET", key(id + ":lock"), token, "PX", "30000"});
  }
  void ended(const std::string& id, const std::string& set, std::int64_t at) {
    job(id);
    (void)redis({"HMSET", key(id), "finishedOn", std::to_string(at),
                 set == "failed" ? "failedReason" : "returnvalue", set == "failed" ? "it broke" : "42"});
    (void)redis({"ZADD", key(set), std::to_string(at), id});
  }

  Store& store() { return *store_; }
  JobRef ref(const std::string& id) const { return {queue_, JobId(id)}; }
  template <class T>
  Result<T> now(Async<T> future) {
    return std::move(future).get();
  }
  template <class T>
  T must(Async<T> future) {
    auto result = std::move(future).get();
    EXPECT_TRUE(result) << to_string(result.error().code) << ": " << result.error().message;
    return result ? *std::move(result) : T{};
  }
  template <class T>
  Errc error(Async<T> future) {
    auto result = std::move(future).get();
    EXPECT_FALSE(result) << "an error was expected";
    return result ? Errc::kInternal : result.error().code;
  }

  inline static test::RedisServer* server_ = nullptr;
  const QueueName queue_{"query"};
  conformance::TestClock clock_;
  SystemClock system_clock_;
  SystemRandom random_;
  ThreadLoop loop_{"test-loop"};
  Env env_{system_clock_, random_, loop_};
  std::unique_ptr<redis::Client> client_;
  std::unique_ptr<Store> store_;
};

}  // namespace gaur::bull
