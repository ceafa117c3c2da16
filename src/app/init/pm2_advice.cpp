// Suggests a command that converts a pm2 file in another format to JSON. pm2 evaluates such files with Node.
#include <fmt/format.h>

#include <filesystem>

#include "app/init/pm2.hpp"

namespace gaur::app {
namespace {

std::string shell_quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

bool is_other_pm2_form(const std::string& file) {
  const std::string ending = std::filesystem::path(file).extension().string();
  return ending == ".js" || ending == ".cjs" || ending == ".mjs" || ending == ".yml" || ending == ".yaml";
}

std::string pm2_conversion(const std::string& file, std::string_view text) {
  constexpr std::string_view kCall = "typeof c == 'function' ? c() : c";
  const std::string ending = std::filesystem::path(file).extension().string();
  std::string command;
  if (ending == ".yml" || ending == ".yaml") {
    command = "npx --yes js-yaml";
  } else if (ending == ".mjs" || contains(text, "export default") || contains(text, "export const apps")) {
    command = fmt::format(
        "node -e \"import(require('url').pathToFileURL(process.argv[1])).then((m) => {{ const c = "
        "m.default ?? m; console.log(JSON.stringify({}, null, 2)); }})\"",
        kCall);
  } else if (ending == ".js" || ending == ".cjs") {
    command = fmt::format(
        "node -p \"let c = require(require('path').resolve(process.argv[1])); "
        "JSON.stringify({}, null, 2)\"",
        kCall);
  } else if (contains(text, "module.exports")) {
    command =
        "node -p \"let m = {exports: {}}; Function('module', 'exports', 'require', "
        "require('fs').readFileSync("
        "process.argv[1], 'utf8'))(m, m.exports, require); JSON.stringify(m.exports, null, 2)\"";
  } else {
    command =
        "node -p \"JSON.stringify(eval('(' + require('fs').readFileSync(process.argv[1], 'utf8') + ')'), "
        "null, "
        "2)\"";
  }
  const std::string out = std::filesystem::path(file).filename() == "pm2.json" ? "pm2-apps.json" : "pm2.json";
  return fmt::format("{} {} > {}", command, shell_quoted(file), out);
}

}  // namespace gaur::app
