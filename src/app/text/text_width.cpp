#include "app/text/text_width.hpp"

#include <utf8proc.h>

namespace gaur::app {

std::size_t display_width(std::string_view utf8) {
  std::size_t width = 0;
  const auto* text = reinterpret_cast<const utf8proc_uint8_t*>(utf8.data());
  auto left = static_cast<utf8proc_ssize_t>(utf8.size());
  while (left > 0) {
    utf8proc_int32_t point = 0;
    const utf8proc_ssize_t length = utf8proc_iterate(text, left, &point);
    const utf8proc_ssize_t step = length > 0 ? length : 1;
    width += length > 0 ? static_cast<std::size_t>(utf8proc_charwidth(point)) : 1;
    text += step;
    left -= step;
  }
  return width;
}

std::string padded(std::string_view text, std::size_t width) {
  const std::size_t have = display_width(text);
  return std::string(text) + std::string(have < width ? width - have : 0, ' ');
}

}  // namespace gaur::app
