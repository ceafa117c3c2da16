// gaur.toml, and the values that the layers above it set. The text after a line "--" is a list of flags.
#include "../fuzz.hpp"
#include "app/config/layers.hpp"
#include "app/config/toml_source.hpp"

namespace gaur::app {
namespace {

void put_all(Settings& settings, const TomlDocument& document) {
  settings.remember(document.origins);
  for (const auto& [section, value] : document.root) {
    const auto origin = document.origins.find(KeyPath{std::string(section)});
    settings.put({std::string(section)}, value, origin == document.origins.end() ? Origin{} : origin->second,
                 false, &document.origins);
  }
}

}  // namespace
}  // namespace gaur::app

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gaur;
  using namespace gaur::app;
  const std::string_view text = fuzz::text_of(data, size);
  const auto split = text.find("\n--\n");
  const std::string_view toml = text.substr(0, split);
  Settings settings;
  if (const auto document = parse_toml(toml, "gaur.toml", "/folder")) {
    for (const Problem& problem : document->problems) (void)to_string(problem);
    put_all(settings, *document);
  } else {
    fuzz::require(!document.error().message.empty(), "a syntax error has a message");
  }
  std::vector<Variable> variables;
  for (std::string_view rest = split == std::string_view::npos ? "" : text.substr(split + 4);
       !rest.empty() && variables.size() < 50;) {
    const auto [line, after] = fuzz::first_line(rest);
    const auto equals = line.find('=');
    if (equals != std::string_view::npos)
      variables.push_back({std::string(line.substr(0, equals)), std::string(line.substr(equals + 1)), {}});
    rest = after;
  }
  put_variables(settings, variables);
  apply_deployment(settings, variables);
  for (const Problem& problem : settings.problems()) (void)to_string(problem);
  (void)settings.effective();
  return 0;
}
