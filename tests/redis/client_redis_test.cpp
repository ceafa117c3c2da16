// The client against real servers: what a user sees of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client_fixture.hpp"

namespace gaur::redis {
namespace {

using test::RedisServer;
using testing::HasSubstr;

TEST(Client, calls_pipelines_and_scripts_over_tcp) {
  RedisServer server;
  Rig rig;
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

}  // namespace
}  // namespace gaur::redis
