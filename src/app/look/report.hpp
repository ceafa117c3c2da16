#pragma once
// The report of `gaur look` as text and as JSON. Thread-safety: pure functions.
#include <string>

#include "app/look/facts.hpp"
#include "app/look/findings.hpp"

namespace gaur::app {

struct LookReport {
  const LookFacts& facts;
  const std::vector<Finding>& findings;
  std::string function_field;
};
std::string look_text(const LookReport& report);
/// One JSON object; times in RFC 3339, durations in ms, sizes in bytes. Of job data it contains ids, names
/// and error messages only.
std::string look_json(const LookReport& report);

}  // namespace gaur::app
