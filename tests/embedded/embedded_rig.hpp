#pragma once
// The embedded store as a rig of the conformance suite, on a folder of its own.
// Thread-safety: the test's thread.
#include "base/system_env.hpp"
#include "conformance/store_fixture.hpp"
#include "embedded/embedded_store.hpp"
#include "temp_folder.hpp"

namespace gaur::conformance {

class EmbeddedRig final : public StoreFixture {
 public:
  EmbeddedRig() { open(); }
  ~EmbeddedRig() override { store_.reset(); }
  Store& store() override { return *store_; }
  /// The end of the process is played by closing: nothing that was not acknowledged matters. Real kills are
  /// in tests/crash.
  void crash_and_reopen() override {
    store_.reset();
    open();
  }

 private:
  void open() {
    EmbeddedOptions options;
    options.folder = folder_.path();
    options.reserve_bytes = 1 << 20;
    options.map_bytes = 1ULL << 32;
    auto opened = open_embedded(options, clock(), loop_);
    if (!opened) throw std::runtime_error(opened.error().message);  // a test without a store cannot go on
    store_ = *std::move(opened);
  }

  test::TempFolder folder_;
  ThreadLoop loop_{"rig-loop"};
  std::unique_ptr<EmbeddedStore> store_;
};

inline Subject embedded_subject() {
  return {"embedded", [] { return std::make_unique<EmbeddedRig>(); }, Semantics::bullmq()};
}

}  // namespace gaur::conformance
