#include "conformance/history.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <sstream>

#include "conformance/history_script.hpp"

namespace gaur::conformance {

namespace {

/// The first lines that differ.
std::string difference(const std::string& reference, const std::string& subject) {
  const auto lines = [](const std::string& text) {
    std::vector<std::string> found;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) found.push_back(line);
    return found;
  };
  constexpr int kAtMost = 6;
  const auto left = lines(reference);
  const auto right = lines(subject);
  std::string text;
  int shown = 0;
  for (std::size_t i = 0; i < std::max(left.size(), right.size()) && shown < kAtMost; ++i) {
    const std::string a = i < left.size() ? left[i] : "";
    const std::string b = i < right.size() ? right[i] : "";
    if (a == b) continue;
    ++shown;
    text += fmt::format("  reference: {}\n  subject:   {}\n", a, b);
  }
  return text;
}

class History {
 public:
  History(const Subject& reference, const Subject& subject, const HistoryPlan& plan)
      : plan_(plan), script_(plan.seed), reference_(reference.open()), subject_(subject.open()) {
    const Capabilities can = subject_.store().capabilities();
    script_.use_long_polls(can.has(Capability::kHandOff));
    for (Side* side : {&reference_, &subject_}) side->set_mask(can, subject.semantics);
    reference_.updates_script = true;
    reference_.on_take_reply = [this](const TakeRequest& request, const TakeReply& reply) {
      script_.learn(request, reply);
    };
  }

  std::optional<std::string> run() {
    for (std::uint32_t at = 1; at <= plan_.operations; ++at) {
      const Operation operation = script_.next();
      executed_.push_back(fmt::format("{:4} {}", at, operation.text));
      if (executed_.size() > 40) executed_.pop_front();
      step(operation, at % plan_.snapshot_every == 0 || at == plan_.operations);
      if (!problem_.empty()) return report();
    }
    return std::nullopt;
  }

 private:
  void compare(std::string_view what, const std::string& reference, const std::string& subject) {
    if (problem_.empty() && reference != subject)
      problem_ = fmt::format("{} differ\n{}", what, difference(reference, subject));
  }

  void step(const Operation& operation, bool compares_jobs) {
    const std::string reference = operation.run(reference_);
    const std::string subject = operation.run(subject_);
    compare("the replies", reference, subject);
    compare_long_polls(operation.crash);
    for (const QueueName& queue : Script::queues()) {
      compare("the events of " + queue.value, reference_.read_events(queue), subject_.read_events(queue));
      if (compares_jobs)
        compare("the jobs of " + queue.value, reference_.snapshot_text(queue), subject_.snapshot_text(queue));
    }
    if (problem_.empty()) subject_.check_long_polls();
    for (const Side* side : {&reference_, &subject_}) {
      if (!problem_.empty() || side->checker.violations().empty()) continue;
      problem_ =
          fmt::format("an invariant is violated{}\n  {}", side == &reference_ ? " in the reference" : "",
                      fmt::join(side->checker.violations(), "\n  "));
    }
  }

  /// Compares the replies of the long polls that this operation ended.
  void compare_long_polls(bool crash) {
    reference_.collect({});
    subject_.collect(reference_.answered());
    // A crash ends them with kStopping, in a real store at a time of its own.
    if (!crash)
      compare("the replies of long polls", reference_.answers_as_text(), subject_.answers_as_text());
    reference_.forget_answers();
    subject_.forget_answers();
  }

  std::string report() const {
    return fmt::format("seed {}: {}\nafter\n  {}", plan_.seed, problem_, fmt::join(executed_, "\n  "));
  }

  const HistoryPlan plan_;
  Script script_;
  Side reference_, subject_;
  std::deque<std::string> executed_;
  std::string problem_;
};

}  // namespace

std::optional<std::string> run_history(const Subject& reference, const Subject& subject,
                                       const HistoryPlan& plan) {
  return History(reference, subject, plan).run();
}

HistoriesResult run_histories(const Subject& reference, const Subject& subject, const HistoriesPlan& plan) {
  HistoriesResult result;
  for (std::uint32_t i = 0; i < plan.histories; ++i) {
    HistoryPlan each = plan.each;
    each.seed = plan.first_seed + i;
    ++result.played;
    if (auto problem = run_history(reference, subject, each)) {
      result.failing_seed = each.seed;
      result.report = *std::move(problem);
      return result;
    }
  }
  return result;
}

}  // namespace gaur::conformance
