// The suite that every store must pass, on Bull's layout in a real Redis.
#include "bull_rig.hpp"
#include "conformance/case_context.hpp"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  gaur::conformance::register_conformance(gaur::conformance::bull_subject());
  return RUN_ALL_TESTS();
}
