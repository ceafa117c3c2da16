#pragma once
// The report of `gaur size` as text and as JSON. Thread-safety: pure functions.
#include <string>

#include "app/size/rerun.hpp"

namespace gaur::app {

struct SizeReport {
  std::string function;
  /// "100 kept jobs of query", "the given data".
  std::string source;
  const SizeInputs& inputs;
  const SizePlan& plan;
  const std::vector<Rerun>& reruns;

  /// Whether the last rerun confirmed the plan.
  bool confirmed() const { return !reruns.empty() && reruns.back().confirmed; }
};
std::string size_text(const SizeReport& report);
std::string size_json(const SizeReport& report);

}  // namespace gaur::app
