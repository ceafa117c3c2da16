#include "base/json_text.hpp"
#include "core/needs.hpp"
#include "gaur/functions.hpp"

namespace gaur {

FunctionName function_of(std::string_view name, std::string_view data, std::string_view field) {
  if (field.empty()) return FunctionName(std::string(name));
  const auto parsed = json::parse(data, json::kPeerLimits);
  const json::Value* value = parsed ? json::find(*parsed, field) : nullptr;
  if (value == nullptr || !value->is_string() || value->get_string().empty())
    return FunctionName(std::string(name));
  return FunctionName(std::string(std::string_view(value->get_string())));
}

FunctionName FunctionCatalog::function_of(const QueueName& queue, std::string_view name,
                                          std::string_view data) const {
  const auto field = function_field.find(queue);
  return gaur::function_of(name, data, field == function_field.end() ? "" : field->second);
}

}  // namespace gaur
