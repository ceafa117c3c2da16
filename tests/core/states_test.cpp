#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "core/capabilities.hpp"
#include "core/store.hpp"
#include "core/transitions.hpp"

namespace gaur {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string text_of(std::optional<State> state) {
  return state ? std::string(to_string(*state)) : "-";
}

std::string trimmed(std::string_view text) {
  const auto from = text.find_first_not_of(' ');
  return from == text.npos ? "" : std::string(text.substr(from, text.find_last_not_of(' ') - from + 1));
}

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, by);) parts.push_back(trimmed(part));
  return parts;
}

/// "waiting --take--> active", for every pair of every row of the page's table of transitions.
std::set<std::string> rows_of_the_page() {
  std::ifstream page(GAUR_DOCS "/reference/states.md");
  std::set<std::string> rows;
  bool in_table = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("| from | verb |")) {
      in_table = true;
    } else if (line.empty()) {
      in_table = false;
    } else if (line.starts_with("|---")) {
      continue;
    } else if (in_table && line.starts_with("|")) {
      const auto cells = split(line.substr(1), '|');
      for (const auto& from : split(cells.at(0), ',')) {
        for (const auto& to : split(cells.at(2), ',')) rows.insert(from + " --" + cells.at(1) + "--> " + to);
      }
    }
  }
  return rows;
}

std::set<std::string> difference(const std::set<std::string>& a, const std::set<std::string>& b) {
  std::set<std::string> left;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::inserter(left, left.end()));
  return left;
}

TEST(Transitions, AreDocumentedExactly) {
  std::set<std::string> table;
  for (const auto& [from, verb, to] : legal_transitions()) {
    table.insert(text_of(from) + " --" + std::string(to_string(verb)) + "--> " + text_of(to));
  }
  const auto page = rows_of_the_page();
  EXPECT_THAT(difference(table, page), IsEmpty()) << "missing in docs/reference/states.md";
  EXPECT_THAT(difference(page, table), IsEmpty()) << "docs/reference/states.md invents these";
}

TEST(Transitions, AreUnique) {
  const auto table = legal_transitions();
  for (std::size_t i = 0; i < table.size(); ++i) {
    for (std::size_t j = i + 1; j < table.size(); ++j) {
      EXPECT_FALSE(table[i].from == table[j].from && table[i].verb == table[j].verb &&
                   table[i].to == table[j].to)
          << text_of(table[i].from) << " " << to_string(table[i].verb) << " " << text_of(table[i].to);
    }
  }
}

TEST(Transitions, ReachAndLeaveEveryState) {
  for (const State state : kAllStates) {
    const auto table = legal_transitions();
    EXPECT_TRUE(std::any_of(table.begin(), table.end(), [&](const auto& t) { return t.to == state; }));
    EXPECT_TRUE(std::any_of(table.begin(), table.end(), [&](const auto& t) { return t.from == state; }));
  }
}

TEST(Transitions, AreLegalOnlyIfListed) {
  EXPECT_TRUE(is_legal(std::nullopt, Verb::kAdd, State::kDelayed));
  EXPECT_TRUE(is_legal(State::kActive, Verb::kComplete, std::nullopt));
  struct Case {
    std::optional<State> from;
    Verb verb;
    std::optional<State> to;
  };
  for (const auto& [from, verb, to] : std::vector<Case>{
           {State::kWaiting, Verb::kComplete, State::kCompleted},
           {State::kCompleted, Verb::kTake, State::kActive},
           {State::kDelayed, Verb::kTake, State::kActive},
           {State::kActive, Verb::kCancel, State::kFailed},
           {State::kActive, Verb::kTake, State::kActive},
           {State::kCompleted, Verb::kFail, State::kFailed},
           {State::kFailed, Verb::kRetry, State::kActive},
           {std::nullopt, Verb::kAdd, State::kActive},
           {std::nullopt, Verb::kRemove, std::nullopt},
       }) {
    EXPECT_FALSE(is_legal(from, verb, to)) << text_of(from) << " " << to_string(verb) << " " << text_of(to);
  }
}

TEST(States, AreParsedFromTheirNames) {
  std::vector<std::string> names;
  for (const State state : kAllStates) {
    names.emplace_back(to_string(state));
    EXPECT_EQ(parse_state(to_string(state)), state);
  }
  EXPECT_THAT(names, ElementsAre("waiting", "prioritized", "delayed", "active", "waiting-children",
                                 "completed", "failed"));
  for (const auto* text : {"", "Waiting", "waiting ", "waiting_children", "unknown"}) {
    EXPECT_EQ(parse_state(text), std::nullopt) << text;
  }
}

/// The names of `count` enumerators from 0 on; one that is missing shows as "unknown".
template <class Enum>
std::set<std::string_view> names_of(int count) {
  std::set<std::string_view> names;
  for (int i = 0; i < count; ++i) names.insert(to_string(static_cast<Enum>(i)));
  return names;
}

TEST(Names, AreUniqueForEveryEnumerator) {
  const auto own = [](const std::set<std::string_view>& names, std::size_t count) {
    EXPECT_EQ(names.size(), count);
    EXPECT_FALSE(names.contains("unknown"));
  };
  own(names_of<Verb>(14), 14);
  own(names_of<CancelReply>(4), 4);
  own(names_of<EventKind>(17), 17);
  constexpr int kCapabilities = static_cast<int>(Capability::kCount_);
  own(names_of<Capability>(kCapabilities), kCapabilities);
}

TEST(Capabilities, ContainWhatTheyAreGiven) {
  constexpr Capabilities some{Capability::kHandOff, Capability::kUsage};
  EXPECT_TRUE(some.has(Capability::kHandOff));
  EXPECT_TRUE(some.has(Capability::kUsage));
  EXPECT_FALSE(some.has(Capability::kSchedulers));
  EXPECT_FALSE(Capabilities{}.has(Capability::kHandOff));
}

TEST(Counts, CountWaitingAndPrioritizedAsReady) {
  Counts counts;
  counts[State::kWaiting] = 3;
  counts[State::kPrioritized] = 2;
  counts[State::kDelayed] = 7;
  counts[State::kActive] = 11;
  EXPECT_EQ(counts.ready(), 5U);
}

TEST(Needs, FitWithToleranceForCoresOnly) {
  const Resources free{.cores = 0.3, .memory_bytes = 100};
  EXPECT_TRUE(fits({.cores = 0.1 + 0.2, .memory_bytes = 100}, free));
  EXPECT_FALSE(fits({.cores = 0.31, .memory_bytes = 1}, free));
  EXPECT_FALSE(fits({.cores = 0.1, .memory_bytes = 101}, free));
}

}  // namespace
}  // namespace gaur
