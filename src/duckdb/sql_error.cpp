#include "duckdb/sql_error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace gaur::duckdb {
namespace {

struct KindRow {
  std::string_view kind;
  std::string_view code;
  bool final;  // another attempt fails as well: the cause is in the SQL, the parameters or the configuration
  bool unhealthy;  // DuckDB's state may be corrupt
};
constexpr std::array kKinds{
    KindRow{"Parser", "syntax", true, false},
    KindRow{"Syntax", "syntax", true, false},
    KindRow{"Binder", "binder", true, false},
    KindRow{"Catalog", "catalog", true, false},
    KindRow{"Conversion", "conversion", true, false},
    KindRow{"Mismatch Type", "conversion", true, false},
    KindRow{"Out of Range", "out_of_range", true, false},
    KindRow{"Decimal", "out_of_range", true, false},
    KindRow{"Divide by Zero", "out_of_range", true, false},
    KindRow{"Invalid Input", "invalid_input", true, false},
    KindRow{"Invalid type", "invalid_input", true, false},
    KindRow{"Parameter Not Resolved", "binder", true, false},
    KindRow{"Parameter Not Allowed", "binder", true, false},
    KindRow{"Permission", "permission", true, false},
    KindRow{"Not implemented", "not_implemented", true, false},
    KindRow{"Missing Extension", "extension", true, false},
    KindRow{"Autoload", "extension", true, false},
    KindRow{"Constraint", "constraint", true, false},
    KindRow{"Expression", "invalid_input", true, false},
    KindRow{"Out of Memory", "out_of_memory", false, true},
    KindRow{"IO", "io", false, false},
    KindRow{"HTTP", "io", false, false},
    KindRow{"Serialization", "io", false, false},
    KindRow{"INTERRUPT", "interrupted", false, false},
    KindRow{"Interrupt", "interrupted", false, false},
    KindRow{"INTERNAL", "internal", false, true},
    KindRow{"Internal", "internal", false, true},
    KindRow{"FATAL", "internal", false, true},
    KindRow{"Fatal", "internal", false, true},
};

const KindRow* row_of(std::string_view kind) {
  const auto* row =
      std::find_if(kKinds.begin(), kKinds.end(), [&](const KindRow& each) { return each.kind == kind; });
  return row == kKinds.end() ? nullptr : row;
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

SqlError read_sql_error(std::string_view text) {
  SqlError error;
  const auto brace = text.find('{');
  if (brace != std::string_view::npos) {
    if (auto object = json::parse_object(text.substr(brace)); object && object->contains("exception_type")) {
      error.kind = json::text_or(*object, "exception_type", "");
      error.message = json::text_or(*object, "exception_message", "");
      error.candidates = json::text_or(*object, "candidates", "");
      error.name = json::text_or(*object, "name", "");
      const auto digits = json::text_or(*object, "position", "");
      std::size_t at = 0;
      if (std::from_chars(digits.data(), digits.data() + digits.size(), at).ec == std::errc())
        error.position = at;
      return error;
    }
  }
  // "Binder Error: text", as DuckDB writes it before the setting is made
  const auto colon = text.find(" Error: ");
  if (colon != std::string_view::npos && colon < 32) {
    error.kind = text.substr(0, colon);
    text.remove_prefix(colon + 8);
  }
  error.message = text;
  return error;
}

LineColumn line_column(std::string_view text, std::size_t byte_offset) {
  LineColumn at;
  for (std::size_t i = 0; i < std::min(byte_offset, text.size()); ++i) {
    if (text[i] == '\n') {
      ++at.line;
      at.column = 1;
    } else if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) {
      ++at.column;
    }
  }
  return at;
}

std::string_view code_of_kind(std::string_view kind) {
  const auto* row = row_of(kind);
  return row == nullptr ? "error" : row->code;
}

RunFailure to_failure(const SqlError& error, std::string_view user_sql,
                      std::optional<std::size_t> user_position) {
  RunFailure failure;
  const auto* row = row_of(error.kind);
  failure.code = code_of_kind(error.kind);
  failure.final = row == nullptr || row->final;
  failure.unhealthy = row != nullptr && row->unhealthy;
  if (failure.code == "out_of_memory" && error.message.find("max_temp_directory_size") != std::string::npos) {
    failure.code = "spill_full";
    failure.final = true;  // another attempt spills as much
    failure.message = fmt::format(
        "the query spilled more to disk than a run may: {}; ask for less, give the function more memory "
        "(needs), or raise machine.spill",
        error.message.substr(0, error.message.find('\n')));
  } else if (failure.code == "out_of_memory") {
    // DuckDB continues with advice about settings that only the configuration can change
    auto why = error.message.substr(0, error.message.find("\n"));
    failure.message = "DuckDB ran out of the memory of this run's grant: " + why +
                      "; ask for less, or give the function more memory (needs)";
  } else {
    failure.message = (error.kind.empty() ? "" : error.kind + " error: ") + one_line(error.message);
  }
  if (!error.kind.empty()) failure.details["duckdb_type"] = error.kind;
  if (user_position) {
    const auto at = line_column(user_sql, *user_position);
    failure.message += fmt::format(" (line {}, column {})", at.line, at.column);
    failure.details["line"] = static_cast<std::int64_t>(at.line);
    failure.details["column"] = static_cast<std::int64_t>(at.column);
  }
  if (!error.candidates.empty()) failure.details["candidates"] = error.candidates;
  return failure;
}

}  // namespace gaur::duckdb
