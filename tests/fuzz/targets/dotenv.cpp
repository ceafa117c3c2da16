// Environment files. Names and values are pieces of the file; a problem names its line.
#include <algorithm>

#include "../fuzz.hpp"
#include "app/config/dotenv.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gaur;
  using namespace gaur::app;
  const std::string_view text = fuzz::text_of(data, size);
  std::vector<Problem> problems;
  const auto variables = parse_dotenv(text, ".env", "/folder", problems);
  const auto lines = static_cast<std::uint32_t>(std::count_if(
                         text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; })) +
                     1;
  for (const Variable& variable : variables) {
    fuzz::require(!variable.name.empty() && text.find(variable.name) != std::string_view::npos,
                  "a name is a piece of the file");
    fuzz::require(variable.value.size() <= text.size(), "a value is not longer than the file");
    fuzz::require(variable.origin.line >= 1 && variable.origin.line <= lines, "a line of the file");
  }
  for (const Problem& problem : problems) {
    // Line 0: the file as a whole is not text.
    fuzz::require(problem.origin.line <= lines, "a problem is in a line of the file");
    fuzz::require(problem.origin.line > 0 || variables.empty(), "nothing is read of a file that is not text");
    (void)to_string(problem);
  }
  return 0;
}
