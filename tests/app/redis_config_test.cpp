// The configuration of a Redis store, from gaur.toml and from the environment file of the old deployment.
#include <gmock/gmock.h>

#include "config_fixture.hpp"

namespace gaur::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kSeedEnv =
    "REDIS_HOST=10.0.0.5\nREDIS_PORT=6380\nREDIS_PASSWORD='s3cret #1'\nBULL_QUEUE_NAME=ncs_resource::\n"
    "BULL_COUNT=1\n";

class RedisConfigTest : public ConfigTest {
 protected:
  std::string where(const KeyPath& path) { return to_string(settings_.origin(path)); }
};

TEST_F(RedisConfigTest, VariablesOfABullDeploymentAreUsedWithTheirOrigins) {
  put("prod.env", kSeedEnv);
  layers_.env_file = "prod.env";
  const Config config = make();
  EXPECT_THAT(settings_.problems(), IsEmpty());
  ASSERT_TRUE(config.redis);
  EXPECT_EQ(config.redis->url, "redis://10.0.0.5:6380");
  EXPECT_EQ(config.redis->endpoint.password, "s3cret #1");
  EXPECT_EQ(config.redis->prefix, "ncs_resource::");
  EXPECT_FALSE(config.producer_only);
  EXPECT_EQ(config.data_folder, folder_ / "gaur-data");
  EXPECT_EQ(where({"store", "url"}), "prod.env:1");
  EXPECT_EQ(where({"store", "password"}), "prod.env:3");
  EXPECT_EQ(where({"store", "prefix"}), "prod.env:4");
  EXPECT_EQ(where({"worker", "count"}), "prod.env:5");
}

TEST_F(RedisConfigTest, SlotsAreBullCountTimesPm2Instances) {
  put("prod.env", kSeedEnv);
  put("gaur.toml", "[worker]\ninstances = 4\n");
  layers_.env_file = "prod.env";
  EXPECT_EQ(make().slots.slots, 4U);
  EXPECT_THAT(make().slots.text, HasSubstr("BULL_COUNT 1 x 4 instances"));
  EXPECT_EQ(make().slots.share.cores, 6);  // of 24: 600 %
  layers_.flags = {"--machine.slots=3"};
  EXPECT_EQ(make().slots.slots, 3U);  // a configured number overrides it
}

TEST_F(RedisConfigTest, ACountOfZeroMeansAProducerOnly) {
  put("prod.env", "REDIS_HOST=h\nBULL_QUEUE_COUNT=0\n");
  layers_.env_file = "prod.env";
  EXPECT_TRUE(make().producer_only);
  EXPECT_EQ(make().producer_only_why, "BULL_COUNT is 0 (prod.env:2)");
  layers_.flags = {"--machine.slots=2"};
  EXPECT_FALSE(make().producer_only);
  layers_.flags = {"--machine.slots=0"};
  EXPECT_EQ(make().producer_only_why, "slots is 0 (--machine.slots)");
}

TEST_F(RedisConfigTest, GaurVariablesOverrideBullVariablesAndTheProcessOverridesTheFile) {
  put("prod.env", std::string(kSeedEnv) + "GAUR_STORE_PREFIX=mine\n");
  layers_.env_file = "prod.env";
  layers_.environment = {{"REDIS_HOST", "other"}};
  const Config config = make();
  EXPECT_EQ(config.redis->prefix, "mine");
  EXPECT_EQ(config.redis->url, "redis://other:6380");  // the file applies where the process sets nothing
}

TEST_F(RedisConfigTest, ADefaultEnvFileDoesNotReplaceTheStore) {
  put(".env", kSeedEnv);
  put("gaur.toml", "[store]\nurl = \"embedded:./data\"\n");
  EXPECT_FALSE(make().redis);
  put("gaur.toml", "");
  EXPECT_TRUE(make().redis);  // no other setting names a store
  layers_.environment = {{"REDIS_HOST", "elsewhere"}};
  EXPECT_EQ(make().redis->url, "redis://10.0.0.5:6380");
}

TEST_F(RedisConfigTest, ReadsPasswordsFromFilesAndMasksThemInOutput) {
  put("pw", "from a file\r\n");
  put("gaur.toml", "[store]\nurl = \"redis://user:in-the-url@h:1/2\"\npassword_file = \"pw\"\n");
  EXPECT_EQ(make().redis->endpoint.password, "from a file");
  layers_.environment = {{"REDIS_PASSWORD", "from the environment"}};
  EXPECT_EQ(make().redis->endpoint.password, "from the environment");
  for (const EffectiveSetting& setting : settings_.effective()) {
    EXPECT_EQ(setting.shown.find("in-the-url"), std::string::npos) << setting.shown;
    EXPECT_EQ(setting.shown.find("from the"), std::string::npos) << setting.shown;
  }
}

TEST_F(RedisConfigTest, RejectsAPasswordInAFlagWithoutRepeatingIt) {
  layers_.flags = {"--store.url=redis://:hunter2@h", "--store.password=hunter2"};
  for (const std::string& line : problems()) EXPECT_EQ(line.find("hunter2"), std::string::npos) << line;
  EXPECT_EQ(problems().size(), 2U);
  put("gaur.toml", "[store]\nurl = \"http://me:hunter2@h\"\n");
  layers_.flags = {};
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("not \"http://me:***@h\"")));
}

TEST_F(RedisConfigTest, DefaultsDependOnTheStore) {
  put("gaur.toml",
      "[store]\nurl = \"redis://h\"\n[queues.q]\n[pools.p]\ncommand = [\"true\"]\n[functions.f]\npool = "
      "\"p\"\n"
      "timeout = \"20m\"\n");
  const Config redis = make();
  EXPECT_THAT(settings_.problems(), IsEmpty());
  EXPECT_FALSE(redis.queues.at("q").backfill);
  EXPECT_EQ(redis.queues.at("q").keep_completed, std::nullopt);
  EXPECT_EQ(redis.queues.at("q").keep_failed_for, std::nullopt);
  EXPECT_EQ(redis.recovery.grace, Duration(1'200'000));  // long enough that no running job is taken away
  EXPECT_EQ(redis.recovery.orphan_age, Duration(1'200'000));
  layers_.flags = {"--store.url=embedded:x"};
  const Config embedded = make();
  EXPECT_TRUE(embedded.queues.at("q").backfill);
  EXPECT_EQ(embedded.queues.at("q").keep_completed, 10'000U);
  EXPECT_EQ(embedded.recovery.grace, Duration(0));
  layers_.flags = {"--store.url=redis://h", "--worker.grace=0", "--worker.stalled=report"};
  EXPECT_EQ(make().recovery.grace, Duration(0));
  EXPECT_EQ(make().recovery.stalled, RecoveryConfig::Stalled::kReport);
}

TEST_F(RedisConfigTest, OptionsOfTheUrlApplyUnlessAKeyIsSet) {
  put("gaur.toml",
      "[store]\nurl = \"redis+unix:///run/r.sock?db=3&prefix=ncs&dialect=bull&allow_eviction=1\"\n");
  const Config config = make();
  EXPECT_THAT(settings_.problems(), IsEmpty());
  EXPECT_EQ(config.redis->endpoint.unix_path, "/run/r.sock");
  EXPECT_EQ(config.redis->endpoint.db, 3U);
  EXPECT_EQ(config.redis->prefix, "ncs");
  EXPECT_FALSE(config.redis->detect);
  EXPECT_TRUE(config.redis->allow_eviction);
  layers_.flags = {"--store.prefix=other", "--store.dialect=auto"};
  EXPECT_EQ(make().redis->prefix, "other");
  EXPECT_TRUE(make().redis->detect);
}

TEST_F(RedisConfigTest, ReportsMistakesWithTheirPlace) {
  put("gaur.toml",
      "[store]\nurl = \"redis://h\"\nprefix = \"a*b\"\n[results]\npublic_url = \"query01:3009\"\n");
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("gaur.toml:3:1: store.prefix: must not contain any of"),
                                      HasSubstr("gaur.toml:5:1: results.public_url: takes a URL")));
  put("gaur.toml", "[server]\ndata = \"x\"\n");
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("gaur.toml:2:1: server.data: an embedded store has")));
}

}  // namespace
}  // namespace gaur::app
