#pragma once
// Writes TOML with comments. Thread-safety: confined to one thread.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gaur::app {

/// A TOML basic string; the escapes of JSON are valid in TOML.
std::string toml_text(std::string_view text);
/// A TOML array of strings.
std::string list_of(const std::vector<std::string>& words);
/// A TOML key, quoted if needed.
std::string key_of(const std::string& key);

class TomlWriter {
 public:
  void line(std::string_view text = "");
  void comment(std::string_view text);
  /// "key = value  # from"; `value` is TOML.
  void set(std::string_view key, const std::string& value, const std::string& from);
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace gaur::app
