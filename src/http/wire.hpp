#pragma once
// HTTP/1.1 as bytes, beside what Beast does: a strict look at the head of a request before Beast's forgiving
// parser sees it, and the head of a response as text. Pure.
//
// Whatever two servers in a row could read in two ways is refused here: that is what request smuggling lives
// on.
#include <optional>
#include <string>
#include <string_view>

#include "base/env.hpp"
#include "http/message.hpp"
#include "http/problem.hpp"
#include "http/server.hpp"

namespace gaur::http {

/// What is wrong with bytes that are not yet a whole head: a line too long, too much of it, a line feed on
/// its own.
std::optional<Problem> check_partial_head(std::string_view bytes, const HttpLimits& limits);
/// What is wrong with a whole head, from the request line to the empty line (included). The connection must
/// be closed after any problem: where the next request would begin is not known.
std::optional<Problem> check_head(std::string_view head, const HttpLimits& limits);

/// Status line and headers. `length` nothing: the body follows in chunks.
std::string render_head(const Response& response, std::optional<std::uint64_t> length, bool close, Time now);
/// "Sun, 22 Nov 2026 09:30:00 GMT".
std::string http_date(Time time);

}  // namespace gaur::http
