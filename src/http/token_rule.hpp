#pragma once
// The rules for a bearer token. The configuration and the server check them. Thread-safety: pure.
#include <algorithm>
#include <string_view>

#include "gaur/result.hpp"

namespace gaur::http {

inline constexpr std::size_t kShortestToken = 16;  // shorter ones could be guessed

/// Errors: kInvalidArgument if the token is too short or cannot be sent unchanged in a header.
inline Status check_token_rule(std::string_view token) {
  if (token.size() < kShortestToken)
    return Error{Errc::kInvalidArgument, "the token is shorter than 16 bytes, too easy to guess"};
  if (!std::ranges::all_of(token, [](char c) { return c > ' ' && c < 0x7F; }))
    return Error{Errc::kInvalidArgument,
                 "the token has spaces or characters other than visible ASCII, which no client can send"};
  return ok();
}

}  // namespace gaur::http
