// Random histories on the embedded store and the model: 500 fixed seeds and a new one.
#include "../embedded/embedded_fixture.hpp"
#include "histories.hpp"
#include "model_fixture.hpp"

namespace gaur::conformance {
namespace {

TEST(EmbeddedHistories, EqualThoseOfModel) {
  expect_histories_hold(model_subject(), embedded_subject());
}

}  // namespace
}  // namespace gaur::conformance

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  gaur::conformance::read_history_flags(argc, argv);
  return RUN_ALL_TESTS();
}
