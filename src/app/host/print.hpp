#pragma once
// What a host prints at its start. Where it cannot be written (a full disk, a closed terminal), the host
// starts all the same: fmt::print would throw.
#include <fmt/format.h>

#include <stdio_ext.h>

#include <cstdio>
#include <string>

namespace gaur::app {

template <class... Arguments>
void print_to(std::FILE* to, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  const std::string text = fmt::format(format, std::forward<Arguments>(arguments)...);
  if (std::fwrite(text.data(), 1, text.size(), to) != text.size() || std::fflush(to) != 0) __fpurge(to);
}

}  // namespace gaur::app
