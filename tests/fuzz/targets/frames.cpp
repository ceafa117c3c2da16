// Frames of runners (host side) and of the host (runner side). Splitting the bytes changes no line.
#include <string>
#include <vector>

#include "../fuzz.hpp"
#include "base/utf8.hpp"
#include "runner/frames.hpp"
#include "runner_sdk/job_data.hpp"

namespace gaur {
namespace {

std::vector<std::string> lines_of(std::string_view bytes, std::size_t step) {
  LineSplitter splitter(4000);
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    splitter.feed(bytes.substr(at, step));
    while (const auto line = splitter.next()) lines.emplace_back(*line);
  }
  if (splitter.too_long()) lines.emplace_back("too long");
  return lines;
}

}  // namespace
}  // namespace gaur

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gaur;
  const std::string_view bytes = fuzz::text_of(data, size);
  const auto whole = lines_of(bytes, size + 1);
  fuzz::require(lines_of(bytes, 1) == whole && lines_of(bytes, 13) == whole, "splitting changes the lines");
  for (const std::string& line : whole) {
    if (const auto frame = parse_frame(line)) {
      (void)run_of(*frame);
      if (const auto* done = std::get_if<frame::Completed>(&*frame)) {
        fuzz::require(json::is_utf8(done->result), "a result is UTF-8");
        fuzz::require(json::parse(done->result, {kMaxFrameBytes, json::kFrameDepth}).has_value(),
                      "a result is JSON");
      }
    }
    (void)runner_sdk::JobData::read(line);
  }
  return 0;
}
