#pragma once
// What a bearer token has to be, checked by the configuration and by the server alike. Thread-safety: pure.
#include <algorithm>
#include <string_view>

#include "gaur/result.hpp"

namespace gaur::http {

inline constexpr std::size_t kShortestToken = 16;  // below, guessing would be worth a try

/// Errors: kInvalidArgument, where the token is too short or could not be sent in a header as it is.
inline Status check_token_rule(std::string_view token) {
  if (token.size() < kShortestToken)
    return Error{Errc::kInvalidArgument, "the token is shorter than 16 bytes, too easy to guess"};
  if (!std::ranges::all_of(token, [](char c) { return c > ' ' && c < 0x7F; }))
    return Error{Errc::kInvalidArgument,
                 "the token has spaces or characters other than visible ASCII, which no client can send"};
  return ok();
}

}  // namespace gaur::http
