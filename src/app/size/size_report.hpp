#pragma once
// `gaur size` on paper. Thread-safety: pure functions.
#include <string>

#include "app/size/rerun.hpp"

namespace gaur::app {

struct SizeReport {
  std::string function;
  std::string source;  ///< "100 kept jobs of query", "the data given"
  const SizeInputs& inputs;
  const SizePlan& plan;
  const std::vector<Rerun>& reruns;  ///< the last one tells whether the advice held; none: not rerun

  bool held() const { return !reruns.empty() && reruns.back().held; }
};
std::string size_text(const SizeReport& report);
std::string size_json(const SizeReport& report);

}  // namespace gaur::app
