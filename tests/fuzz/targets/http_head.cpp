// Heads of HTTP requests: the strict check, and what is read from an accepted head.
#include <algorithm>

#include "../fuzz.hpp"
#include "http/forwarded.hpp"
#include "http/guard.hpp"
#include "http/values.hpp"
#include "http/wire.hpp"

namespace gaur::http {
namespace {

/// The headers of a head that check_head() accepted.
Request request_of(std::string_view head) {
  Request request;
  request.remote = "127.0.0.1";
  bool first = true;
  while (!head.empty()) {
    const auto end = head.find("\r\n");
    fuzz::require(end != std::string_view::npos, "an accepted head consists of lines");
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(end + 2);
    if (line.empty()) break;
    fuzz::require(line.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos,
                  "no line of an accepted head contains CR, LF or NUL");
    if (first) {
      const auto space = line.find(' ');
      const auto last = line.rfind(' ');
      fuzz::require(space != std::string_view::npos && last > space, "the request line has three parts");
      request.method = line.substr(0, space);
      request.target = line.substr(space + 1, last - space - 1);
      first = false;
      continue;
    }
    const auto colon = line.find(':');
    fuzz::require(colon != std::string_view::npos && colon > 0, "a header line has a name");
    request.headers.push_back({lower(line.substr(0, colon)), std::string(trim(line.substr(colon + 1)))});
  }
  return request;
}

void check_accepted(std::string_view head) {
  const Request request = request_of(head);
  fuzz::require(request.count("content-length") <= 1, "at most one Content-Length");
  fuzz::require(request.count("transfer-encoding") <= 1, "at most one Transfer-Encoding");
  fuzz::require(request.count("content-length") + request.count("transfer-encoding") <= 1,
                "not both Content-Length and Transfer-Encoding");
  fuzz::require(request.count("host") <= 1, "at most one Host");
  (void)parse_target(request.target);
  (void)parse_target(without_base(request.target, "/gaur"));
  if (const std::string* host = request.header("host"); host != nullptr && !host->empty()) {
    const auto name = host_name(*host);
    fuzz::require(name.has_value(), "an accepted Host is a name or an address");
    (void)is_loopback_name(*name);
  }
  const std::vector<std::string> trusted{"127.0.0.1", "10.0.0.1"};
  (void)client_address(request, trusted);
  if (const std::string* range = request.header("range")) {
    const auto [verdict, part] = parse_range(*range, 1000);
    fuzz::require(verdict != RangeVerdict::kPart || (part.length > 0 && part.offset + part.length <= 1000),
                  "a range is within the body");
  }
  (void)Guard::check_body(request);
}

}  // namespace
}  // namespace gaur::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gaur;
  using namespace gaur::http;
  const std::string_view bytes = fuzz::text_of(data, size);
  const HttpLimits limits{.request_line = 1000, .headers = 4000, .header_lines = 20};
  (void)check_partial_head(bytes, limits);
  const auto end = bytes.find("\r\n\r\n");
  if (end != std::string_view::npos && !check_head(bytes.substr(0, end + 4), limits))
    check_accepted(bytes.substr(0, end + 4));
  (void)parse_target(bytes);
  (void)host_name(bytes);
  (void)parse_range(bytes, 10);
  return 0;
}
