#pragma once
// JSON that JSON.parse accepts and the JSON library rejects: lone surrogates, which JavaScript's strings may
// contain (an emoji split by slice(), escaped by JSON.stringify), and exponents beyond 32 bits, which mean
// infinity or 0. Thread-safety: pure functions.
#include <optional>
#include <string>
#include <string_view>

namespace gaur::json {

/// JSON text with the escape of each lone half (\ud83d) replaced by \ufffd and each such exponent by a
/// smaller one with the same effect, at the same length, so that offsets stay; nothing where it holds none of
/// both.
std::optional<std::string> library_form(std::string_view text);

}  // namespace gaur::json
