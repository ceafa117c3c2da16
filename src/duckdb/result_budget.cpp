#include "duckdb/result_budget.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.hpp"

namespace gaur::duckdb {
namespace {

constexpr std::size_t kOtherMembers = 4096;  // also the result file that the host records
constexpr std::size_t kColumnOverhead = 36;  // {"name":,"type":,"json":"boolean"},
constexpr std::size_t kLongestName = 64;     // bytes of a name in a message

}  // namespace

ResultBudget::ResultBudget(const Function& function, const std::vector<Column>& columns)
    : limit_(function.max_result) {
  for (const auto& column : columns) add(column.name, column.type);
}

ResultBudget::ResultBudget(const Function& function,
                           const std::vector<std::pair<std::string, std::string>>& columns)
    : limit_(function.max_result) {
  for (const auto& [name, type] : columns) add(name, type);
}

void ResultBudget::add(const std::string& name, const std::string& type) {
  const std::size_t bytes = json::quote(type).size();
  schema_ += json::quote(name).size() + bytes + kColumnOverhead;
  if (bytes <= largest_bytes_) return;
  largest_ = utf8_prefix(name, kLongestName);
  largest_bytes_ = bytes;
  largest_kind_ = type.substr(0, std::min<std::size_t>(type.find('('), kLongestName));
}

std::size_t ResultBudget::rows(bool with_schema) const {
  const std::size_t taken = kOtherMembers + (with_schema ? schema_ : 0);
  return limit_ - std::min(limit_, taken);
}

std::string ResultBudget::schema_in_words() const {
  return fmt::format("the schema takes {} bytes, {} of them the type of column {} ({})", schema_,
                     largest_bytes_, json::quote(largest_), largest_kind_);
}

Run<Unit> ResultBudget::check_schema() const {
  if (schema_ + kOtherMembers <= limit_) return Unit{};
  return fail(
      {"too_large",
       fmt::format("a result of at most {} bytes is kept (max_result), and {}: cast the column to VARCHAR in "
                   "the SQL, or raise max_result of the function",
                   limit_, schema_in_words()),
       true,
       {{"max_result", limit_}, {"schema_bytes", schema_}, {"column", largest_}}});
}

RunFailure ResultBudget::rows_too_large(const Function& function, std::size_t most, std::size_t count) const {
  const bool by_schema = most < function.inline_bytes;
  const auto limit = by_schema ? fmt::format("are left of max_result = {}: {}", limit_, schema_in_words())
                               : std::string("are kept as JSON (inline_bytes)");
  return {
      "too_large",
      fmt::format(
          "the rows take more than the {} bytes that {} after {} rows; ask for fewer rows, or set on_large "
          "= \"file\"",
          most, limit, count),
      true,
      {{"inline_bytes", function.inline_bytes}}};
}

}  // namespace gaur::duckdb
