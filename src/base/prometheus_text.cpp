#include "base/prometheus_text.hpp"

#include <fmt/format.h>

namespace gaur::prometheus {

namespace {

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\\' || c == '"') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
}

template <class Number>
void append_number(std::string& out, std::string_view name, const Labels& labels, Number value) {
  out += name;
  append_labels(out, labels);
  out += fmt::format(" {}\n", value);
}

}  // namespace

void append_header(std::string& out, std::string_view name, std::string_view help, std::string_view type) {
  out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void append_labels(std::string& out, const Labels& labels, std::string_view le) {
  if (labels.empty() && le.empty()) return;
  out += '{';
  bool first = true;
  const auto append = [&](std::string_view key, std::string_view value) {
    if (!first) out += ',';
    first = false;
    out += key;
    out += "=\"";
    append_escaped(out, value);
    out += '"';
  };
  for (const auto& [key, value] : labels) append(key, value);
  if (!le.empty()) append("le", le);
  out += '}';
}

void append_sample(std::string& out, std::string_view name, const Labels& labels, std::uint64_t value) {
  append_number(out, name, labels, value);
}

void append_sample(std::string& out, std::string_view name, const Labels& labels, double value) {
  append_number(out, name, labels, value);
}

void append_gauge(std::string& out, std::string_view name, std::string_view help,
                  const std::vector<std::pair<Labels, double>>& rows) {
  append_header(out, name, help, "gauge");
  for (const auto& [labels, value] : rows) append_sample(out, name, labels, value);
}

}  // namespace gaur::prometheus
