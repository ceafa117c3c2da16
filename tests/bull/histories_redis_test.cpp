// Random histories on Bull's layout in a real Redis against the model under Bull's Semantics: 25 fixed seeds
// and a fresh one; 500 with GAUR_LONG=1.
#include <cstdlib>

#include "../conformance/histories.hpp"
#include "../conformance/model_fixture.hpp"
#include "bull_fixture.hpp"

namespace gaur::conformance {
namespace {

TEST(BullHistories, MatchTheModel) {
  expect_histories_hold(model_subject(Semantics::bull()), bull_subject());
}

}  // namespace
}  // namespace gaur::conformance

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  gaur::conformance::flags.histories = std::getenv("GAUR_LONG") == nullptr ? 25 : 500;
  gaur::conformance::read_history_flags(argc, argv);
  return RUN_ALL_TESTS();
}
