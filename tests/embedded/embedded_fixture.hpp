#pragma once
// The fixture of the embedded store for the conformance suite, with a temporary folder.
// Thread-safety: confined to the test's thread.
#include "base/system_env.hpp"
#include "conformance/store_fixture.hpp"
#include "embedded/embedded_store.hpp"
#include "temp_folder.hpp"

namespace gaur::conformance {

class EmbeddedFixture final : public StoreFixture {
 public:
  EmbeddedFixture() { open(); }
  ~EmbeddedFixture() override { store_.reset(); }
  Store& store() override { return *store_; }
  /// Closes and reopens the store. tests/crash kills real processes.
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
    options.pause = Duration{0};  // advance() is not a pause
    auto opened = open_embedded(options, clock(), loop_);
    if (!opened) throw std::runtime_error(opened.error().message);
    store_ = *std::move(opened);
  }

  test::TempFolder folder_;
  ThreadLoop loop_{"fixture-loop"};
  std::unique_ptr<EmbeddedStore> store_;
};

inline Subject embedded_subject() {
  return {"embedded", [] { return std::make_unique<EmbeddedFixture>(); }, Semantics::bullmq()};
}

}  // namespace gaur::conformance
