#pragma once
// The JSON library's grammar with numbers read exactly: its own conversion of digits is up to one unit in the
// last place off (95.82093798396099).
#include <boost/json/error.hpp>
#include <boost/json/value.hpp>
#include <string_view>

namespace gaur::json {

/// The white space of JSON's grammar.
constexpr bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// Whole numbers of 64 bits are kept as such; all others become the nearest double, infinite beyond its
/// range. `read`: how many bytes were read, also where it fails. Thread-safety: a pure function.
boost::json::value parse_document(std::string_view text, std::size_t max_depth, std::size_t& read,
                                  boost::json::error_code& problem);

}  // namespace gaur::json
