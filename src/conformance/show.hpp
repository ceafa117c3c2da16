#pragma once
// Replies and jobs as text, so that two stores can be compared and a difference can be read. What store.hpp
// calls "about" (positions of adds) or a hint is left out. Thread-safety: pure functions.
#include <string>
#include <vector>

#include "core/store.hpp"

namespace gaur::conformance {

std::string show(const Job& job);
std::string show(const Added& added);
std::string show(const FinishResult& moved);
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
/// Errors are compared by code: every store words them its own way.
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
