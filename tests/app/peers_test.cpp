// Environment files and Redis URLs, compared with dotenv, Nest's ConfigModule, ioredis and Bull.
// peers/environment.json records how they read each form (peers/environment.mjs writes and checks it).
#include <gmock/gmock.h>

#include <fstream>
#include <set>
#include <sstream>

#include "app/config/deployment.hpp"
#include "base/json.hpp"

namespace gaur::app {
namespace {

json::Object record() {
  std::ifstream stream(GAUR_PEERS "/environment.json");
  std::ostringstream text;
  text << stream.rdbuf();
  auto parsed = json::parse_object(text.str());
  EXPECT_TRUE(parsed) << "peers/environment.json cannot be read";
  return parsed ? *parsed : json::Object();
}

std::map<std::string, std::string> texts_of(const json::Value& object) {
  std::map<std::string, std::string> texts;
  for (const auto& [name, value] : object.as_object())
    texts[std::string(name)] = std::string(value.as_string());
  return texts;
}

/// Forms in which dotenv guesses. Gaur reports the line instead.
const std::set<std::string> kNamedInstead{"A:tight\n",  "A\n",         "A=\"open\nB=2\n",  "A='x' y\n",
                                          "A=\"x\"y\n", "A=\"x # y\n", "A=\"\"\"x\"\"\"\n"};

TEST(Peers, ReadsEveryFileLikeDotenvOrReportsTheLine) {
  const json::Object all = record();
  const json::Array& files = all.at("files").as_array();
  EXPECT_GT(files.size(), 50U);
  for (const json::Value& entry : files) {
    const std::string text(entry.at("text").as_string());
    std::vector<Problem> problems;
    std::map<std::string, std::string> read;
    for (const Variable& variable : parse_dotenv(text, ".env", "", problems))
      read[variable.name] = variable.value;
    EXPECT_EQ(!problems.empty(), kNamedInstead.contains(text)) << json::quote(text);
    if (problems.empty()) {
      EXPECT_EQ(read, texts_of(entry.at("dotenv"))) << json::quote(text);
    }
    EXPECT_EQ(texts_of(entry.at("dotenv")), texts_of(entry.at("nest"))) << json::quote(text);
  }
}

TEST(Peers, ReportsEveryReferenceThatNestExpands) {
  const json::Object all = record();
  std::size_t differ = 0;
  for (const json::Value& entry : all.at("files").as_array()) {
    const auto plain = texts_of(entry.at("dotenv"));
    const auto expanded = texts_of(entry.at("nest_expanded"));
    const std::string text(entry.at("text").as_string());
    if (!plain.contains("A")) continue;
    const Origin origin{Origin::Kind::kDotEnv, ".env", 1, 0, ""};
    const bool differs = plain.at("A") != expanded.at("A");
    differ += differs ? 1 : 0;
    const Deployment host = read_deployment({{"BULL_QUEUE_NAME", plain.at("A"), origin}});
    EXPECT_EQ(!host.problems.empty(), differs) << json::quote(text);
    const Deployment password = read_deployment({{"REDIS_PASSWORD", plain.at("A"), origin}});
    EXPECT_EQ(!password.problems.empty() || !password.notes.empty(), differs) << json::quote(text);
  }
  EXPECT_GT(differ, 8U);
}

struct Place {
  std::string host, path, user, password, prefix;
  std::int64_t port = 6379, db = 0;
  bool tls = false;
  bool operator==(const Place&) const = default;
};
void PrintTo(const Place& place, std::ostream* out) {
  *out << place.user << ":" << place.password << "@" << place.host << ":" << place.port << place.path << "/"
       << place.db << " " << place.prefix << (place.tls ? " tls" : "");
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

Place place_of(const json::Object& peer) {
  Place place;
  place.host = lower(json::text_or(peer, "host", ""));
  place.path = json::text_or(peer, "path", "");
  place.user = json::text_or(peer, "username", "");
  place.password = json::text_or(peer, "password", "");
  place.port = json::integer(peer, "port").value_or(6379);
  place.db = json::integer(peer, "db").value_or(0);
  place.tls = peer.contains("tls");
  place.prefix = json::text_or(peer, "prefix", "bull");
  if (!place.path.empty()) place.host = "";
  return place;
}

/// Accepted although the peers differ: Bull ignores TLS of a URL, plain ioredis has no prefix.
const std::set<std::string> kOurs{"rediss://h", "rediss://h:6380/1", "redis://h?keyPrefix=app",
                                  "redis://h?prefix=app", "redis+unix:///run/redis.sock"};
/// Rejected although the peers agree.
const std::set<std::string> kStricter{"redis://h/2abc",
                                      "redis://h/abc",
                                      "redis://h:0",
                                      "redis://h?tls=true",
                                      "REDIS://h",
                                      "redis://h?password=pw",
                                      "redis://h?username=u&password=pw",
                                      "redis://h?port=7000"};

TEST(Peers, ReadsEveryUrlLikeIoredisAndBullOrRejectsIt) {
  const json::Object all = record();
  EXPECT_GT(all.at("urls").as_array().size(), 50U);
  for (const json::Value& entry : all.at("urls").as_array()) {
    const std::string text(entry.at("url").as_string());
    const json::Object& ioredis = entry.at("ioredis").as_object();
    const json::Object& bull = entry.at("bull").as_object();
    const bool errors = ioredis.contains("error") || bull.contains("error");
    const bool agree = !errors && place_of(ioredis) == place_of(bull);
    const Deployment read = read_deployment({{"REDIS_URL", text, {Origin::Kind::kDotEnv, ".env", 1, 0, ""}}});
    const bool accepted = read.problems.empty();
    EXPECT_EQ(accepted, kOurs.contains(text) || (agree && !kStricter.contains(text))) << text;
    if (!accepted || !agree || kOurs.contains(text)) continue;
    const redis::Endpoint& at = read.url->endpoint;
    const Place ours{.host = lower(at.host),
                     .path = at.unix_path,
                     .user = at.user,
                     .password = at.password,
                     .prefix = read.url->prefix.value_or("bull"),
                     .port = at.port,
                     .db = at.db,
                     .tls = at.tls.on};
    EXPECT_EQ(ours, place_of(bull)) << text;
  }
}

TEST(Peers, TheKeyPrefixOfAUrlIsThePrefixOfBull) {
  const Deployment read =
      read_deployment({{"REDIS_URL", "redis://h?keyPrefix=app", {Origin::Kind::kDotEnv, ".env", 1, 0, ""}}});
  EXPECT_EQ(read.url->prefix, "app");
}

}  // namespace
}  // namespace gaur::app
