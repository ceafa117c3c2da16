// The use case `similar_keywords` in C++: the keywords nearest to a word, by the least number of letters to
// insert, delete or replace. Answers what src/cases/similar_keywords.ts answers. Reads the list from $SAMPLE,
// else from ./sample.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "gaur/runner.hpp"

namespace {

/// Letters as JavaScript counts them when a text is spread: code points. The list is valid UTF-8.
std::u32string letters(std::string_view text) {
  std::u32string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0U) != 0x80U) {
      const unsigned kept = byte < 0x80 ? 0x7F : byte < 0xE0 ? 0x1F : byte < 0xF0 ? 0x0F : 0x07;
      out += static_cast<char32_t>(byte & kept);
    } else if (!out.empty()) {
      out.back() = (out.back() << 6U) | (byte & 0x3FU);
    }
  }
  return out;
}

/// `row` is scratch that keeps its memory from call to call.
std::size_t distance(const std::u32string& a, const std::u32string& b, std::vector<std::size_t>& row) {
  row.resize(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t corner = row[0];  // of the row above, one to the left
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, corner + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      corner = above;
    }
  }
  return row[b.size()];
}

struct Keyword {
  std::string text;
  std::u32string letters;
};

/// Read once a process: runners live for many jobs.
std::vector<Keyword> read_keywords(const std::filesystem::path& folder) {
  std::ifstream file(folder / "keywords.txt");
  std::vector<Keyword> keywords;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) keywords.push_back({line, letters(line)});
  }
  return keywords;
}

gaur::RunAnswer similar_keywords(const std::vector<Keyword>& keywords, const gaur::JobView& job,
                                 gaur::RunContext& run) {
  const auto word = job.text("word");
  if (!word)
    return gaur::answer::Failed{
        .message = "word: required, a text", .code = "invalid_argument", .final = true};
  if (keywords.empty())
    return gaur::answer::Failed{.message = "no keywords: the folder that was given has no keywords.txt"};
  const std::u32string wanted = letters(*word);
  struct Near {
    std::size_t distance, at;
  };
  std::vector<Near> near;
  near.reserve(keywords.size());
  std::vector<std::size_t> row;
  for (std::size_t at = 0; at < keywords.size(); ++at) {
    if (at % 1'024 == 0 && run.cancelled()) return gaur::answer::Failed{.message = run.cancel_message()};
    near.push_back({distance(wanted, keywords[at].letters, row), at});
  }
  const auto count = static_cast<std::size_t>(
      std::clamp<std::int64_t>(job.integer("n").value_or(10), 0, static_cast<std::int64_t>(near.size())));
  const auto nearer = [](const Near& a, const Near& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.at < b.at;
  };
  std::partial_sort(near.begin(), near.begin() + static_cast<std::ptrdiff_t>(count), near.end(), nearer);
  std::string result = "[";
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) result += ',';
    result += "{\"keyword\":" + gaur::json_quote(keywords[near[i].at].text) +
              ",\"distance\":" + std::to_string(near[i].distance) + "}";
  }
  return gaur::answer::Completed{result + "]"};
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<Keyword> keywords = read_keywords(argc > 1 ? argv[1] : "sample");
  gaur::RunnerProgram program;
  program.name = "similar-keywords";
  program.functions["similar_keywords"] = [&keywords](const gaur::JobView& job, gaur::RunContext& run) {
    return similar_keywords(keywords, job, run);
  };
  return gaur::run_runner(program);
}
