// JSON of clients, peers and runners. What is accepted can be written and read again.
#include "base/json.hpp"
#include "../fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gaur;
  const std::string_view text = fuzz::text_of(data, size);
  const std::string quoted = json::quote(text);
  fuzz::require(json::is_utf8(quoted), "a quoted text is UTF-8");
  fuzz::require(json::parse(quoted, {std::size_t{1} << 22, 4}).has_value(), "a quoted text is JSON");
  const auto value = json::parse(text, {.max_bytes = 1 << 20, .max_depth = 64});
  if (!value) {
    fuzz::require(!value.error().message.empty(), "a rejected text has a message");
    return 0;
  }
  const std::string written = json::serialize(*value);
  fuzz::require(json::is_utf8(written), "written JSON is UTF-8");
  const auto again = json::parse(written, {.max_bytes = 16 << 20, .max_depth = 64});
  fuzz::require(again && json::serialize(*again) == written, "JSON survives being written");
  (void)json::find(*value, "a.b.c");
  (void)json::whole_number(*value);
  return 0;
}
