#include "app/config/layers.hpp"

#include <gmock/gmock.h>

#include "config_fixture.hpp"

namespace gaur::app {
namespace {

using testing::ElementsAre;

class LayersTest : public ConfigTest {
 protected:
  std::string where(const KeyPath& path) { return to_string(settings_.origin(path)); }
};

TEST_F(LayersTest, LaterLayersOverrideAndEachValueHasItsOrigin) {
  put("gaur.toml",
      "[server]\nlisten = \"127.0.0.1:1\"\nstop_timeout = \"1s\"\nlog_level = \"warn\"\n[queues.q]\nweight = "
      "2\n");
  put(".env",
      "# comment\nexport GAUR_SERVER_STOP_TIMEOUT='2s'\nGAUR_SERVER_LOG_LEVEL=error # "
      "why\nGAUR_SERVER_LISTEN=127.0.0.1:2\n");
  layers_.environment = {
      {"GAUR_SERVER_LISTEN", "127.0.0.1:3"}, {"GAUR_QUEUES_Q_MAX_WAITING", "7"}, {"PATH", "/bin"}};
  layers_.flags = {"--server.listen=127.0.0.1:4", "--queues.q.weight=3"};
  const Config config = make();
  EXPECT_TRUE(settings_.problems().empty());
  EXPECT_EQ(config.listen, "127.0.0.1:4");
  EXPECT_EQ(where({"server", "listen"}), "--server.listen");
  EXPECT_EQ(config.stop_timeout, Duration(2'000));
  EXPECT_EQ(where({"server", "stop_timeout"}), ".env:2");
  EXPECT_EQ(config.log_level, LogLevel::kError);
  EXPECT_EQ(config.queues.at("q").max_waiting, 7U);
  EXPECT_EQ(where({"queues", "q", "max_waiting"}), "GAUR_QUEUES_Q_MAX_WAITING");
  EXPECT_EQ(config.queues.at("q").weight, 3);
  EXPECT_EQ(where({"queues", "q", "max_head_wait"}), "gaur.toml:5:1");
  EXPECT_EQ(where({"store", "url"}), "default");
}

TEST_F(LayersTest, AMissingFileMeansDefaultsUnlessItWasGiven) {
  EXPECT_TRUE(problems().empty());
  layers_.file = "other.toml";
  ASSERT_EQ(problems().size(), 1U);
  EXPECT_THAT(problems()[0], testing::HasSubstr("other.toml: cannot read"));
}

TEST_F(LayersTest, BrokenTomlIsOneProblemWithItsLine) {
  put("gaur.toml", "[server]\nlisten = \"127.0.0.1:1\"\nlog_level = = 3\n");
  ASSERT_EQ(problems().size(), 1U);
  EXPECT_THAT(problems()[0], testing::StartsWith("gaur.toml:3:13: no valid TOML: "));
}

TEST_F(LayersTest, RejectsSecretsInFlagsAndUnknownVariables) {
  layers_.flags = {"--server.token=abc", "--server.lisen=x", "--queues.q.weight"};
  layers_.environment = {{"GAUR_SERVER_LISTN", "x"}, {"GAUR_DUCKDB_LIBRARY", "/lib"}};
  put(".env", "this is no assignment\n");
  EXPECT_THAT(
      problems(),
      ElementsAre(
          ".env:1: no assignment: a line is NAME=value, a comment begins with #",
          "--queues.q.weight: queues.q.weight: a flag needs a value: --queues.q.weight=VALUE",
          "--server.lisen: server.lisen: unknown key; did you mean \"listen\"?",
          "--server.token: server.token: a secret in a flag is seen by every user of the machine; use "
          "GAUR_SERVER_TOKEN or server.token_file",
          "GAUR_SERVER_LISTN: GAUR_SERVER_LISTN is not a key of the configuration; did you mean "
          "GAUR_SERVER_LISTEN?"));
}

TEST_F(LayersTest, AnOptionCannotDeclareANameBesideAFile) {
  layers_.flags = {"--queues.q.max_waiting=5", "--pools.p.command=true"};
  EXPECT_TRUE(problems().empty()) << "without a file, options can declare names";
  put("gaur.toml", "[queues.mail]\n[queues.rank]\n");
  layers_.flags = {"--queues.mial.max_waiting=5", "--queues.mial.weight=2", "--pools.p.command=true",
                   "--queues.rank.weight=2"};
  const std::string mial =
      "gaur.toml declares no queue \"mial\"; did you mean \"mail\"? declared: mail, rank; an option changes "
      "what the "
      "file declares, add [queues.mial] there";
  EXPECT_THAT(
      problems(),
      ElementsAre(
          "--pools.p.command: pools.p.command: gaur.toml declares no pool \"p\", nor any other; an option "
          "changes what the file declares, add [pools.p] there",
          "--queues.mial.max_waiting: queues.mial.max_waiting: " + mial,
          "--queues.mial.weight: queues.mial.weight: " + mial));
  EXPECT_EQ(settings_.names("queues"), (std::vector<std::string>{"mail", "rank"}));
}

TEST_F(LayersTest, MasksSecretsInOutput) {
  layers_.environment = {{"GAUR_SERVER_TOKEN", "a long and secret token"}};
  EXPECT_EQ(make().token, "a long and secret token");
  for (const EffectiveSetting& setting : settings_.effective()) {
    EXPECT_EQ(setting.shown.find("long and"), std::string::npos);
  }
}

TEST_F(LayersTest, ParsesNumbersListsAndFlagsInVariables) {
  put("gaur.toml", "[pools.p]\ncommand = [\"true\"]\n");
  layers_.environment = {{"GAUR_POOLS_P_COMMAND", "node,runner.js"}, {"GAUR_MACHINE_CORES", "2.5"}};
  const Config config = make();
  EXPECT_THAT(config.pools.at("p").command, ElementsAre("node", "runner.js"));
  EXPECT_EQ(config.slots.capacity.cores, 2.5);
}

}  // namespace
}  // namespace gaur::app
