#pragma once
// Finds where the values of a JSON text begin and end, so that job data can be stored byte for byte:
// no number is rounded, no key reordered, no space lost. It only splits. The JSON library (base/json) checks
// every piece before anything is stored. Pure.
#include <string_view>
#include <utility>
#include <vector>

#include "gaur/result.hpp"

namespace gaur::http {

/// The elements of an array. Errors: kInvalidArgument (not an array, or malformed between the elements).
Result<std::vector<std::string_view>> split_array(std::string_view text);
/// The members of an object, keys as literals with their quotes. Errors: the same.
Result<std::vector<std::pair<std::string_view, std::string_view>>> split_object(std::string_view text);
/// The first character that is not a blank, or 0.
char first_char(std::string_view text);

}  // namespace gaur::http
