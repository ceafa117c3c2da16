// Commands, credentials, messages and load with real servers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <mutex>
#include <thread>

#include "client_fixture.hpp"

namespace gaur::redis {
namespace {

using test::RedisServer;
using testing::HasSubstr;

TEST(Client, calls_pipelines_and_scripts_over_tcp) {
  RedisServer server;
  ClientFixture rig;
  const auto client = rig.connect(server);
  ASSERT_TRUE(client->ready().get());
  EXPECT_EQ(text_of(client->call({"SET", "k", std::string("a\r\n\0b", 5)}).get()), "OK");
  EXPECT_EQ(text_of(client->call({"GET", "k"}).get()), std::string("a\r\n\0b", 5));
  const auto several = client->pipeline({{"INCR", "n"}, {"LPUSH", "k", "x"}, {"INCR", "n"}}).get();
  ASSERT_TRUE(several);
  ASSERT_EQ(several->size(), 3U);
  EXPECT_EQ((*several)[1].failure()->code(), "WRONGTYPE");
  EXPECT_EQ(*(*several)[2].integer(), 2);
  const Script script("echo", "return {KEYS[1], ARGV[1], ARGV[2]}");
  for (int round = 0; round < 2; ++round) {
    const auto reply = client->run(script, {"key"}, {"1", ""}).get();
    ASSERT_TRUE(reply && reply->array() != nullptr);
    EXPECT_EQ(*(*reply->array())[0].text(), "key");
    EXPECT_EQ(*(*reply->array())[2].text(), "");
  }
  EXPECT_TRUE(client->connected());
}

// ---- address and credentials

TEST(Client, connects_over_a_unix_socket) {
  RedisServer server;
  ClientFixture rig;
  ClientOptions options;
  options.endpoint.unix_path = server.unix_path();
  const auto client = rig.connect(options);
  EXPECT_EQ(text_of(client->call({"PING"}).get()), "PONG");
  options.endpoint.unix_path = "/nonexistent/redis.sock";
  const auto nowhere = rig.connect(options);
  const auto state = nowhere->ready().get();
  ASSERT_FALSE(state);
  EXPECT_THAT(state.error().message, HasSubstr("No such file"));
  options.endpoint.unix_path = std::string(200, 'x');
  EXPECT_THAT(rig.connect(options)->ready().get().error().message, HasSubstr("too long"));
}

TEST(Client, selects_its_database_and_sets_its_name) {
  RedisServer server;
  ClientFixture rig;
  for (const bool resp3 : {false, true}) {
    ClientOptions options;
    options.endpoint.db = 5;
    options.client_name = "host-1";
    options.resp3 = resp3;
    const auto client = rig.connect(server, options);
    const auto info = text_of(client->call({"CLIENT", "INFO"}).get());
    EXPECT_THAT(info, HasSubstr("name=host-1"));
    EXPECT_THAT(info, HasSubstr(" db=5 "));
    EXPECT_THAT(info, HasSubstr(resp3 ? "resp=3" : "resp=2"));
    EXPECT_EQ(text_of(client->call({"HSET", "h", "f", "v"}).get()), resp3 ? "0" : "1");
    EXPECT_EQ(client->call({"HGETALL", "h"}).get()->array()->size(), 2U)
        << "a map is as flat as RESP2 has it";
  }
  ClientOptions options;
  options.endpoint.db = 99;
  const auto client = rig.connect(server, options);
  const auto answer = client->call({"PING"}).get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::kInvalidArgument);
  EXPECT_THAT(answer.error().message, HasSubstr("database 99"));
}

TEST(Client, authenticates_with_and_without_a_user) {
  RedisServer server(
      {.password = "secret", .acl = {"worker on >other ~* &* +@all", "small on >little ~* +get"}});
  ClientFixture rig;
  struct Case {
    const char *user, *password;
    bool resp3;
    const char* expected;
  };
  const Case cases[] = {
      {"", "secret", false, "PONG"},           {"", "secret", true, "PONG"},
      {"worker", "other", false, "PONG"},      {"worker", "other", true, "PONG"},
      {"", "wrong", false, "permission"},      {"", "wrong", true, "permission"},
      {"worker", "wrong", false, "WRONGPASS"}, {"nobody", "other", false, "permission"},
      {"", "", false, "wants a password"},     {"", "", true, "wants a password"},
      {"small", "little", false, "-NOPERM"},
  };
  for (const auto& each : cases) {
    ClientOptions options;
    options.endpoint.user = each.user;
    options.endpoint.password = each.password;
    options.resp3 = each.resp3;
    const auto client = rig.connect(server, options);
    const std::string answer = text_of(client->call({"PING"}).get());
    EXPECT_THAT(answer, HasSubstr(each.expected)) << each.user << " " << each.password;
    EXPECT_THAT(answer, testing::Not(HasSubstr("secret")));
  }
}

TEST(Client, works_with_the_acl_of_the_documentation) {
  RedisServer server(
      {.acl = {"gaur on >secret resetchannels &bull:* ~bull:* ~gaur:bull:* +@read +@write +@scripting "
               "+@connection +@pubsub +@transaction +info +config|get +time +client|setname"}});
  ClientFixture rig;
  ClientOptions options;
  options.endpoint.user = "gaur";
  options.endpoint.password = "secret";
  const auto client = rig.connect(server, options);
  const Script script(
      "s", "redis.call('LPUSH', KEYS[1], 'x') redis.call('PUBLISH', KEYS[1], 'x') return redis.call('TIME')");
  const auto time = client->run(script, {"bull:q:wait"}, {}).get();
  ASSERT_TRUE(time && time->array() != nullptr) << text_of(time);
  std::atomic<bool> listening{false};
  const auto subscription = client->subscribe(
      {"bull:q:added"}, {}, {.on_message = nullptr, .on_state = [&](bool now) { listening = now; }});
  EXPECT_TRUE(rig.wait_until([&] { return listening.load(); }));
  EXPECT_TRUE(client->call({"CONFIG", "GET", "maxmemory-policy"}).get()->array() != nullptr);
  EXPECT_THAT(text_of(client->call({"SET", "other", "x"}).get()), HasSubstr("NOPERM"));
  EXPECT_EQ(rig.notes->text(), "");
}

TEST(Client, reports_a_wrong_password_and_connects_when_it_is_fixed) {
  RedisServer server({.password = "new"});
  ClientFixture rig;
  ClientOptions options;
  options.endpoint.password = "old";
  options.refused_retry = Duration{200};
  const auto client = rig.connect(server, options);
  EXPECT_EQ(client->ready().get().error().code, Errc::kPermission);
  EXPECT_EQ(client->health().error->code, Errc::kPermission);
  EXPECT_FALSE(client->connected());
  EXPECT_THAT(rig.notes->text(), HasSubstr("refuses user or password"));
  ASSERT_EQ(text_of(server.call({"CONFIG", "SET", "requirepass", "old"})), "OK");
  EXPECT_TRUE(rig.wait_until([&] { return client->connected(); }));
  EXPECT_EQ(text_of(client->call({"PING"}).get()), "PONG");
}

TEST(Client, continues_if_the_server_has_no_password) {
  RedisServer server;
  ClientFixture rig;
  ClientOptions options;
  options.endpoint.password = "surplus";
  EXPECT_EQ(text_of(rig.connect(server, options)->call({"PING"}).get()), "PONG");
  EXPECT_THAT(rig.notes->text(), HasSubstr("wants none"));
}

// ---- messages

struct Heard {
  std::mutex mutex;
  std::vector<std::string> messages;
  std::vector<bool> states;
  Listener listener() {
    return {.on_message =
                [this](const Message& message) {
                  std::lock_guard lock(mutex);
                  messages.push_back(message.channel + "=" + message.payload);
                },
            .on_state =
                [this](bool listening) {
                  std::lock_guard lock(mutex);
                  states.push_back(listening);
                }};
  }
  std::size_t count() {
    std::lock_guard lock(mutex);
    return messages.size();
  }
  bool listening() {
    std::lock_guard lock(mutex);
    return !states.empty() && states.back();
  }
};

TEST(Client, receives_messages_and_resubscribes_after_a_restart) {
  for (const bool resp3 : {false, true}) {
    RedisServer server;
    ClientFixture rig;
    ClientOptions options;
    options.resp3 = resp3;
    const auto client = rig.connect(server, options);
    Heard by_name, by_pattern;
    const auto first = client->subscribe({"a", "b"}, {}, by_name.listener());
    auto second = client->subscribe({}, {"a*", "c*"}, by_pattern.listener());
    ASSERT_TRUE(rig.wait_until([&] { return by_name.listening() && by_pattern.listening(); }));
    EXPECT_EQ(text_of(client->call({"PUBLISH", "a", "1"}).get()), "2");
    EXPECT_EQ(text_of(client->call({"PUBLISH", "cc", "2"}).get()), "1");
    ASSERT_TRUE(rig.wait_until([&] { return by_name.count() == 1 && by_pattern.count() == 2; }));
    server.kill9();
    ASSERT_TRUE(rig.wait_until([&] { return !by_name.listening() && !by_pattern.listening(); }));
    server.restart();
    ASSERT_TRUE(rig.wait_until([&] { return by_name.listening() && by_pattern.listening(); }));
    second.reset();
    ASSERT_TRUE(rig.wait_until([&] { return text_of(server.call({"PUBLISH", "a", "3"})) == "1"; }));
    ASSERT_TRUE(rig.wait_until([&] { return by_name.count() >= 2; }));
    EXPECT_EQ(by_name.messages[1], "a=3");
  }
}

TEST(Client, a_subscription_may_outlive_its_client) {
  RedisServer server;
  ClientFixture rig;
  Heard heard;
  auto client = rig.connect(server);
  auto subscription = client->subscribe({"a"}, {}, heard.listener());
  ASSERT_TRUE(rig.wait_until([&] { return heard.listening(); }));
  client.reset();
  subscription.reset();
}

// ---- load

TEST(Client, accepts_payloads_of_many_megabytes) {
  RedisServer server;
  ClientFixture rig;
  const auto client = rig.connect(server);
  std::string big(std::size_t{20} << 20U, 'x');
  for (std::size_t i = 0; i < big.size(); i += 997) big[i] = static_cast<char>(i);
  EXPECT_EQ(text_of(client->call({"SET", "big", big}).get()), "OK");
  EXPECT_TRUE(text_of(client->call({"GET", "big"}).get()) == big);
}

TEST(Client, keeps_the_order_of_a_hundred_thousand_commands) {
  RedisServer server;
  ClientFixture rig;
  const auto client = rig.connect(server);
  ASSERT_TRUE(client->ready().get());
  constexpr int kCommands = 100'000;
  std::vector<Answer<Reply>> calls;
  calls.reserve(kCommands);
  const Instant from = rig.clock.now();
  for (int i = 0; i < kCommands; ++i) calls.push_back(client->call({"INCR", "n"}));
  for (int i = 0; i < kCommands; ++i) {
    const auto answer = std::move(calls[static_cast<std::size_t>(i)]).get();
    ASSERT_TRUE(answer) << answer.error().message;
    ASSERT_EQ(*answer->integer(), i + 1);
  }
  const auto took = std::chrono::duration_cast<Duration>(rig.clock.now() - from);
  std::printf("%d commands in %lld ms\n", kCommands, static_cast<long long>(took.count()));
  std::vector<Command> commands(kCommands, Command{"INCR", "m"});
  EXPECT_EQ(client->pipeline(std::move(commands)).get()->size(), static_cast<std::size_t>(kCommands));
}

TEST(Client, is_used_from_many_threads) {
  RedisServer server;
  ClientFixture rig;
  const auto client = rig.connect(server);
  const Script script("incr", "return redis.call('INCR', KEYS[1])");
  std::atomic<int> wrong{0};
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, key = "n" + std::to_string(thread)] {
      for (int i = 0; i < 1'000; ++i) {
        const auto answer =
            i % 2 == 0 ? client->call({"INCR", key}).get() : client->run(script, {key}, {}).get();
        if (!answer || answer->integer() == nullptr || *answer->integer() != i + 1) ++wrong;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(wrong, 0);
}

TEST(Client, completes_pending_requests_when_it_is_destroyed) {
  RedisServer server;
  ClientFixture rig;
  auto client = rig.connect(server);
  ASSERT_TRUE(client->ready().get());
  server.sigstop();
  std::vector<Answer<Reply>> calls;
  for (int i = 0; i < 100; ++i) calls.push_back(client->call({"PING"}));
  client.reset();
  for (auto& each : calls) EXPECT_EQ(std::move(each).get().error().code, Errc::kStopping);
}

}  // namespace
}  // namespace gaur::redis
