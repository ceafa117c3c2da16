#pragma once
// Environment files with lines NAME=value, read like the npm package dotenv, so that one file means the same
// to the old processes and to Gaur. dotenv guesses at a malformed line; this reader reports it.
//
//  - `export NAME=value`, blanks around the name and the value, `NAME: value`; a # begins a comment,
//    also inside a value without quotes; CRLF and a byte order mark are not part of a value
//  - 'single', "double" and `back` quotes, also over several lines; in double quotes \n and \r are line
//  breaks
//  - ${NAME} is not expanded; the last line of a name applies
// Thread-safety: pure functions, except for reading the file.
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "app/config/origin.hpp"

namespace gaur::app {

struct Variable {
  std::string name, value;
  Origin origin;
};

/// Returns the variables in the order of the text, including repeated names. `shown`: the file's name in
/// messages; `base`: the folder that relative paths in it refer to. A line that is not an assignment becomes
/// a problem. Messages never contain values.
std::vector<Variable> parse_dotenv(std::string_view text, const std::string& shown, const std::string& base,
                                   std::vector<Problem>& problems);

/// The same for a file of at most 1 MiB. An unreadable file becomes a problem.
std::vector<Variable> read_dotenv(const std::filesystem::path& file, const std::string& shown,
                                  std::vector<Problem>& problems);

}  // namespace gaur::app
