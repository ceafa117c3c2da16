#include "base/json_document.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>

#include "base/decimal_text.hpp"

namespace gaur::json {
namespace {

/// Builds the value from the parser's events. The whole text is passed at once, so a number is never split.
struct ValueHandler : UnboundedHandler {
  bool on_document_begin(Problem&) { return true; }
  bool on_document_end(Problem&) { return true; }
  bool on_object_begin(Problem&) { return true; }
  bool on_object_end(std::size_t count, Problem&) {
    return push([&] { stack.push_object(count); });
  }
  bool on_array_begin(Problem&) { return true; }
  bool on_array_end(std::size_t count, Problem&) {
    return push([&] { stack.push_array(count); });
  }
  bool on_key_part(Text text, std::size_t, Problem&) {
    return push([&] { stack.push_chars(text); });
  }
  bool on_key(Text text, std::size_t, Problem&) {
    return push([&] { stack.push_key(text); });
  }
  bool on_string_part(Text text, std::size_t, Problem&) {
    return push([&] { stack.push_chars(text); });
  }
  bool on_string(Text text, std::size_t, Problem&) {
    return push([&] { stack.push_string(text); });
  }
  bool on_number_part(Text, Problem&) { return true; }
  bool on_int64(std::int64_t number, Text text, Problem& problem) {
    if (number == 0 && text.front() == '-') return on_double(-0.0, text, problem);
    return push([&] { stack.push_int64(number); });
  }
  bool on_uint64(std::uint64_t number, Text, Problem&) {
    return push([&] { stack.push_uint64(number); });
  }
  bool on_double(double, Text text, Problem&) {
    return push([&] { stack.push_double(nearest_double({text.data(), text.size()})); });
  }
  bool on_bool(bool value, Problem&) {
    return push([&] { stack.push_bool(value); });
  }
  bool on_null(Problem&) {
    return push([&] { stack.push_null(); });
  }
  bool on_comment_part(Text, Problem&) { return true; }
  bool on_comment(Text, Problem&) { return true; }

  template <class Push>
  bool push(Push one) {
    one();
    return true;
  }
  boost::json::value_stack stack;
};

}  // namespace

boost::json::value parse_document(std::string_view text, std::size_t max_depth, std::size_t& read,
                                  boost::json::error_code& problem) {
  boost::json::parse_options options;
  options.max_depth = max_depth;
  boost::json::basic_parser<ValueHandler> parser(options);
  auto& stack = parser.handler().stack;
  stack.reset();
  read = parser.write_some(false, text.data(), text.size(), problem);
  if (problem) return nullptr;
  while (read < text.size() && is_space(text[read])) ++read;
  if (read < text.size()) {
    problem = boost::json::error::extra_data;
    return nullptr;
  }
  return stack.release();
}

}  // namespace gaur::json
