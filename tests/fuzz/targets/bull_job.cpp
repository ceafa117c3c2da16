// Jobs that other clients wrote into Redis: hash fields, options, repeat options and repeat keys of Bull 4.
// The input is a list of lines: field, value, field, value ...
#include "../fuzz.hpp"
#include "bull/job_codec.hpp"
#include "bull/repeat.hpp"
#include "core/result_json.hpp"

namespace gaur::bull {
namespace {

redis::Reply::Array fields_of(std::string_view text) {
  redis::Reply::Array fields;
  while (!text.empty() && fields.size() < 1000) {
    const auto [line, rest] = fuzz::first_line(text);
    fields.push_back({std::string(line)});
    text = rest;
  }
  return fields;
}

void check_job(const Job& job) {
  for (const std::string* text : {&job.name, &job.data, &job.progress, &job.result, &job.processed_by})
    fuzz::require(json::is_utf8(*text), "every text of a job is UTF-8");
  fuzz::require(json::parse(job.data, {std::size_t{64} << 20, json::kPeerDepth + 1}).has_value(),
                "data is JSON");
  if (job.failure) fuzz::require(json::is_utf8(job.failure->message), "a message is UTF-8");
  (void)result_json(job);
}

void check_options(std::string_view text) {
  const JobOptions options = options_from_json(text);
  const JobOptions again = options_from_json(options_to_json(options));
  fuzz::require(options_to_json(again) == options_to_json(options), "options survive being written");
  const Time now = from_ms(1'800'000'000'000);
  const json::Object object = options_object(text);
  (void)unreadable_schedule(text, now);
  const auto repeat = repeat_of(object, "UTC");
  if (!repeat || !*repeat) return;
  const std::string key = repeat_key("name", **repeat);
  (void)parse_repeat_key(key);
  if (const auto slot = next_slot(**repeat, now, taken_slot_of(object)); slot && *slot)
    (void)iteration_id("name", **repeat, key, **slot);
}

}  // namespace
}  // namespace gaur::bull

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gaur;
  const std::string_view text = fuzz::text_of(data, size);
  const redis::Reply::Array fields = bull::fields_of(text);
  for (const State state : kAllStates)
    bull::check_job(bull::job_from_hash(QueueName("q"), JobId("1"), fields, {.state = state}));
  bull::check_options(text);
  for (const redis::Reply& field : fields) bull::check_options(*field.text());
  (void)bull::parse_repeat_key(text);
  return 0;
}
