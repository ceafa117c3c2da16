// Reconnection: servers that start later, die, hang, forget scripts or become replicas.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "client_fixture.hpp"

namespace gaur::redis {
namespace {

using test::RedisServer;
using testing::HasSubstr;

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

}  // namespace
}  // namespace gaur::redis
