// The environment of a Bull deployment: every variable is used, contradictions are reported, and a gaur.toml
// loses none of its settings.
#include "app/config/deployment.hpp"

#include <gmock/gmock.h>

#include "config_fixture.hpp"

namespace gaur::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DeploymentTest : public ConfigTest {
 protected:
  /// The URL that a start with `--env prod.env` uses.
  std::string url_with(const std::string& env, const std::string& toml = "") {
    put("prod.env", env);
    if (!toml.empty()) put("gaur.toml", toml);
    layers_.env_file = "prod.env";
    const Config config = make();
    if (!settings_.problems().empty()) return to_string(settings_.problems().front());
    return config.redis ? config.redis->url : "embedded";
  }
};

TEST_F(DeploymentTest, UsesEveryVariableOfTheServer) {
  EXPECT_EQ(url_with("REDIS_HOST=h\nREDIS_PORT=6380\nREDIS_DB=2\nREDIS_USERNAME=app\nREDIS_TLS=true\n"),
            "rediss://app@h:6380/2");
  EXPECT_EQ(to_string(settings_.origin({"store", "url"})), "prod.env:1");
  EXPECT_EQ(make().redis->endpoint.db, 2U);
  EXPECT_EQ(url_with("REDIS_HOST=h\nREDIS_USER=app\n"), "redis://app@h:6379");
  EXPECT_EQ(url_with("REDIS_HOST=fe80::1\nREDIS_TLS=0\n"), "redis://[fe80::1]:6379");
  EXPECT_EQ(url_with("REDIS_DB=3\n"), "redis://127.0.0.1:6379/3");
  EXPECT_EQ(url_with("REDIS_HOST=\n"), "redis://127.0.0.1:6379");
}

TEST_F(DeploymentTest, AcceptsAUrlAlone) {
  EXPECT_EQ(url_with("REDIS_URL=rediss://app:s%2Fcret@h:6380/2?maxRetriesPerRequest=3\n"),
            "rediss://app:s%2Fcret@h:6380/2");
  EXPECT_EQ(make().redis->endpoint.password, "s/cret");
  EXPECT_EQ(url_with("REDIS_URL=redis+unix:///run/redis.sock?db=2\n"), "redis+unix:///run/redis.sock?db=2");
  EXPECT_EQ(url_with("REDIS_URL=redis://h\nREDIS_DB=2\nREDIS_HOST=H\n"), "redis://h:6379/2");
}

TEST_F(DeploymentTest, ReportsContradictionsWithBothSources) {
  for (const auto& [env, expected] : std::vector<std::pair<std::string, std::string>>{
           {"REDIS_URL=redis://h/2\nREDIS_DB=3\n",
            "prod.env:2: store.url: REDIS_DB: 3 contradicts prod.env:1 REDIS_URL, which says 2"},
           {"REDIS_URL=redis://h\nREDIS_HOST=g\n", "host g contradicts"},
           {"REDIS_URL=redis://h:1\nREDIS_PORT=2\n", "REDIS_PORT: 2 contradicts"},
           {"REDIS_URL=rediss://h\nREDIS_TLS=false\n", "REDIS_TLS: false contradicts"},
           {"REDIS_URL=redis://:a@h\nREDIS_PASSWORD=b\n", "REDIS_PASSWORD: a password contradicts"},
           {"REDIS_URL=redis://h?keyPrefix=a\nBULL_QUEUE_NAME=b\n", "BULL_QUEUE_NAME: prefix b contradicts"},
           {"REDIS_USER=a\nREDIS_USERNAME=b\n", "REDIS_USER: \"a\" contradicts"},
           {"BULL_COUNT=1\nBULL_QUEUE_COUNT=2\n", "BULL_QUEUE_COUNT: \"2\" contradicts"},
           {"REDIS_URL=redis://h/2?db=3\n", "plain ioredis uses the first, Bull the second"},
           {"REDIS_URL=redis://word@h\n", "Bull takes for the password and ioredis for the user"}}) {
    EXPECT_THAT(url_with(env), HasSubstr(expected)) << env;
    EXPECT_THAT(url_with(env), Not(HasSubstr("embedded"))) << env;
  }
}

TEST_F(DeploymentTest, RejectsInvalidValuesByName) {
  for (const auto& [env, expected] : std::vector<std::pair<std::string, std::string>>{
           {"REDIS_HOST=redis://h\n", "REDIS_HOST: is a URL; give it as REDIS_URL"},
           {"REDIS_HOST=h:6380\n", "REDIS_HOST: contains a port"},
           {"REDIS_HOST=/run/redis.sock\n", "REDIS_HOST: is the path of a socket"},
           {"REDIS_HOST=a/b\n", "REDIS_HOST: \"a/b\" is not a host"},
           {"REDIS_PORT=6379x\n", "REDIS_PORT: \"6379x\" is not a port"},
           {"REDIS_PORT=0\n", "REDIS_PORT: \"0\" is not a port"},
           {"REDIS_DB=two\n", "REDIS_DB: \"two\" is not a database number"},
           {"REDIS_TLS={}\n", "REDIS_TLS: takes true or false, not \"{}\""},
           {"REDIS_HOST=${DB_HOST}\n",
            "prod.env:1: store.url: REDIS_HOST: contains ${DB_HOST}, which dotenv keeps"},
           {"REDIS_HOST=$DB_HOST\n", "REDIS_HOST: contains $DB_HOST"},
           {"REDIS_HOST=h\nREDIS_PASSWORD='${PW}'\n", "REDIS_PASSWORD: contains a ${...}"},
           {"REDIS_URL=redis://${DB_HOST}:6379\n", "REDIS_URL: contains a ${...}"}}) {
    EXPECT_THAT(url_with(env), HasSubstr(expected)) << env;
  }
  layers_.environment = {{"REDIS_HOST", "h"}};
  EXPECT_EQ(url_with("REDIS_HOST=${DB_HOST}\n"),
            "redis://h:6379");  // the variable of the process applies, as with dotenv
}

TEST_F(DeploymentTest, AFileChangesOnlyThePartsOfTheUrlThatItSets) {
  const std::string toml = "[store]\nurl = \"rediss://app@h:6380/2?ca=/ca.pem\"\n";
  EXPECT_EQ(url_with("REDIS_PASSWORD=x\n", toml), "rediss://app@h:6380/2?ca=/ca.pem");
  EXPECT_EQ(url_with("REDIS_HOST=h\nREDIS_PORT=6380\n", toml), "rediss://app@h:6380/2?ca=/ca.pem");
  EXPECT_EQ(url_with("REDIS_URL=redis://h:6380\n", toml), "rediss://app@h:6380/2?ca=/ca.pem");
  EXPECT_EQ(url_with("REDIS_HOST=staging\n", toml), "rediss://app@staging:6380/2?ca=/ca.pem");
  EXPECT_EQ(url_with("REDIS_HOST=staging\nREDIS_DB=0\n", toml), "rediss://app@staging:6380/0?ca=/ca.pem");
  EXPECT_THAT(url_with("REDIS_HOST=h\nREDIS_DB=0\n", toml),
              HasSubstr("prod.env:1: store.url: database 0 contradicts 2 in gaur.toml:2:1"));
  EXPECT_THAT(url_with("REDIS_HOST=h\nBULL_QUEUE_NAME=b\n", toml + "prefix = \"a\"\n"),
              HasSubstr("prod.env:2: store.prefix: \"b\" contradicts \"a\" in gaur.toml:3:1"));
}

TEST_F(DeploymentTest, UsesThePasswordOfADefaultEnvironmentFileForItsServer) {
  put("gaur.toml", "[store]\nurl = \"redis://h:6380/2\"\n");
  put(".env", "REDIS_HOST=h\nREDIS_PORT=6380\nREDIS_PASSWORD=pw\n");
  EXPECT_EQ(make().redis->endpoint.password, "pw");
  EXPECT_EQ(make().redis->endpoint.db, 2U);
  put(".env", "REDIS_HOST=another\nREDIS_PASSWORD=pw\n");
  EXPECT_EQ(make().redis->endpoint.password, "");
  put(".env", "REDIS_URL=redis://:in-url@h:6380\n");
  EXPECT_EQ(make().redis->endpoint.password, "in-url");
  EXPECT_THAT(settings_.problems(), IsEmpty());
}

TEST_F(DeploymentTest, ReadsThePasswordFromEnvFileOfGaurToml) {
  put("conf.toml", "[store]\nurl = \"redis://h:6380/2\"\nenv_file = \"secrets/prod.env\"\n");
  layers_.file = "conf.toml";
  std::filesystem::create_directories(folder_ / "secrets");
  put("secrets/prod.env", "REDIS_PASSWORD=from-the-file\nREDIS_DB=7\n");
  EXPECT_EQ(make().redis->endpoint.password, "from-the-file");
  EXPECT_EQ(make().redis->endpoint.db, 2U);
  layers_.environment = {{"REDIS_PASSWORD", "of the process"}};
  EXPECT_EQ(make().redis->endpoint.password, "of the process");
  layers_.environment = {};
  std::filesystem::remove(folder_ / "secrets/prod.env");
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("conf.toml:3:1: store.env_file: cannot read")));
}

TEST_F(DeploymentTest, TheProcessOverridesTheFileByVariable) {
  layers_.environment = {{"REDIS_HOST", "other"}};
  EXPECT_EQ(url_with("REDIS_HOST=h\nREDIS_PORT=6380\nREDIS_DB=2\n"), "redis://other:6380/2");
}

}  // namespace
}  // namespace gaur::app
