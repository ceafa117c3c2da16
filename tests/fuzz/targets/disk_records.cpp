// Records and pages of the embedded store's file. The input is tried as a page, as a record, and sealed as
// the payload of each kind of record, so that it reaches the decoders behind the checksum.
#include "../fuzz.hpp"
#include "embedded/bytes.hpp"
#include "embedded/page_file.hpp"
#include "embedded/records.hpp"

namespace gaur::embedded {
namespace {

constexpr std::string_view kKey = "key";

/// What decode(encode(value)) yields is equal to the value.
void check_round_trips(std::string_view record, std::string& again) {
  if (const auto state = decode_state(record, kKey)) {
    encode_state(*state, kKey, again);
    fuzz::require(decode_state(again, kKey) == state, "a state survives being written");
  }
  if (const auto queue = decode_queue(record, kKey)) {
    encode_queue(*queue, kKey, again);
    fuzz::require(decode_queue(again, kKey) == queue, "a queue survives being written");
  }
  if (const auto global = decode_global(record, kKey)) {
    encode_global(*global, kKey, again);
    fuzz::require(decode_global(again, kKey) == global, "the global record survives being written");
  }
}

void decode_all(std::string_view record) {
  std::string again;
  check_round_trips(record, again);
  for (const bool checked : {true, false}) {
    if (const auto body = decode_body(record, kKey, checked)) {
      fuzz::require(
          body->id.size() + body->name.size() + body->data.size() + body->options.size() <= record.size(),
          "the parts of a body are within the record");
      (void)decode_options(body->options);
    }
  }
  if (const auto format = decode_format(record, kKey)) (void)check_version(format->version);
  (void)decode_events_header(record, kKey);
  (void)decode_events_header(record, kKey, 3);
  (void)peek_body_id(record);
  (void)decode_failure(record, kKey);
  for (const Magic magic : {Magic::kName, Magic::kPart, Magic::kLog}) (void)decode_text(magic, record, kKey);
  if (const auto payload = open_record(record, Magic::kEvents, kKey)) {
    std::size_t events = 0;
    (void)decode_events(*payload, [&](const StoredEvent& event) {
      fuzz::require(event.id.size() + event.detail.size() <= payload->size(),
                    "an event is within its record");
      ++events;
    });
    fuzz::require(events <= payload->size(), "the number of events is limited by the record");
  }
}

void parse_as_page(std::string_view bytes) {
  Page page;
  std::string problem;
  (void)decode_tree(bytes);
  (void)nodes_begin(bytes);
  if (!parse_page(bytes, ByteReader(bytes).number<PageNumber>(), page, problem)) return;
  std::size_t parsed = 0;
  for (const Node& node : page.nodes) parsed += node.key.size() + node.value.size();
  fuzz::require(parsed <= bytes.size(), "the nodes are within the page");
}

}  // namespace
}  // namespace gaur::embedded

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gaur;
  using namespace gaur::embedded;
  const std::string_view bytes = fuzz::text_of(data, size);
  parse_as_page(bytes);
  decode_all(bytes);
  std::string record;
  for (const Magic magic : {Magic::kState, Magic::kBody, Magic::kPart, Magic::kQueue, Magic::kGlobal,
                            Magic::kEvents, Magic::kName, Magic::kSession, Magic::kFormat}) {
    begin_record(record);
    record.append(bytes);
    seal_record(record, magic, kKey);
    decode_all(record);
  }
  if (const auto options = decode_options(bytes)) {
    const auto again = decode_options(encode_options(*options));
    fuzz::require(again.has_value(), "options survive being written");
  }
  ByteReader reader(bytes);
  while (reader.ok() && !reader.at_end()) {
    (void)reader.varint();
    (void)reader.text();
  }
  return 0;
}
