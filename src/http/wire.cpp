#include "http/wire.hpp"

#include <fmt/format.h>

#include <iterator>

#include "http/guard.hpp"
#include "http/values.hpp"

namespace gaur::http {

namespace {

constexpr std::string_view kEnd = "\r\n";

Problem bad_request(std::string detail) {
  return make_problem(400, "bad_request", std::move(detail));
}
Problem line_too_long(const HttpLimits& limits) {
  return make_problem(414, "uri_too_long",
                      fmt::format("the request line has more than {} bytes", limits.request_line));
}
Problem head_too_large(const HttpLimits& limits) {
  return make_problem(
      431, "headers_too_large",
      fmt::format("the headers have more than {} bytes or {} lines", limits.headers, limits.header_lines));
}

bool is_token_char(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kMarks.find(c) != std::string_view::npos;
}
bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

/// The headers seen so far that determine the length of the body.
struct Framing {
  std::size_t lengths = 0, encodings = 0, hosts = 0;
};

std::optional<Problem> check_request_line(std::string_view line, bool& version_10) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last)
    return bad_request("request line: method, target and version are expected");
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (method.size() > 20 || !is_token(method)) return bad_request("request line: this is no method");
  const bool plain = std::all_of(target.begin(), target.end(), [](char c) { return c > ' ' && c < 0x7F; });
  if (target.empty() || target.front() != '/' || !plain) {
    return bad_request(
        "request line: a target that begins with / and has no blanks, control characters or bytes above 7E");
  }
  version_10 = version == "HTTP/1.0";
  if (version == "HTTP/1.1" || version_10) return std::nullopt;
  if (version.starts_with("HTTP/"))
    return make_problem(505, "version_not_supported", "HTTP/1.1 and HTTP/1.0 are understood");
  return bad_request("request line: HTTP/1.1 is expected at its end");
}

std::optional<Problem> check_header(std::string_view line, Framing& framing) {
  if (line.front() == ' ' || line.front() == '\t') return bad_request("headers: folded lines are not taken");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return bad_request("headers: a line without colon");
  if (!is_token(line.substr(0, colon)))
    return bad_request("headers: a name holds a blank or a forbidden character");
  const std::string_view value = trim(line.substr(colon + 1));
  const bool clean = std::all_of(value.begin(), value.end(),
                                 [](unsigned char c) { return (c >= ' ' && c != 0x7F) || c == '\t'; });
  if (!clean) return bad_request("headers: a value holds a control character");
  const std::string name = lower(line.substr(0, colon));
  if (name == "content-length") {
    if (!parse_number(value)) return bad_request("Content-Length: digits only are expected");
    if (++framing.lengths > 1) return bad_request("Content-Length: given twice");
  } else if (name == "transfer-encoding") {
    if (lower(value) != "chunked") return bad_request("Transfer-Encoding: only chunked is understood");
    if (++framing.encodings > 1) return bad_request("Transfer-Encoding: given twice");
  } else if (name == "host") {
    if (++framing.hosts > 1) return bad_request("Host: given twice");
    if (!value.empty() && !host_name(value))
      return bad_request("Host: a name or address is expected, and its port");
  } else if (name == "expect" && lower(value) != "100-continue") {
    return make_problem(417, "expectation_failed", "Expect: only 100-continue is understood");
  }
  return std::nullopt;
}

}  // namespace

std::optional<Problem> check_partial_head(std::string_view bytes, const HttpLimits& limits) {
  for (std::size_t at = bytes.find('\n'); at != std::string_view::npos; at = bytes.find('\n', at + 1)) {
    if (at == 0 || bytes[at - 1] != '\r') return bad_request("lines must end with CR LF");
  }
  const std::size_t line = bytes.find(kEnd);
  if (line == 0) return bad_request("an empty line instead of a request line");
  if (std::min(line, bytes.size()) > limits.request_line) return line_too_long(limits);
  if (line != std::string_view::npos && bytes.size() - line > limits.headers + 4)
    return head_too_large(limits);
  return std::nullopt;
}

std::optional<Problem> check_head(std::string_view head, const HttpLimits& limits) {
  if (auto problem = check_partial_head(head, limits)) return problem;
  std::size_t end = head.find(kEnd);
  bool version_10 = false;
  if (auto problem = check_request_line(head.substr(0, end), version_10)) return problem;
  Framing framing;
  std::size_t lines = 0;
  for (std::size_t begin = end + 2;; begin = end + 2) {
    end = head.find(kEnd, begin);
    if (end == begin) break;
    if (++lines > limits.header_lines) return head_too_large(limits);
    if (auto problem = check_header(head.substr(begin, end - begin), framing)) return problem;
  }
  if (framing.lengths > 0 && framing.encodings > 0)
    return bad_request("Content-Length and Transfer-Encoding exclude each other");
  if (framing.encodings > 0 && version_10) return bad_request("Transfer-Encoding: HTTP/1.0 has none");
  if (framing.hosts == 0 && !version_10) return bad_request("Host: is missing");
  return std::nullopt;
}

std::string http_date(Time time) {
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[std::chrono::weekday(day).c_encoding()],
                     static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

std::string render_head(const Response& response, std::optional<std::uint64_t> length, bool close, Time now) {
  std::string out = fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status, reason_of(response.status),
                                http_date(now));
  const auto line = [&](std::string_view name, std::string_view value) {
    fmt::format_to(std::back_inserter(out), "{}: {}\r\n", name, value);
  };
  if (!response.content_type.empty()) line("Content-Type", response.content_type);
  const bool no_body = response.status == 204 || response.status == 304;
  if (length && !no_body) fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", *length);
  if (!length) line("Transfer-Encoding", "chunked");
  line("Cache-Control", "no-store");
  line("X-Content-Type-Options", "nosniff");
  for (const Header& header : response.headers) line(header.name, header.value);
  if (close) line("Connection", "close");
  return out += "\r\n";
}

}  // namespace gaur::http
