// Store URLs, and the texts of people and JavaScript that configuration contains.
#include "../fuzz.hpp"
#include "base/js_number.hpp"
#include "redis/url.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gaur;
  const std::string_view text = fuzz::text_of(data, size);
  (void)redis::masked(text);
  (void)js::to_text(js::to_number(text));
  (void)js::words(text);
  const auto url = redis::parse_url(text);
  if (!url) return 0;
  const std::string written = redis::to_url(*url);
  const auto again = redis::parse_url(written);
  fuzz::require(again.has_value(), "a written URL can be read");
  fuzz::require(redis::to_url(*again) == written, "a URL survives being written");
  return 0;
}
