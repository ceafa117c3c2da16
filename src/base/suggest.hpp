#pragma once
// "Did you mean": the nearest of some known words. Thread-safety: pure functions.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gaur {

/// Letters to insert, delete, replace or swap with their neighbour until `a` is `b`.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The known word that `word` most likely stands for: at most a third of its letters away, or one
/// begins with the other. Nothing if none is near.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known);

/// "; did you mean \"order\"?" or, with nothing near, "; known here: a, b, c" ("" if nothing is known).
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

}  // namespace gaur
