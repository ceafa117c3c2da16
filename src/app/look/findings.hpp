#pragma once
// From what was seen to what it means and what to do about it. Thread-safety: pure functions.
#include <string>
#include <string_view>
#include <vector>

#include "app/look/facts.hpp"

namespace gaur::app {

struct Finding {
  enum class Weight : std::uint8_t {
    kProblem,  ///< jobs are lost, stuck or run twice, or will be
    kWarning,  ///< will hurt one day, or costs time now
    kNote,     ///< worth knowing before a change
  };
  Weight weight = Weight::kNote;
  std::string code;    ///< stable, for programs: "eviction", "orphans", "asleep"
  std::string queue;   ///< "" where it is the server's
  std::string what;    ///< what was seen, with its figures
  std::string advice;  ///< what to do
};
std::string_view to_string(Finding::Weight weight);

/// Problems first, then by queue.
std::vector<Finding> findings_of(const LookFacts& facts, const std::string& function_field);

/// "8 s", "4 min", "3 h", "2 d": an age, as a person says it.
std::string human_age(Duration age);

}  // namespace gaur::app
