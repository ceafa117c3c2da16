#pragma once
// HTTP/1.1 on the wire, in addition to Beast: a strict check of a request's head before Beast's lenient
// parser reads it, and the head of a response as text. Pure.
//
// A request that two servers in a row could read in two ways is rejected here, because request smuggling
// depends on such requests.
#include <optional>
#include <string>
#include <string_view>

#include "base/env.hpp"
#include "http/message.hpp"
#include "http/problem.hpp"
#include "http/server.hpp"

namespace gaur::http {

/// Problems of an incomplete head: a line or the head is too long, a bare line feed.
std::optional<Problem> check_partial_head(std::string_view bytes, const HttpLimits& limits);
/// Problems of a whole head, from the request line to the empty line (included). The connection must be
/// closed after any problem, because the start of the next request is unknown.
std::optional<Problem> check_head(std::string_view head, const HttpLimits& limits);

/// Status line and headers. `length` nothing: the body follows in chunks.
std::string render_head(const Response& response, std::optional<std::uint64_t> length, bool close, Time now);
/// "Sun, 22 Nov 2026 09:30:00 GMT".
std::string http_date(Time time);

}  // namespace gaur::http
