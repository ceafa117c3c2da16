// The client against real servers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <map>
#include <set>
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

// ---- TLS

struct Tls : testing::Test {
  ClientOptions options(const RedisServer& server) {
    ClientOptions with;
    with.endpoint.host = server.host();
    with.endpoint.port = server.tls_port();
    with.endpoint.tls.on = true;
    with.endpoint.tls.ca_file = server.certificates().ca.string();
    return with;
  }
  ClientFixture rig;
};

TEST_F(Tls, connects_to_a_server_verified_by_address_and_by_name) {
  RedisServer server({.tls = true});
  auto with = options(server);
  const auto client = rig.connect(with);
  const std::string big(std::size_t{3} << 20U, 'x');
  EXPECT_EQ(text_of(client->call({"SET", "k", big}).get()), "OK");
  EXPECT_EQ(text_of(client->call({"GET", "k"}).get()), big);
  with.endpoint.host = "localhost";
  EXPECT_EQ(text_of(rig.connect(with)->call({"PING"}).get()), "PONG");
  with.endpoint.host = server.host();
  with.endpoint.tls.server_name = "localhost";
  EXPECT_EQ(text_of(rig.connect(with)->call({"PING"}).get()), "PONG");
}

TEST_F(Tls, rejects_an_unverified_certificate) {
  RedisServer server({.tls = true});
  auto with = options(server);
  with.endpoint.tls.ca_file = server.certificates().other_ca.string();
  auto answer = rig.connect(with)->call({"PING"}).get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::kPermission);
  EXPECT_THAT(answer.error().message, HasSubstr("does not verify"));
  with.endpoint.tls.ca_file.clear();  // the system's authorities
  EXPECT_EQ(rig.connect(with)->call({"PING"}).get().error().code, Errc::kPermission);
  with = options(server);
  with.endpoint.tls.server_name = "elsewhere.example";
  answer = rig.connect(with)->call({"PING"}).get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::kPermission);
  EXPECT_THAT(answer.error().message, HasSubstr("ame mismatch"));
  EXPECT_THAT(answer.error().message, HasSubstr("server_name"));
  with = options(server);
  with.endpoint.tls.ca_file = "/nonexistent/ca.pem";
  EXPECT_THAT(rig.connect(with)->call({"PING"}).get().error().message, HasSubstr("\"/nonexistent/ca.pem\""));
}

TEST_F(Tls, sends_its_certificate_if_the_server_requires_one) {
  RedisServer server({.tls = true, .tls_client_auth = true});
  auto with = options(server);
  const auto without = rig.connect(with)->call({"PING"}).get();
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().code, Errc::kPermission);
  EXPECT_THAT(without.error().message, HasSubstr("refuses our certificate"));
  with.endpoint.tls.cert_file = server.certificates().client.string();
  with.endpoint.tls.key_file = server.certificates().client_key.string();
  EXPECT_EQ(text_of(rig.connect(with)->call({"PING"}).get()), "PONG");
}

TEST_F(Tls, reports_that_only_one_side_uses_tls) {
  RedisServer server({.tls = true});
  auto with = options(server);
  with.connect_timeout = Duration{200};
  with.command_timeout = Duration{400};
  with.endpoint.port = server.port();
  EXPECT_THAT(rig.connect(with)->call({"PING"}).get().error().message, HasSubstr("TLS"));
  with.endpoint.port = server.tls_port();
  with.endpoint.tls.on = false;
  EXPECT_THAT(rig.connect(with)->call({"PING"}).get().error().message, HasSubstr("rediss://"));
}

TEST_F(Tls, receives_messages_over_tls) {
  RedisServer server({.tls = true});
  std::mutex mutex;
  std::string heard;
  std::atomic<bool> listening{false};
  const auto client = rig.connect(options(server));
  const auto subscription = client->subscribe({}, {"x*"},
                                              {.on_message =
                                                   [&](const Message& message) {
                                                     std::lock_guard lock(mutex);
                                                     heard += message.channel + "=" + message.payload;
                                                   },
                                               .on_state = [&](bool now) { listening = now; }});
  ASSERT_TRUE(rig.wait_until([&] { return listening.load(); }));
  EXPECT_EQ(text_of(client->call({"PUBLISH", "xy", "z"}).get()), "1");
  EXPECT_TRUE(rig.wait_until([&] {
    std::lock_guard lock(mutex);
    return heard == "xy=z";
  }));
}

// ---- reconnection

TEST(Client, connects_when_the_server_starts_later_and_reports_until_then) {
  RedisServer server;
  server.kill9();
  ClientFixture rig;
  const auto client = rig.connect(server);
  const auto state = client->ready().get();
  ASSERT_FALSE(state);
  EXPECT_THAT(state.error().message, HasSubstr("Connection refused"));
  auto waiting = client->call({"PING"});
  server.restart();
  EXPECT_EQ(text_of(std::move(waiting).get()), "PONG");
  EXPECT_TRUE(client->ready().get());
}

TEST(Client, fails_by_its_deadline_without_a_server) {
  RedisServer server;
  server.kill9();
  ClientFixture rig;
  ClientOptions options;
  options.command_timeout = Duration{200};
  const auto client = rig.connect(server, options);
  const auto answer = client->call({"PING"}).get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::kDisconnected);
  EXPECT_THAT(answer.error().message, HasSubstr("was not sent"));
  options.away = Away::kFailFast;
  options.command_timeout = Duration{60'000};
  const auto hasty = rig.connect(server, options);
  EXPECT_FALSE(hasty->ready().get());
  EXPECT_EQ(hasty->call({"PING"}).get().error().code, Errc::kDisconnected);
}

TEST(Client, bounds_the_waiting_requests) {
  RedisServer server;
  server.sigstop();
  ClientFixture rig;
  ClientOptions options;
  options.max_queued_bytes = 10'000;
  options.max_pending = 20;
  options.command_timeout = Duration{60'000};
  const auto client = rig.connect(server, options);
  EXPECT_EQ(client->call({"SET", "k", std::string(20'000, 'x')}).get().error().code, Errc::kTooLarge);
  std::vector<Answer<Reply>> fine;
  for (int i = 0; i < 20; ++i) fine.push_back(client->call({"INCR", "n"}));
  const auto refused = client->call({"INCR", "n"}).get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kTooLarge);
  EXPECT_THAT(refused.error().message, HasSubstr("20 commands"));
  server.sigcont();
  for (auto& each : fine) EXPECT_TRUE(std::move(each).get());
  EXPECT_EQ(text_of(client->call({"GET", "n"}).get()), "20");
}

/// The server is killed and restarted under load with every write synced: an acknowledged write exists,
/// another one exists once or not at all.
TEST(Client, never_repeats_a_command_that_may_have_been_executed) {
  RedisServer server({.appendonly = true});
  ClientFixture rig;
  const auto client = rig.connect(server);
  ASSERT_TRUE(client->ready().get());
  constexpr int kKills = 3;
  std::vector<std::pair<std::string, Answer<Reply>>> calls;
  int number = 0;
  for (int kill = 0; kill < kKills; ++kill) {
    for (int i = 0; i < 3'000; ++i) {
      const std::string field = std::to_string(++number);
      calls.emplace_back(field, client->call({"HINCRBY", "h", field, "1"}));
      if (i == 1'500) {
        const auto& answered = calls[calls.size() - 1'000].second;  // so that each kill meets both kinds
        ASSERT_TRUE(rig.wait_until([&] { return answered.ready(); }));
        server.kill9();
      }
    }
    server.restart();
    ASSERT_TRUE(rig.wait_until([&] { return client->connected(); }));
  }
  std::map<std::string, std::string> stored;
  int acknowledged = 0, unknown = 0;
  std::set<std::string> good;
  for (auto& [field, future] : calls) {
    const auto answer = std::move(future).get();
    if (answer) {
      EXPECT_EQ(text_of(answer), "1");
      good.insert(field);
      ++acknowledged;
    } else {
      EXPECT_EQ(answer.error().code, Errc::kDisconnected) << answer.error().message;
      ++unknown;
    }
  }
  const auto all = client->call({"HGETALL", "h"}).get();
  for (std::size_t i = 0; i + 1 < all->array()->size(); i += 2) {
    stored[*(*all->array())[i].text()] = *(*all->array())[i + 1].text();
  }
  for (const auto& [field, count] : stored) EXPECT_EQ(count, "1") << field;
  for (const auto& field : good)
    EXPECT_TRUE(stored.contains(field)) << field << " was acknowledged and is lost";
  EXPECT_GT(acknowledged, 1'000);
  RecordProperty("unknown", unknown);
}

TEST(Client, survives_its_connection_being_killed) {
  RedisServer server;
  ClientFixture rig;
  const auto client = rig.connect(server);
  const Script script("incr", "return redis.call('INCR', KEYS[1])");
  int done = 0;
  for (int round = 0; round < 20; ++round) {
    std::vector<Answer<Reply>> calls;
    for (int i = 0; i < 50; ++i) calls.push_back(client->run(script, {"n"}, {}));
    server.call({"CLIENT", "KILL", "TYPE", "normal"});
    server.call({"SCRIPT", "FLUSH"});
    for (auto& each : calls) {
      const auto answer = std::move(each).get();
      done += answer ? 1 : 0;
      if (answer) {
        ASSERT_NE(answer->integer(), nullptr) << text_of(answer);
      }
    }
  }
  const std::string counted = text_of(server.call({"GET", "n"}));
  EXPECT_GE(std::stoi(counted), done);
  EXPECT_LE(std::stoi(counted), 1'000);
  EXPECT_GT(client->health().connections, 5U);
}

TEST(Client, reloads_flushed_scripts) {
  RedisServer server;
  ClientFixture rig;
  const auto client = rig.connect(server);
  const Script one("one", "return redis.call('INCR', KEYS[1])"), two("two", "return ARGV[1]");
  int good = 0;
  for (int round = 0; round < 40; ++round) {
    std::vector<Answer<Reply>> calls;
    for (int i = 0; i < 25; ++i) {
      calls.push_back(client->run(one, {"n"}, {}));
      calls.push_back(client->run(two, {}, {"x"}));
      if (i == 12) server.call({"SCRIPT", "FLUSH"});
    }
    for (auto& each : calls) {
      const auto answer = std::move(each).get();
      ASSERT_TRUE(answer && answer->failure() == nullptr) << text_of(answer);
      ++good;
    }
  }
  EXPECT_EQ(good, 2'000);
  EXPECT_EQ(text_of(client->call({"GET", "n"}).get()), "1000");
}

TEST(Client, detects_an_unresponsive_server) {
  RedisServer server;
  ClientFixture rig;
  ClientOptions options;
  options.command_timeout = Duration{300};
  options.silence_timeout = Duration{400};
  options.connect_timeout = Duration{300};
  const auto client = rig.connect(server, options);
  ASSERT_TRUE(client->ready().get());
  server.sigstop();
  const Instant from = rig.clock.now();
  const auto answer = client->call({"INCR", "n"}).get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::kTimeout);
  EXPECT_LT(rig.clock.now() - from, Duration{2'000});
  EXPECT_TRUE(rig.wait_until([&] { return !client->connected(); }));
  server.sigcont();
  EXPECT_TRUE(rig.wait_until([&] { return client->connected(); }));
  EXPECT_EQ(text_of(client->call({"GET", "n"}).get()), "1") << "it was carried out late, and once";
}

TEST(Client, tolerates_a_pause_shorter_than_its_timeouts) {
  RedisServer server;
  ClientFixture rig;
  const auto client = rig.connect(server);
  ASSERT_TRUE(client->ready().get());
  server.call({"CLIENT", "PAUSE", "300"});
  EXPECT_EQ(text_of(client->call({"PING"}).get()), "PONG");
  EXPECT_EQ(client->health().connections, 1U);
}

TEST(Client, reconnects_when_the_server_becomes_a_replica) {
  RedisServer server;
  ClientFixture rig;
  ClientOptions options;
  options.command_timeout = Duration{10'000};
  const auto client = rig.connect(server, options);
  ASSERT_TRUE(client->ready().get());
  server.call({"REPLICAOF", "127.0.0.1", "1"});
  const auto refused = client->call({"SET", "k", "v"}).get();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("READONLY"));
  server.call({"REPLICAOF", "NO", "ONE"});
  EXPECT_EQ(text_of(client->call({"SET", "k", "v"}).get()), "OK");
  EXPECT_EQ(client->health().connections, 2U);
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
