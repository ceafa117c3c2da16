// pm2 ecosystem files.
#include "app/init/pm2.hpp"
#include "../fuzz.hpp"
#include "app/init/pm2_values.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gaur;
  using namespace gaur::app;
  const std::string_view text = fuzz::text_of(data, size);
  (void)pm2_words(text);
  (void)pm2_conversion("ecosystem.json", text);
  (void)is_other_pm2_form(std::string(text));
  const auto apps = parse_pm2(text);
  if (!apps) {
    fuzz::require(!apps.error().message.empty(), "a rejected file has a message");
    return 0;
  }
  for (const Pm2App& app : *apps) {
    fuzz::require(app.processes(4) <= 100'000'000U, "the number of processes is limited");
    (void)app.environment("production");
    for (const std::string& setting : app.settings) (void)find_pm2_row(setting);
  }
  (void)choose_pm2_app(*apps, "worker");
  (void)choose_pm2_app(*apps, "");
  return 0;
}
