// The names of the kinds of notes, and the names of variables that contain secrets.
#include <algorithm>
#include <cctype>

#include "app/init/draft.hpp"

namespace gaur::app {

std::string_view to_string(InitNote::Kind kind) {
  switch (kind) {
    case InitNote::Kind::kTodo: return "to do";
    case InitNote::Kind::kSecret: return "not copied";
    case InitNote::Kind::kChanges: return "changes";
    case InitNote::Kind::kNone: return "no counterpart";
    case InitNote::Kind::kUnknown: return "unknown";
  }
  return "";
}

bool is_secret(std::string_view name, std::string_view value) {
  std::string upper(name);
  std::ranges::transform(upper, upper.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  for (const char* word : {"PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "APIKEY", "API_KEY",
                           "ACCESS_KEY", "PRIVATE_KEY", "CREDENTIAL", "_PWD", "_PASS"}) {
    if (upper.find(word) != std::string::npos) return true;
  }
  const std::size_t scheme = value.find("://");
  if (scheme == std::string_view::npos) return false;
  const std::size_t at = value.find('@', scheme);
  const std::size_t colon = value.find(':', scheme + 3);
  return at != std::string_view::npos && colon != std::string_view::npos && colon < at;
}

}  // namespace gaur::app
