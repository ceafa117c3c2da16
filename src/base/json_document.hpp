#pragma once
// The JSON library's grammar with numbers read exactly: its own conversion of digits is up to one unit in the
// last place off (95.82093798396099).
#include <boost/json/error.hpp>
#include <boost/json/string_view.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <string_view>

namespace gaur::json {

/// Common part of the handlers of the JSON library's parser: no limits of its own.
struct UnboundedHandler {
  constexpr static std::size_t max_object_size = std::size_t(-1);
  constexpr static std::size_t max_array_size = std::size_t(-1);
  constexpr static std::size_t max_key_size = std::size_t(-1);
  constexpr static std::size_t max_string_size = std::size_t(-1);
  using Text = boost::json::string_view;
  using Problem = boost::json::error_code;
};

/// The white space of JSON's grammar.
constexpr bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// Whole numbers of 64 bits are kept as such; all others become the nearest double, infinite beyond its
/// range. `read`: how many bytes were read, also where it fails. Thread-safety: a pure function.
boost::json::value parse_document(std::string_view text, std::size_t max_depth, std::size_t& read,
                                  boost::json::error_code& problem);

}  // namespace gaur::json
