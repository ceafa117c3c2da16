// The conformance suite on the embedded store.
#include "conformance/case_context.hpp"
#include "embedded_fixture.hpp"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  gaur::conformance::register_conformance(gaur::conformance::embedded_subject());
  return RUN_ALL_TESTS();
}
