// Random histories on the embedded store against the model: 500 fixed seeds and a fresh one.
#include "../embedded/embedded_rig.hpp"
#include "histories.hpp"
#include "model_rig.hpp"

namespace gaur::conformance {
namespace {

TEST(EmbeddedHistories, AreThoseOfTheModel) {
  expect_histories_hold(model_subject(), embedded_subject());
}

}  // namespace
}  // namespace gaur::conformance

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  gaur::conformance::read_history_flags(argc, argv);
  return RUN_ALL_TESTS();
}
