// The records: encoding and decoding, and detection of every damaged bit.
#include "embedded/records.hpp"

#include <gtest/gtest.h>

#include <random>

#include "embedded/crc32c.hpp"

namespace gaur::embedded {

namespace {
const std::string kKey = "key of this record";

JobState some_state() {
  JobState state;
  state.state = State::kActive;
  state.flags = JobState::kLifo | JobState::kHasLogs;
  state.priority = 7;
  state.attempts_made = 1;
  state.attempts_started = 3;
  state.stalled = 2;
  state.processed_by = 4;
  state.order = -5;
  state.timestamp = 1;
  state.due = kNoTime;
  state.peak_rss_bytes = 1ULL << 40;
  return state;
}

/// Flips each bit and truncates at each length. `reads` must reject every variant.
template <class Reads>
void expect_damage_detected(const std::string& whole, Reads reads) {
  ASSERT_TRUE(reads(whole, kKey));
  EXPECT_FALSE(reads(whole, "another key")) << "the checksum covers the key";
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string broken = whole;
    broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(reads(broken, kKey)) << "bit " << bit;
  }
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(reads(whole.substr(0, size), kKey)) << "size " << size;
  EXPECT_FALSE(reads(whole + "x", kKey));
}
}  // namespace

TEST(Crc32c, ComputesStandardValueOnBothPaths) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c_portable("123456789"), 0xE3069283U);
  std::mt19937 random(7);
  for (std::size_t size = 0; size < 70; ++size) {
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    EXPECT_EQ(crc32c(bytes, 99), crc32c_portable(bytes, 99)) << size;
    EXPECT_EQ(crc32c(bytes), crc32c(bytes.substr(size / 2), crc32c(bytes.substr(0, size / 2)))) << size;
  }
}

TEST(Records, StateRoundTripsAndDetectsDamage) {
  std::string record;
  encode_state(some_state(), kKey, record);
  EXPECT_EQ(decode_state(record, kKey), some_state());
  expect_damage_detected(record, [](std::string_view bytes, std::string_view key) {
    return decode_state(bytes, key).has_value();
  });
}

TEST(Records, BodyRoundTripsAndDetectsDamage) {
  std::string record;
  encode_body({"own-id", "name", R"({"a":"가"})", "options"}, kKey, record);
  const auto body = decode_body(record, kKey);
  ASSERT_TRUE(body.has_value());
  EXPECT_EQ(body->id, "own-id");
  EXPECT_EQ(body->name, "name");
  EXPECT_EQ(body->data, R"({"a":"가"})");
  EXPECT_EQ(body->options, "options");
  expect_damage_detected(record, [](std::string_view bytes, std::string_view key) {
    return decode_body(bytes, key).has_value();
  });
}

TEST(Records, FailureRoundTripsAndDetectsDamage) {
  std::string record;
  encode_failure({{"timeout", "late", "at a", "{}"}, {"first", "second"}}, kKey, record);
  const auto failure = decode_failure(record, kKey);
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->failure, (Failure{"timeout", "late", "at a", "{}"}));
  EXPECT_EQ(failure->stacktrace, (std::vector<std::string>{"first", "second"}));
  expect_damage_detected(record, [](std::string_view bytes, std::string_view key) {
    return decode_failure(bytes, key).has_value();
  });
}

TEST(Records, QueueRoundTripsAndDetectsDamage) {
  QueueRecord queue{.number = 3,
                    .paused = true,
                    .last_id = 9,
                    .last_custom = 2,
                    .front = -4,
                    .back = 12,
                    .first_event = 5,
                    .next_event = 77,
                    .function_field = "data.func"};
  queue.counts[2] = 8;
  std::string record;
  encode_queue(queue, kKey, record);
  EXPECT_EQ(decode_queue(record, kKey), queue);
  expect_damage_detected(record, [](std::string_view bytes, std::string_view key) {
    return decode_queue(bytes, key).has_value();
  });
}

TEST(Records, OptionsRoundTripAndRejectUnknownBits) {
  JobOptions options;
  EXPECT_EQ(encode_options(options), "");
  EXPECT_EQ(decode_options(""), options);
  options.id = JobId("x");
  options.delay = Duration(5);
  options.priority = 6;
  options.lifo = true;
  options.attempts = 7;
  options.backoff = {Backoff::Kind::kExponential, Duration(8), 0.5};
  options.timestamp = from_ms(9);
  options.on_complete = Retention{10, {}};
  options.on_fail = Retention{{}, std::chrono::seconds(11)};
  options.timeout = Duration(12);
  options.queue_timeout = Duration(13);
  options.keep_logs = 14;
  options.stack_trace_limit = 15;
  const std::string bytes = encode_options(options);
  EXPECT_EQ(decode_options(bytes), options);
  for (std::size_t size = 1; size < bytes.size(); ++size)
    EXPECT_FALSE(decode_options(bytes.substr(0, size)).has_value()) << size;
  std::string newer = bytes;
  newer[3] = static_cast<char>(0x80);
  EXPECT_FALSE(decode_options(newer).has_value());
}

TEST(Records, EventsRoundTripAndRejectDamage) {
  std::string payload;
  encode_event({EventKind::kAdded, {}, 5, "", 100, "top"}, payload);
  encode_event({EventKind::kFailed, State::kActive, kFirstCustomNumber + 1, "mine", 101, "why"}, payload);
  std::vector<StoredEvent> seen;
  ASSERT_TRUE(decode_events(payload, [&](const StoredEvent& event) { seen.push_back(event); }));
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[1].kind, EventKind::kFailed);
  EXPECT_EQ(seen[1].previous, State::kActive);
  EXPECT_EQ(seen[1].id, "mine");
  EXPECT_EQ(seen[1].detail, "why");
  EXPECT_FALSE(decode_events(payload.substr(0, payload.size() - 1), [](const StoredEvent&) {}));
}

TEST(Keys, SortAsNumbers) {
  const std::int64_t orders[] = {INT64_MIN, -7, -1, 0, 1, 255, 256, INT64_MAX};
  for (std::size_t i = 1; i < std::size(orders); ++i) {
    EXPECT_LT(Key().i64(orders[i - 1]).view(), Key().i64(orders[i]).view());
    EXPECT_EQ(i64_at(Key().u32(9).i64(orders[i]).view(), 4), orders[i]);
  }
  EXPECT_EQ(generated_number("17"), 17U);
  for (const char* custom : {"", "0", "017", "1a", "99999999999999999999", "-1"})
    EXPECT_FALSE(generated_number(custom)) << custom;
}

}  // namespace gaur::embedded
