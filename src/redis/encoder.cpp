#include "redis/encoder.hpp"

#include <array>
#include <charconv>

namespace gaur::redis {
namespace {

void append_size(std::string& out, char type, std::size_t size) {
  std::array<char, 24> text{};
  text[0] = type;
  char* end = std::to_chars(text.data() + 1, text.data() + text.size(), size).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out.append(text.data(), static_cast<std::size_t>(end - text.data()));
}

}  // namespace

void append_header(std::string& out, std::size_t arguments) {
  append_size(out, '*', arguments);
}

void append_argument(std::string& out, std::string_view argument) {
  append_size(out, '$', argument.size());
  out.append(argument).append("\r\n");
}

void append_command(std::string& out, std::span<const std::string> command) {
  append_header(out, command.size());
  for (const auto& argument : command) append_argument(out, argument);
}

std::string encode(std::span<const std::string> command) {
  std::size_t size = 16;
  for (const auto& argument : command) size += argument.size() + 16;
  std::string out;
  out.reserve(size);
  append_command(out, command);
  return out;
}

}  // namespace gaur::redis
