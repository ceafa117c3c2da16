// Bodies of HTTP requests that add jobs, and the options of a query. A job's data is kept byte for byte.
#include "../fuzz.hpp"
#include "base/duration_text.hpp"
#include "http/add_body.hpp"
#include "http/slices.hpp"
#include "http/values.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gaur;
  using namespace gaur::http;
  const std::string_view text = fuzz::text_of(data, size);
  const AddBody body = parse_add_body(text, 100);
  fuzz::require(body.jobs.size() <= 100 || !body.problems.empty(), "the number of jobs is limited");
  if (body.problems.empty()) {
    for (const NewJob& job : body.jobs) {
      fuzz::require(job.data == "{}" || text.find(job.data) != std::string_view::npos,
                    "data is a piece of the body");
    }
  }
  std::vector<std::string> problems;
  (void)parse_options(text, "options.", problems);
  if (const auto target = parse_target(text)) (void)parse_query_options(target->query, problems);
  (void)split_array(text);
  (void)split_object(text);
  if (const auto duration = parse_duration(text, BareNumber::kMilliseconds)) {
    const auto again = parse_duration(format_duration(*duration));
    fuzz::require(again && *again == *duration, "a duration survives being written");
  }
  return 0;
}
