#pragma once
// Environment files: NAME=value a line, read as the npm package dotenv reads them, so that one file tells the
// old processes and Gaur the same. Where dotenv guesses at a broken line, this reader names it.
//
//  - `export NAME=value`, blanks around the name and the value, `NAME: value`; comments begin with # (in a
//    value without quotes anywhere: quote what holds a #); CRLF and a byte order mark are no part of a value
//  - 'single', "double" and `back` quotes, also over several lines; in double quotes \n and \r are line ends
//  - nothing is expanded: ${NAME} stays as it is; the last line of a name wins
// Thread-safety: pure functions, but for reading the file.
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

/// In the order of the text, repeated names and all. `shown`: the file's name in messages; `base`: the folder
/// against which relative paths in it count. What is no assignment is a problem with its line; values are
/// never shown.
std::vector<Variable> parse_dotenv(std::string_view text, const std::string& shown, const std::string& base,
                                   std::vector<Problem>& problems);

/// The same for a file of at most 1 MiB; that it cannot be read is a problem as well.
std::vector<Variable> read_dotenv(const std::filesystem::path& file, const std::string& shown,
                                  std::vector<Problem>& problems);

}  // namespace gaur::app
