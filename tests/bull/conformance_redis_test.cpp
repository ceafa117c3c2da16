// The conformance suite on Bull's layout in a real Redis.
#include "bull_fixture.hpp"
#include "conformance/case_context.hpp"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  gaur::conformance::register_conformance(gaur::conformance::bull_subject());
  return RUN_ALL_TESTS();
}
