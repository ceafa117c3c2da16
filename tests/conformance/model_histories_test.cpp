// Random histories on the model with itself as the reference: the invariants hold with every semantics, and
// each planted mistake is found.
#include "histories.hpp"
#include "model_fixture.hpp"

namespace gaur::conformance {
namespace {

using model::Mutation;

TEST(ModelHistories, KeepInvariants) {
  expect_histories_hold(model_subject(), model_subject());
}

TEST(ModelHistories, KeepInvariantsWithSemanticsOfBull) {
  const Subject bull = model_subject(Semantics::bull());
  expect_histories_hold(bull, bull);
}

class PlantedMistake : public testing::TestWithParam<Mutation> {};

TEST_P(PlantedMistake, IsFoundWithin200Histories) {
  const Mutation mutation = GetParam();
  const auto result = run_histories(model_subject(), model_subject(Semantics::bullmq(), mutation),
                                    {.first_seed = 1, .histories = 200});
  ASSERT_TRUE(result.failing_seed) << to_string(mutation) << " was not found";
  EXPECT_EQ(result.report.find("in the reference"), std::string::npos) << result.report;
  fmt::print("{}: found in history {}\n", to_string(mutation), result.played);
}

INSTANTIATE_TEST_SUITE_P(All, PlantedMistake,
                         testing::Values(Mutation::kAckBeforeSync, Mutation::kNoTokenCheck,
                                         Mutation::kLostWakeUp, Mutation::kDoublePromote,
                                         Mutation::kCountDrift, Mutation::kRepeatExecuted,
                                         Mutation::kBackfillDelaysHead, Mutation::kLockReleasedOnReject),
                         [](const auto& param) {
                           std::string name(to_string(param.param));
                           std::erase_if(name, [](char c) { return c == ' ' || c == '-'; });
                           return name;
                         });

}  // namespace
}  // namespace gaur::conformance

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  gaur::conformance::flags.histories = 100;  // fewer than for a real store: this test checks the checker
  gaur::conformance::read_history_flags(argc, argv);
  return RUN_ALL_TESTS();
}
