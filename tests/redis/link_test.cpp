// The greeting of a connection, and the handling of its replies.
#include "redis/link.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "machine_fixture.hpp"

namespace gaur::redis {
namespace {

using testing::HasSubstr;

TEST(Greeting, follows_the_endpoint) {
  struct Case {
    Endpoint at;
    const char* name;
    bool resp3;
    const char* expected;
  };
  Endpoint plain, db, password, user;
  db.db = 3;
  password.password = user.password = "s";
  user.user = "u";
  const Case cases[] = {
      {plain, "", false, "PING"},
      {plain, "me", false, "CLIENT SETNAME me | PING"},
      {db, "", false, "SELECT 3 | PING"},
      {password, "me", false, "AUTH s | CLIENT SETNAME me | PING"},
      {user, "", false, "AUTH u s | PING"},
      {plain, "", true, "HELLO 3 | PING"},
      {password, "", true, "HELLO 3 AUTH default s | PING"},
      {user, "me", true, "HELLO 3 AUTH u s | CLIENT SETNAME me | PING"},
  };
  for (const auto& each : cases) {
    ClientOptions options;
    options.endpoint = each.at;
    options.client_name = each.name;
    options.resp3 = each.resp3;
    Commands rig(options);
    rig.on(event::Start{});
    EXPECT_TRUE(rig.last.open);
    EXPECT_EQ(rig.on(event::Opened{}), each.expected);
  }
}

TEST(Greeting, ends_by_the_replies) {
  struct Case {
    const char* answers;  // to AUTH, CLIENT SETNAME, SELECT, PING
    bool ready;
    Errc code;
    const char* says;
  };
  const Case cases[] = {
      {"+OK\r\n+OK\r\n+OK\r\n+PONG\r\n", true, {}, ""},
      {"-WRONGPASS invalid username-password pair\r\n", false, Errc::kPermission, "refuses user or password"},
      {"-ERR invalid password\r\n", false, Errc::kPermission, "refuses user or password"},
      {"-ERR AUTH <password> called without any password configured for the default "
       "user.\r\n+OK\r\n+OK\r\n+PONG\r\n",
       true,
       {},
       ""},
      {"-ERR Client sent AUTH, but no password is set\r\n+OK\r\n+OK\r\n+PONG\r\n", true, {}, ""},
      {"-ERR max number of clients reached\r\n", false, Errc::kDisconnected, "number of clients"},
      {"-LOADING Redis is loading the dataset in memory\r\n", false, Errc::kDisconnected, "LOADING"},
      {"-DENIED Redis is running in protected mode\r\n", false, Errc::kPermission, "DENIED"},
      {"+OK\r\n-NOPERM this user has no permissions\r\n+OK\r\n+PONG\r\n", true, {}, ""},
      {"+OK\r\n-ERR Client names cannot contain spaces\r\n+OK\r\n+PONG\r\n", true, {}, ""},
      {"+OK\r\n+OK\r\n-ERR DB index is out of range\r\n", false, Errc::kInvalidArgument, "database 3"},
      {"+OK\r\n+OK\r\n-NOPERM no select\r\n", false, Errc::kPermission, "database 3"},
      {"+OK\r\n+OK\r\n+OK\r\n-LOADING still\r\n", false, Errc::kDisconnected, "LOADING"},
      {"+OK\r\n+OK\r\n+OK\r\n-MASTERDOWN no\r\n", false, Errc::kDisconnected, "MASTERDOWN"},
      {"+OK\r\n+OK\r\n+OK\r\n-NOPERM no ping\r\n", true, {}, ""},
      {"-NOAUTH Authentication required.\r\n", false, Errc::kPermission, "wants a password"},
      {"HTTP/1.1 400 Bad Request\r\n", false, Errc::kCorrupt, "does not speak the Redis protocol"},
  };
  for (const auto& each : cases) {
    ClientOptions options;
    options.endpoint.password = "s";
    options.endpoint.db = 3;
    Commands rig(options);
    rig.greet(each.answers);
    EXPECT_EQ(rig.machine.ready(), each.ready) << each.answers;
    if (each.ready) continue;
    ASSERT_TRUE(rig.machine.link().error()) << each.answers;
    EXPECT_EQ(rig.machine.link().error()->code, each.code) << each.answers;
    EXPECT_THAT(rig.machine.link().error()->message, HasSubstr(each.says));
    EXPECT_EQ(rig.closes, 1);
  }
}

TEST(Greeting, reports_a_required_password) {
  Commands rig(quiet());
  rig.greet("-NOAUTH Authentication required.\r\n");
  EXPECT_THAT(rig.machine.link().error()->message, HasSubstr("wants a password, and none is configured"));
}

TEST(Greeting, comes_before_any_command_and_may_arrive_byte_by_byte) {
  Commands rig(quiet());
  rig.on(event::Start{});
  auto answer = rig.call({"GET", "k"});
  EXPECT_EQ(rig.sent, "");
  EXPECT_EQ(rig.on(event::Opened{}), "CLIENT SETNAME gaur | PING");
  std::string sent = rig.written();
  for (const char c : std::string_view("+OK\r\n+PONG\r\n")) sent += rig.receive({&c, 1});
  EXPECT_EQ(sent, "GET k");
  rig.receive("$1\r\nv\r\n");
  EXPECT_EQ(outcome(answer), "v");
}

TEST(Greeting, without_a_reply_ends_with_the_attempt) {
  ClientOptions options = quiet();
  options.connect_timeout = Duration{700};
  Commands rig(options);
  rig.on(event::Start{});
  rig.pass(Duration{650});
  rig.on(event::Opened{});
  rig.written();
  EXPECT_EQ(rig.closes, 0);
  rig.pass(Duration{60});
  EXPECT_EQ(rig.closes, 1);
  EXPECT_THAT(rig.machine.link().error()->message, HasSubstr("within 700 ms"));
}

}  // namespace
}  // namespace gaur::redis
