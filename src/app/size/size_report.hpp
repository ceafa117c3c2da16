#pragma once
// `gaur size` on paper. Thread-safety: pure functions.
#include <string>

#include "app/size/estimate.hpp"

namespace gaur::app {

struct SizeReport {
  std::string function;
  std::string source;  ///< "100 kept jobs of query", "the data given"
  const SizeInputs& inputs;
  const SizePlan& plan;
};
std::string size_text(const SizeReport& report);
std::string size_json(const SizeReport& report);

}  // namespace gaur::app
