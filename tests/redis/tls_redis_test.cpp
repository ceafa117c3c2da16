// TLS to real servers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>

#include "client_fixture.hpp"

namespace gaur::redis {
namespace {

using test::RedisServer;
using testing::HasSubstr;

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

}  // namespace
}  // namespace gaur::redis
