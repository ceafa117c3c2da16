#pragma once
// Finds where the values of a JSON text begin and end, so that job data can be stored byte for byte as it
// came: no number is rounded, no key reordered, no space lost. It splits only; whether each piece is JSON is
// judged by the JSON library (base/json), which every piece passes through before anything is stored. Pure.
#include <string_view>
#include <utility>
#include <vector>

#include "gaur/result.hpp"

namespace gaur::http {

/// The elements of an array. Errors: kInvalidArgument (no array, or broken between the elements).
Result<std::vector<std::string_view>> split_array(std::string_view text);
/// The members of an object, keys as literals with their quotes. Errors: likewise.
Result<std::vector<std::pair<std::string_view, std::string_view>>> split_object(std::string_view text);
/// The first character that is no blank, or 0.
char first_char(std::string_view text);

}  // namespace gaur::http
