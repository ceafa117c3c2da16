#pragma once
// Commands -> bytes: arrays of bulk strings, the one form in which a server takes them.
// Thread-safety: pure functions.
#include <span>
#include <string>
#include <string_view>

namespace gaur::redis {

/// `*N`, before N arguments.
void append_header(std::string& out, std::size_t arguments);
void append_argument(std::string& out, std::string_view argument);
void append_command(std::string& out, std::span<const std::string> command);

/// The command in one string, allocated once.
std::string encode(std::span<const std::string> command);

}  // namespace gaur::redis
