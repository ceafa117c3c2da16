#pragma once
// What JSON.parse reads and the JSON library refuses: halves of surrogate pairs, which JavaScript's strings
// may hold (an emoji cut by slice(), written as an escape by JSON.stringify), and exponents beyond 32 bits,
// which mean infinity or 0. Thread-safety: pure functions.
#include <optional>
#include <string>
#include <string_view>

namespace gaur::json {

/// JSON text with the escape of each lone half (\ud83d) replaced by \ufffd and each such exponent by a
/// smaller one with the same effect, at the same length, so that offsets stay; nothing where it holds none of
/// both.
std::optional<std::string> library_form(std::string_view text);

}  // namespace gaur::json
