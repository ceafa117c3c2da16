// A runner in C++: ranks the keywords of a click log. Started by Gaur with
//   [pools.cpp]
//   command = ["build/release/bin/gaur_example_runner"]
//   [functions.rank]
//   pool = "cpp"
// and called with {"file": "clicks.csv", "n": 10}, where each line of the file is "keyword,clicks".
#include <algorithm>
#include <charconv>
#include <fstream>
#include <thread>
#include <unordered_map>
#include <vector>

#include "gaur/runner.hpp"

namespace {

using Sums = std::unordered_map<std::string, std::uint64_t>;

/// Adds up a part of the lines; looks up now and then whether anybody still wants the answer.
Sums sum(const std::vector<std::string>& lines, std::size_t from, std::size_t to,
         const gaur::RunContext& run) {
  Sums sums;
  for (std::size_t i = from; i < to; ++i) {
    if (i % 4096 == 0 && run.cancelled()) break;
    const std::size_t comma = lines[i].rfind(',');
    std::uint64_t clicks = 0;
    if (comma == std::string::npos) continue;
    const char* end = lines[i].data() + lines[i].size();
    if (std::from_chars(lines[i].data() + comma + 1, end, clicks).ec == std::errc())
      sums[lines[i].substr(0, comma)] += clicks;
  }
  return sums;
}

/// Each thread of the grant sums a part.
Sums sum_on_all_threads(const std::vector<std::string>& lines, gaur::RunContext& run) {
  const std::size_t parts = run.threads();
  std::vector<Sums> sums(parts);
  {
    std::vector<std::jthread> threads;
    for (std::size_t part = 0; part < parts; ++part) {
      threads.emplace_back([&, part] {
        sums[part] = sum(lines, lines.size() * part / parts, lines.size() * (part + 1) / parts, run);
      });
    }
  }
  run.progress("90");
  for (std::size_t part = 1; part < parts; ++part) {
    for (const auto& [keyword, clicks] : sums[part]) sums[0][keyword] += clicks;
  }
  return std::move(sums[0]);
}

gaur::RunAnswer rank(const gaur::JobView& job, gaur::RunContext& run) {
  const auto file = job.text("file");
  const auto wanted = job.integer("n").value_or(10);
  if (!file || wanted < 0)
    return gaur::answer::Failed{"takes {\"file\": text, \"n\": number}", "parameter", true};
  std::ifstream stream(*file);
  if (!stream) return gaur::answer::Failed{"cannot read " + *file, "io"};
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(std::move(line));
  run.progress("30");

  const Sums sums = sum_on_all_threads(lines, run);
  if (run.cancelled()) return gaur::answer::Failed{run.cancel_message()};
  std::vector<std::pair<std::string, std::uint64_t>> ranked(sums.begin(), sums.end());
  std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  ranked.resize(std::min(ranked.size(), static_cast<std::size_t>(wanted)));
  run.log("ranked " + std::to_string(sums.size()) + " keywords of " + std::to_string(lines.size()) +
          " lines");

  std::string rows;
  for (const auto& [keyword, clicks] : ranked) {
    rows += rows.empty() ? "" : ",";
    rows += "{\"keyword\":" + gaur::json_quote(keyword) + ",\"clicks\":" + std::to_string(clicks) + "}";
  }
  return gaur::answer::Completed{"[" + rows + "]"};
}

/// What `gaur runner-check` asks every runner for.
gaur::RunAnswer echo(const gaur::JobView& job, gaur::RunContext&) {
  return gaur::answer::Completed{std::string(job.data())};
}
gaur::RunAnswer take_a_nap(const gaur::JobView& job, gaur::RunContext& run) {
  gaur::Duration left(job.integer("ms").value_or(0));
  for (; left.count() > 0; left -= gaur::Duration(100)) {
    run.progress("{\"left_ms\":" + std::to_string(left.count()) + "}");
    if (!run.wait(std::min(left, gaur::Duration(100)))) return gaur::answer::Failed{run.cancel_message()};
  }
  return gaur::answer::Completed{};
}

}  // namespace

int main() {
  gaur::RunnerProgram program;
  program.name = "example in C++";
  program.functions = {{"rank", rank}, {"echo", echo}, {"sleep", take_a_nap}};
  return gaur::run_runner(program);
}
