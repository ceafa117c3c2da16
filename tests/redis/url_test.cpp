#include "redis/url.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gaur::redis {
namespace {

using testing::HasSubstr;
using testing::Not;

/// user|password|host|port|path|db|tls, as one line.
std::string shown(const std::string& text) {
  const auto url = parse_url(text);
  if (!url) return url.error().message;
  const Endpoint& at = url->endpoint;
  return at.user + "|" + at.password + "|" + at.host + "|" + std::to_string(at.port) + "|" + at.unix_path +
         "|" + std::to_string(at.db) + (at.tls.on ? "|tls" : "");
}

TEST(Url, names_the_parts) {
  const std::pair<const char*, const char*> cases[] = {
      {"redis://localhost", "||localhost|6379||0"},
      {"redis://localhost/", "||localhost|6379||0"},
      {"redis://10.0.0.1:7000/3", "||10.0.0.1|7000||3"},
      {"redis://:secret@host", "|secret|host|6379||0"},
      {"redis://user@host", "user||host|6379||0"},
      {"redis://user:secret@host:1/2", "user|secret|host|1||2"},
      {"redis://u%40x:p%3A%2F%25@host", "u@x|p:/%|host|6379||0"},
      {"redis://:a@b@host", "|a@b|host|6379||0"},
      {"redis://[::1]", "||::1|6379||0"},
      {"redis://[fe80::1]:7000/1", "||fe80::1|7000||1"},
      {"rediss://host?ca=/etc/ca.pem", "||host|6379||0|tls"},
      {"redis+unix:///run/redis.sock", "||127.0.0.1|6379|/run/redis.sock|0"},
      {"redis+unix:///run/my%20redis.sock?db=4", "||127.0.0.1|6379|/run/my redis.sock|4"},
      {"redis://host?db=5&&", "||host|6379||5"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(shown(text), expected) << text;
}

TEST(Url, reads_the_options) {
  const auto url = parse_url(
      "rediss://host?dialect=auto&prefix=ncs_resource%3A%3A&ca=/c&cert=/d&key=/"
      "k&server_name=n&allow_eviction=1");
  ASSERT_TRUE(url) << url.error().message;
  EXPECT_EQ(url->dialect, "auto");
  EXPECT_EQ(url->prefix, "ncs_resource::");
  EXPECT_EQ(url->endpoint.tls.ca_file, "/c");
  EXPECT_EQ(url->endpoint.tls.cert_file, "/d");
  EXPECT_EQ(url->endpoint.tls.key_file, "/k");
  EXPECT_EQ(url->endpoint.tls.server_name, "n");
  EXPECT_TRUE(url->allow_eviction);
  EXPECT_FALSE(parse_url("redis://host")->dialect);
  EXPECT_FALSE(parse_url("redis://host")->allow_eviction);
}

TEST(Url, reports_the_problem_and_what_is_expected) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "begins with redis://"},
      {"http://host", "begins with redis://"},
      {"redis:/host", "begins with redis://"},
      {"redis://", "a host is expected"},
      {"redis://:6379", "a host is expected"},
      {"redis://host:0", "1 to 65535"},
      {"redis://host:65536", "1 to 65535"},
      {"redis://host:", "1 to 65535"},
      {"redis://host:12x", "1 to 65535"},
      {"redis://::1", "in brackets"},
      {"redis://[::1", "ends with \"]\""},
      {"redis://[::1]6379", "a port is expected"},
      {"redis://host/one", "\"one\" is no database number"},
      {"redis://host/-1", "is no database number"},
      {"redis://host/99999999999999999999", "is no database number"},
      {"redis://ho st", "a space"},
      {"redis://host\n", "control character"},
      {"redis://:p%2@host", "%25"},
      {"redis://:p%zz@host", "%25"},
      {"redis://:p%00@host", "NUL"},
      {"redis://:p#1@host", "%23"},
      {"redis://host?ca=/x", "rediss://"},
      {"rediss://host?ca=", "has no value"},
      {"rediss://host?cert=/x", "go together"},
      {"redis://host?prefix", "has no value"},
      {"redis://host?allow_eviction=yes", "0 or 1"},
      {"redis://host?dialekt=bull", "known are dialect"},
      {"redis+unix://run/redis.sock", "three slashes"},
      {"redis+unix:///", "three slashes"},
  };
  for (const auto& [text, expected] : cases) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, Errc::kInvalidArgument);
    EXPECT_THAT(url.error().message, HasSubstr(expected)) << text;
  }
}

TEST(Url, never_shows_a_password) {
  for (const char* text :
       {"redis://u:S3CRET@host:x", "redis://:S3CRET/@host", "redis://:S3CRET%@host", "redis://:S3CRET@host/x",
        "redis://:S3CRET@host?nonsense=1", "redis://:S3CRET @host", "redis://:a/S3CRET@host",
        "redis://:a?S3CRET@host", "redis://:a?db=1&S3CRET@host"}) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_THAT(url.error().message, Not(HasSubstr("S3CRET"))) << text;
    EXPECT_THAT(masked(text), Not(HasSubstr("S3CRET"))) << text;
  }
  EXPECT_EQ(masked("redis://u:pw@host:1/2?x=1"), "redis://u:***@host:1/2?x=1");
  EXPECT_EQ(masked("redis://:pw@host"), "redis://:***@host");
  EXPECT_EQ(masked("redis://:p@w@host"), "redis://:***@host");
  EXPECT_EQ(masked("redis://host:6379"), "redis://host:6379");
  EXPECT_EQ(masked("redis+unix:///a.sock"), "redis+unix:///a.sock");
  EXPECT_EQ(masked("nonsense"), "nonsense");
}

TEST(Url, names_an_endpoint_for_the_log_without_its_password) {
  EXPECT_EQ(to_text(parse_url("redis://u:p@host:7/2")->endpoint), "redis://host:7/2");
  EXPECT_EQ(to_text(parse_url("rediss://[::1]")->endpoint), "rediss://[::1]:6379/0");
  EXPECT_EQ(to_text(parse_url("redis+unix:///a?db=1")->endpoint), "redis+unix:///a?db=1");
}

TEST(Url, names_the_command_line_without_the_password) {
  EXPECT_EQ(cli_command(parse_url("redis://host:7/2")->endpoint), "redis-cli -h host -p 7 -n 2");
  EXPECT_EQ(cli_command(parse_url("redis://u:p@host")->endpoint),
            "redis-cli -h host -p 6379 -n 0 --user u --askpass");
  EXPECT_EQ(cli_command(parse_url("rediss://[::1]/1?ca=/etc/our%20ca.pem")->endpoint),
            "redis-cli -h ::1 -p 6379 -n 1 --tls --cacert '/etc/our ca.pem'");
  EXPECT_EQ(cli_command(parse_url("redis+unix:///a?db=1")->endpoint), "redis-cli -s /a -n 1");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_word(""), "''");
}

TEST(Url, EveryPartWithAProblemIsNamed) {
  const auto url = parse_url("redis://a%zz:b@host:99999/x?familly=4&family=5&db=1&db=2&cert=c");
  ASSERT_FALSE(url);
  EXPECT_EQ(
      url.error().message,
      "store URL: \"x\" is no database number; 0 is the usual one; the user holds a % without two "
      "hexadecimal "
      "digits; a % itself is written %25; the port is a number from 1 to 65535; a password with / ? # or @ "
      "writes them as %2F %3F %23 %40; there is no option \"familly\"; known are dialect, prefix, db, "
      "family, "
      "ca, cert, key, server_name, allow_eviction; family is 4 or 6, the IP version of the server's address, "
      "or 0 for either; option \"db\" is given twice; option \"cert\" is about TLS; write rediss://");
}

}  // namespace
}  // namespace gaur::redis
