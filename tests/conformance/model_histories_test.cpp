// Random histories on the model itself, under every semantics: the invariants hold, and each mistake that is
// planted into it is found.
#include "histories.hpp"
#include "model_rig.hpp"

namespace gaur::conformance {
namespace {

using model::Mutation;

TEST(ModelHistories, Hold) {
  expect_histories_hold(model_subject(), model_subject());
}

TEST(ModelHistories, HoldUnderBullsSemantics) {
  const Subject bull = model_subject(Semantics::bull());
  expect_histories_hold(bull, bull);
}

class PlantedMistake : public testing::TestWithParam<Mutation> {};

TEST_P(PlantedMistake, IsFoundWithin200Histories) {
  const Mutation mutation = GetParam();
  const auto result = play_histories(model_subject(), model_subject(Semantics::bullmq(), mutation),
                                     {.first_seed = 1, .histories = 200});
  ASSERT_TRUE(result.failing_seed) << to_string(mutation) << " was not found";
  EXPECT_EQ(result.report.find("in the reference"), std::string::npos) << result.report;
  fmt::print("{}: found in history {}\n", to_string(mutation), result.played);
}

INSTANTIATE_TEST_SUITE_P(All, PlantedMistake,
                         testing::Values(Mutation::kAckBeforeSync, Mutation::kNoTokenCheck,
                                         Mutation::kLostWakeUp, Mutation::kDoublePromote,
                                         Mutation::kCountDrift, Mutation::kResendTwice,
                                         Mutation::kPassDelaysHead, Mutation::kLockReleasedBeforeMove),
                         [](const auto& param) {
                           std::string name(to_string(param.param));
                           std::erase_if(name, [](char c) { return c == ' ' || c == '-'; });
                           return name;
                         });

}  // namespace
}  // namespace gaur::conformance

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  gaur::conformance::flags.histories = 100;  // the real store plays 500; here the checker itself is held
  gaur::conformance::read_history_flags(argc, argv);
  return RUN_ALL_TESTS();
}
