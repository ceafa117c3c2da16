#pragma once
// Derives findings, each with advice, from the facts of `gaur look`. Thread-safety: pure functions.
#include <string>
#include <string_view>
#include <vector>

#include "app/look/facts.hpp"

namespace gaur::app {

struct Finding {
  enum class Weight : std::uint8_t {
    kProblem,  ///< jobs are lost, stuck or run twice, or will be
    kWarning,  ///< may fail later, or costs time now
    kNote,     ///< useful to know before a change
  };
  Weight weight = Weight::kNote;
  std::string code;    ///< stable, for programs: "eviction", "orphans", "overdue"
  std::string queue;   ///< "": the finding is about the server
  std::string what;    ///< the observation, with its figures
  std::string advice;  ///< what to do
};
std::string_view to_string(Finding::Weight weight);

/// Sorted: problems first, then by queue.
std::vector<Finding> findings_of(const LookFacts& facts, const std::string& function_field);

/// An age in one unit: "8 s", "4 min", "3 h", "2 d".
std::string human_age(Duration age);

}  // namespace gaur::app
