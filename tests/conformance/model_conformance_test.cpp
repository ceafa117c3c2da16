// The suite on the reference model with the semantics of each dialect, and with values that no dialect uses.
#include "conformance/case_context.hpp"
#include "model_fixture.hpp"

int main(int argc, char** argv) {
  using namespace gaur;
  using namespace gaur::conformance;
  testing::InitGoogleTest(&argc, argv);
  const auto named = [](const char* name, Semantics semantics) {
    Subject subject = model_subject(semantics);
    subject.name = name;
    return subject;
  };
  register_conformance(named("model", Semantics::bullmq()));
  register_conformance(named("model-bull", Semantics::bull()));
  Semantics corners;
  corners.zero_priority = Semantics::ZeroPriority::kAfterAll;
  corners.retry_place = Semantics::RetryPlace::kFront;
  corners.stall_limit = Semantics::StallLimit::kFailsOnNextStart;
  register_conformance(named("model-corners", corners));
  return RUN_ALL_TESTS();
}
