#pragma once
// Derives findings, each with advice, from the facts of `gaur look`. Thread-safety: pure functions.
#include <string>
#include <string_view>
#include <vector>

#include "app/look/facts.hpp"

namespace gaur::app {

struct Finding {
  enum class Weight : std::uint8_t {
    /// Jobs are lost, stuck or run twice, or will be.
    kProblem,
    /// May fail later, or costs time now.
    kWarning,
    /// Useful to know before a change.
    kNote,
  };
  Weight weight = Weight::kNote;
  /// Stable, for programs: "eviction", "orphans", "overdue".
  std::string code;
  /// "": the finding is about the server.
  std::string queue;
  /// The observation, with its figures.
  std::string what;
  /// What to do.
  std::string advice;
};
std::string_view to_string(Finding::Weight weight);

/// Sorted: problems first, then by queue.
std::vector<Finding> findings_of(const LookFacts& facts, const std::string& function_field);

/// An age in one unit: "8 s", "4 min", "3 h", "2 d".
std::string human_age(Duration age);

}  // namespace gaur::app
