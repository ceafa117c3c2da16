#include "base/suggest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace gaur {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({replace, cost[i - 1][j] + 1, cost[i][j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known) {
  constexpr std::size_t kLongest = 64;  // the table is quadratic
  if (word.empty() || word.size() > kLongest) return std::nullopt;
  std::optional<std::string> best;
  std::pair<std::size_t, std::size_t> best_distance;  // with the letters that differ, where prefixes tie
  for (const std::string& candidate : known) {
    if (candidate.size() > kLongest) continue;
    const bool prefix = word.size() >= 3 && (candidate.starts_with(word) || word.starts_with(candidate));
    const std::size_t letters = edit_distance(word, candidate);
    const std::size_t distance = prefix ? std::min<std::size_t>(1, letters) : letters;
    const std::size_t allowed =
        std::min(std::max<std::size_t>(1, std::max(word.size(), candidate.size()) / 3), word.size() - 1);
    if (distance > allowed || (best && std::pair(distance, letters) >= best_distance)) continue;
    best = candidate;
    best_distance = {distance, letters};
  }
  return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  if (const auto near = nearest(word, known)) return fmt::format("; did you mean \"{}\"?", *near);
  if (known.empty()) return "";
  return fmt::format("; known here: {}", fmt::join(known, ", "));
}

}  // namespace gaur
