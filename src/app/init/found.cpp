#include "app/init/found.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace gaur::app {
namespace {

constexpr const char* kField = "data.func";

/// `data.func` if unnamed jobs have that field, because nothing else names their function (a named job
/// without the field then uses its name), else `name`. Nothing if there are no jobs.
std::optional<std::string> function_place(InitInputs& inputs, const QueueJobs& queue) {
  std::size_t by_field = 0, renamed = 0;
  for (const KeptJob& kept : queue.jobs) {
    const std::string field = function_name_of(kept.job, kField);
    if (field == kept.job.name) continue;
    (kept.job.name == kUnnamedJob ? by_field : renamed) += 1;
  }
  if (queue.jobs.empty()) return std::nullopt;
  if (by_field == 0) return "name";
  if (renamed > 0) {
    inputs.found_notes.push_back(
        {InitNote::Kind::kTodo, to_string(KeyPath{"queues", queue.queue, "function"}),
         fmt::format(
             "{} of the jobs that were read have a name and another func in their data; with \"data.func\" "
             "they run the function in func",
             renamed)});
  }
  return kField;
}

struct Merged {
  FoundFunction function;
  /// With the number of jobs that were read.
  std::vector<std::pair<std::uint64_t, std::string>> queues;
};

void merge(Merged& into, const FunctionLook& look, const std::string& queue) {
  into.function.runs += look.completed + look.failed;
  into.function.waiting += look.waiting;
  if (look.run_ms.count > 0) {
    const Duration longest(std::llround(look.run_ms.most));
    into.function.longest_run = std::max(into.function.longest_run.value_or(longest), longest);
  }
  into.queues.emplace_back(look.completed + look.failed + look.waiting, queue);
}

}  // namespace

void put_found(InitInputs& inputs, const std::vector<QueueJobs>& found) {
  inputs.queues.clear();
  inputs.functions.clear();
  std::map<std::string, Merged> functions;
  for (const QueueJobs& queue : found) {
    if (const Status good = validate_queue_name(queue.queue); !good) {
      inputs.found_notes.push_back({InitNote::Kind::kTodo, "--look", "left out: " + good.error().message});
      continue;
    }
    inputs.queues.push_back(queue.queue);
    const auto place = function_place(inputs, queue);
    if (place) inputs.function_places[queue.queue] = *place;
    for (const FunctionLook& look : functions_of(queue.jobs, place.value_or(kField))) {
      if (!look.function.empty()) merge(functions[look.function], look, queue.queue);
    }
  }
  for (auto& [name, merged] : functions) {
    std::ranges::stable_sort(merged.queues, [](const auto& a, const auto& b) { return a.first > b.first; });
    merged.function.name = name;
    for (auto& [jobs, queue] : merged.queues) merged.function.queues.push_back(std::move(queue));
    inputs.functions.push_back(std::move(merged.function));
  }
  std::ranges::stable_sort(inputs.functions, [](const FoundFunction& a, const FoundFunction& b) {
    return std::pair(a.runs, a.waiting) > std::pair(b.runs, b.waiting);
  });
}

}  // namespace gaur::app
