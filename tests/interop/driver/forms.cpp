// What Gaur reads in the texts of peers, one question a line on stdin: a word and its arguments in hex,
// separated by spaces; one answer a line on stdout. Not installed; for json.test.mjs and cron.test.mjs.
//   json TEXT              "ok HEX" (as it goes into other JSON) or "no MESSAGE"
//   cron PATTERN ZONE MS   the next three times in ms, "-" for none; or "no MESSAGE"
//   date VALUE ZONE        new Date(VALUE).getTime() of a JSON value, "NaN"
//   luxon VALUE ZONE MS    the same as cron-parser reads it, "NaN"
//   next NAME OPTIONS MS   "SLOT HEX_OF_KEY", "-" where the schedule is over, or "no MESSAGE"
#include <fmt/format.h>

#include <iostream>
#include <sstream>

#include "base/js_number.hpp"
#include "base/json_text.hpp"
#include "bull/dates.hpp"
#include "bull/job_codec.hpp"
#include "bull/repeat.hpp"
#include "schedule/cron.hpp"

namespace gaur {
namespace {

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

std::string to_hex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return hex;
}

std::string no(const Error& error) {
  return "no " + error.message;
}

using Words = std::vector<std::string>;

std::string answer_json(const Words& words) {
  const auto fragment = json::Fragment::read(words.at(1));
  return fragment ? "ok " + to_hex(fragment->view()) : no(fragment.error());
}

std::string answer_cron(const Words& words) {
  const auto cron = schedule::Cron::parse(words.at(1));
  if (!cron) return no(cron.error());
  const auto zone = schedule::Zone::find(words.at(2));
  if (!zone) return no(zone.error());
  Time at = from_ms(std::stoll(words.at(3)));
  std::string times;
  for (int i = 0; i < 3; ++i) {
    const auto next = cron->next(at, *zone);
    if (!next) return times + "-";
    at = *next;
    times += fmt::format("{} ", to_ms(at));
  }
  return times;
}

std::string answer_date(const Words& words) {
  const auto value = json::parse(words.at(1));
  const auto local = schedule::Zone::find(words.at(2));
  return value && local ? js::to_text(bull::js_date(*value, *local)) : "no value";
}

std::string answer_luxon(const Words& words) {
  const auto value = json::parse(words.at(1));
  const auto zone = schedule::Zone::find(words.at(2));
  if (!value || !zone) return "no value";
  const auto ms = bull::luxon_date(*value, *zone, std::stoll(words.at(3)));
  return ms ? js::to_text(*ms) : "NaN";
}

std::string answer_next(const Words& words) {
  const json::Object options = bull::options_object(words.at(2));
  const auto repeat = bull::repeat_of(options);
  if (!repeat) return no(repeat.error());
  if (!*repeat) return "no repeat";
  const auto slot = bull::next_slot(**repeat, from_ms(std::stoll(words.at(3))), bull::taken_slot_of(options));
  if (!slot) return no(slot.error());
  if (!*slot) return "-";
  return (*slot)->text + " " + to_hex(bull::repeat_key(words.at(1), **repeat));
}

std::string answer(const Words& words) {
  if (words.at(0) == "json") return answer_json(words);
  if (words.at(0) == "cron") return answer_cron(words);
  if (words.at(0) == "date") return answer_date(words);
  if (words.at(0) == "luxon") return answer_luxon(words);
  return answer_next(words);
}

}  // namespace
}  // namespace gaur

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream in(line);
    gaur::Words words(1);
    in >> words[0];
    for (std::string hex; in >> hex;) words.push_back(hex == "-" ? "" : gaur::from_hex(hex));
    std::cout << gaur::answer(words) << '\n';
  }
  return 0;
}
