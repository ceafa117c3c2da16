#pragma once
// Replies and jobs as text, to compare two stores and to print a difference. Omits estimates (positions of
// adds) and hints. Thread-safety: pure functions.
#include <string>
#include <vector>

#include "core/store.hpp"

namespace gaur::conformance {

std::string show(const Job& job);
std::string show(const Added& added);
std::string show(const FinishResult& result);
std::string show(const Taken& taken);
std::string show(const QueueHint& next);
std::string show(const TakeReply& reply);
std::string show(const ExtendReply& reply);
std::string show(const Recovered& recovered);
std::string show(const Counts& counts);
std::string show(const Position& position);
std::string show(const LogPage& page);
std::string show(const EventPage& page);
std::string show(const Event& event);
inline std::string show(const CancelReply& reply) {
  return std::string(to_string(reply));
}
inline std::string show(const State& state) {
  return std::string(to_string(state));
}
inline std::string show(const Unit&) {
  return "ok";
}
inline std::string show(const std::uint64_t& number) {
  return std::to_string(number);
}

template <class T>
std::string show(const std::vector<T>& values);
/// Shows only the code of an error: the messages of the stores differ.
template <class T>
std::string show(const Result<T>& result);

template <class T>
std::string show(const std::vector<T>& values) {
  std::string text = "[";
  for (const T& value : values) text += (text.size() > 1 ? ", " : "") + show(value);
  return text + "]";
}
template <class T>
std::string show(const Result<T>& result) {
  return result ? show(*result) : "error " + std::string(to_string(result.error().code));
}

}  // namespace gaur::conformance
