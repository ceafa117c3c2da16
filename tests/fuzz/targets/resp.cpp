// RESP: replies of a Redis server. The same bytes give the same replies however they are split.
#include <vector>

#include "../fuzz.hpp"
#include "redis/parser.hpp"

namespace gaur::redis {
namespace {

struct Parsed {
  std::vector<Incoming> replies;
  bool broken = false;
};

Parsed parse(std::string_view bytes, std::size_t step) {
  // Limits far below the defaults, so that inputs reach them.
  Parser parser({.depth = 8, .elements = 1000, .bytes = 20'000, .line = 500});
  Parsed parsed;
  for (std::size_t at = 0; at < bytes.size() && !parsed.broken; at += step) {
    parser.feed(bytes.substr(at, step));
    while (true) {
      auto reply = parser.next();
      parsed.broken = !reply;
      if (!reply || !*reply) break;
      parsed.replies.push_back(*std::move(*reply));
    }
  }
  if (parsed.broken) fuzz::require(!parser.next(), "a broken stream stays broken");
  return parsed;
}

/// NaN is not equal to itself.
bool same(const Reply& a, const Reply& b) {
  if (a.value.index() != b.value.index()) return false;
  if (const auto* x = std::get_if<double>(&a.value)) {
    const double y = std::get<double>(b.value);
    return *x == y || (*x != *x && y != y);
  }
  const Reply::Array* left = a.array();
  const Reply::Array* right = b.array();
  if (left == nullptr) return a == b;
  if (left->size() != right->size()) return false;
  for (std::size_t i = 0; i < left->size(); ++i) {
    if (!same((*left)[i], (*right)[i])) return false;
  }
  return true;
}

}  // namespace
}  // namespace gaur::redis

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gaur;
  const std::string_view bytes = fuzz::text_of(data, size);
  const auto whole = redis::parse(bytes, bytes.size() + 1);
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}}) {
    const auto split = redis::parse(bytes, step);
    fuzz::require(split.broken == whole.broken, "splitting changes whether the stream is valid");
    fuzz::require(split.replies.size() == whole.replies.size(), "splitting changes the number of replies");
    for (std::size_t i = 0; i < whole.replies.size(); ++i) {
      fuzz::require(redis::same(split.replies[i].reply, whole.replies[i].reply) &&
                        split.replies[i].push == whole.replies[i].push,
                    "splitting changes a reply");
    }
  }
  return 0;
}
