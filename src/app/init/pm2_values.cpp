#include "app/init/pm2_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/utf8.hpp"

namespace gaur::app {
namespace {

constexpr double kLongest = 10.0 * 365 * 86'400'000;             // ms: ten years
constexpr double kLargest = 1024.0 * 1024 * 1024 * 1024 * 1024;  // bytes: 1 PiB
constexpr double kMostInstances = 10'000;

std::string as_text(const json::Value& value) {
  return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

/// A setting, with functions that add remarks about it to its app.
struct Setting {
  Pm2App& app;
  std::string_view name;
  const json::Value& value;

  void unused(std::string_view why) const {
    std::string shown = json::serialize(value);
    if (shown.size() > 80) {
      cut_utf8(shown, 77);
      shown += "...";
    }
    app.unused.push_back({std::string(name), fmt::format("{} was not used: {}", shown, why)});
  }
  void remark(std::string text) const { app.unused.push_back({std::string(name), std::move(text)}); }
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n\f\v";
  const std::size_t first = text.find_first_not_of(kBlank);
  return first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::optional<double> plain_number(std::string_view text) {
  double amount = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), amount);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return amount;
}

/// A number, or a text that JavaScript converts to a number.
std::optional<double> number(const json::Value& value) {
  if (value.is_number()) return value.to_number<double>();
  if (!value.is_string()) return std::nullopt;
  return plain_number(trimmed(value.get_string()));
}

/// pm2 treats "", 0, false and null like a missing setting.
bool is_unset(const json::Value& value) {
  return value.is_null() || (value.is_string() && value.get_string().empty()) ||
         (value.is_number() && value.to_number<double>() == 0) || (value.is_bool() && !value.as_bool());
}

/// A number, or digits and one of `letters`, which have `factors`. `forms` describes this in messages.
std::optional<double> with_unit(const Setting& setting, std::string_view letters, const double* factors,
                                std::string_view forms) {
  if (const auto plain = number(setting.value)) return plain;
  std::string_view text = setting.value.is_string() ? std::string_view(setting.value.get_string()) : "";
  const std::size_t unit = text.empty() ? std::string_view::npos : letters.find(text.back());
  const std::string_view digits = text.substr(0, text.empty() ? 0 : text.size() - 1);
  const bool whole = !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos;
  if (unit == std::string_view::npos || !whole) {
    setting.unused(fmt::format("pm2 rejects it; it accepts {}", forms));
    return std::nullopt;
  }
  return plain_number(digits).value_or(HUGE_VAL) * factors[unit];
}

std::optional<std::int64_t> in_range(const Setting& setting, std::optional<double> amount, double least,
                                     double most) {
  if (!amount) return std::nullopt;
  if (!(*amount >= least && *amount <= most)) {
    setting.unused(fmt::format("it is not between {} and {}", least, most));
    return std::nullopt;
  }
  return static_cast<std::int64_t>(*amount);
}

void read_milliseconds(const Setting& setting, std::optional<std::int64_t>& into) {
  if (is_unset(setting.value)) return;
  const auto amount = number(setting.value);
  if (!amount) return setting.unused("pm2 rejects it; it accepts a number of milliseconds");
  into = in_range(setting, amount, 0, kLongest);
}

void read_min_uptime(const Setting& setting, Pm2App& app) {
  constexpr double kFactors[] = {3'600'000, 60'000, 1'000};
  if (is_unset(setting.value)) return;
  const auto amount = with_unit(setting, "hms", kFactors,
                                "a number of milliseconds or digits with h, m or s, such as \"10s\"");
  app.min_uptime_ms = in_range(setting, amount, 100, kLongest);
}

void read_memory(const Setting& setting, Pm2App& app) {
  constexpr double kFactors[] = {1024.0 * 1024 * 1024, 1024.0 * 1024, 1024.0};
  if (is_unset(setting.value)) return;
  const auto amount = with_unit(setting, "GMK", kFactors,
                                "a number of bytes or digits with G, M or K, such as \"1G\" or \"1536M\"");
  const auto bytes = in_range(setting, amount, 0, kLargest);
  if (bytes && *bytes > 0) app.max_memory_bytes = static_cast<std::uint64_t>(*bytes);
}

/// pm2 converts text with parseInt, or to 0 if it is not a number. 0 means one process per core.
void read_instances(const Setting& setting, Pm2App& app) {
  const json::Value& value = setting.value;
  if (value.is_null()) return;
  if (value.is_string()) {
    const std::string_view text = trimmed(value.get_string());
    std::int64_t count = 0;
    const auto read =
        std::from_chars(text.data() + (text.starts_with('+') ? 1 : 0), text.data() + text.size(), count);
    if (read.ec == std::errc::result_out_of_range)
      return setting.unused("it is not a possible number of processes");
    if (text != "max" && (read.ec != std::errc() || read.ptr != text.data() + text.size())) {
      setting.remark(fmt::format("{} is not a whole number; pm2 reads it as {}{}", json::serialize(value),
                                 count, count == 0 ? ", which means one process per core" : ""));
    }
    app.instances = in_range(setting, static_cast<double>(count), -kMostInstances, kMostInstances);
    return;
  }
  if (!value.is_number()) return setting.unused("pm2 rejects it; it accepts a number or \"max\"");
  const double amount = value.to_number<double>();
  app.instances = in_range(setting, amount, -kMostInstances, kMostInstances);
  if (app.instances && static_cast<double>(*app.instances) != amount)
    setting.remark(
        fmt::format("{} is not a whole number; pm2 reads it as {}", json::serialize(value), *app.instances));
}

void read_mode(const Setting& setting, Pm2App& app) {
  if (is_unset(setting.value)) return;
  const std::string mode = as_text(setting.value);
  if (mode != "cluster" && mode != "cluster_mode" && mode != "fork" && mode != "fork_mode")
    return setting.unused("pm2 rejects it; it accepts \"cluster\" or \"fork\"");
  app.cluster = mode.starts_with("cluster");
}

void read_text(const Setting& setting, std::string& into) {
  if (is_unset(setting.value)) return;
  if (!setting.value.is_string()) return setting.unused("pm2 rejects it; it accepts text");
  into = as_text(setting.value);
}

void read_words(const Setting& setting, std::vector<std::string>& into) {
  if (is_unset(setting.value)) return;
  if (const auto* list = setting.value.if_array()) {
    into.clear();
    for (const json::Value& entry : *list) into.push_back(as_text(entry));
  } else if (setting.value.is_string()) {
    into = pm2_words(std::string_view(setting.value.get_string()));
  } else {
    setting.unused("pm2 rejects it; it accepts a list or text");
  }
}

void read_variables(const Setting& setting, std::map<std::string, std::string>& into) {
  if (is_unset(setting.value)) return;
  const auto* table = setting.value.if_object();
  if (table == nullptr) return setting.unused("variables must be an object: {\"NAME\": \"value\"}");
  for (const auto& [name, entry] : *table) into[std::string(name)] = as_text(entry);
}

void read_flag(const Setting& setting, bool& into) {
  if (is_unset(setting.value)) return;
  if (!setting.value.is_bool()) return setting.unused("pm2 rejects it; it accepts true or false");
  into = setting.value.as_bool();
}

}  // namespace

std::vector<std::string> pm2_words(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n\f\v";
  std::vector<std::string> words;
  const auto quoted_end = [&](std::size_t at) {  // after the closing quote; npos if there is none
    const std::size_t end = text.find(text[at], at + 1);
    return end == std::string_view::npos ? end : end + 1;
  };
  for (std::size_t at = text.find_first_not_of(kBlank); at < text.size();
       at = text.find_first_not_of(kBlank, at)) {
    std::size_t end = std::string_view::npos;
    if (text[at] == '"' || text[at] == '\'') end = quoted_end(at);
    const std::size_t equals = text.find_first_of("=\"' \t\r\n\f\v", at);
    if (end == std::string_view::npos && equals != std::string_view::npos && equals > at &&
        equals + 1 < text.size() && text[equals] == '=' &&
        (text[equals + 1] == '"' || text[equals + 1] == '\'')) {
      end = quoted_end(equals + 1);  // name="a value" keeps its quotes, as in pm2
    }
    if (end == std::string_view::npos) end = std::min(text.find_first_of(kBlank, at), text.size());
    std::string_view word = text.substr(at, end - at);
    at = end;
    const bool quoted = word.size() > 1 && word.front() == word.back() && (word[0] == '"' || word[0] == '\'');
    if (quoted) word = word.substr(1, word.size() - 2);
    if (!trimmed(word).empty()) words.emplace_back(word);
  }
  return words;
}

void read_pm2_setting(Pm2App& app, std::string_view row, std::string_view written, const json::Value& value) {
  const Setting setting{app, written, value};
  if (row == "name") read_text(setting, app.name);
  if (row == "script") read_text(setting, app.script);
  if (row == "cwd") read_text(setting, app.cwd);
  if (row == "exec_interpreter") read_text(setting, app.interpreter);
  if (row == "args") read_words(setting, app.args);
  if (row == "node_args") read_words(setting, app.node_args);
  if (row == "instances") read_instances(setting, app);
  if (row == "exec_mode") read_mode(setting, app);
  if (row == "env") read_variables(setting, app.env);
  if (row == "env_NAME") read_variables(setting, app.env_of[std::string(written.substr(4))]);
  if (row == "kill_timeout") read_milliseconds(setting, app.kill_timeout_ms);
  if (row == "listen_timeout") read_milliseconds(setting, app.listen_timeout_ms);
  if (row == "min_uptime") read_min_uptime(setting, app);
  if (row == "max_restarts") read_milliseconds(setting, app.max_restarts);
  if (row == "wait_ready") read_flag(setting, app.wait_ready);
  if (row == "max_memory_restart") read_memory(setting, app);
}

}  // namespace gaur::app
