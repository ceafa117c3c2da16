#pragma once
// Encodes commands as arrays of bulk strings, the form that every server accepts.
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
