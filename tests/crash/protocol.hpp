#pragma once
// What driver and test of the kill storm agree on: how an operation follows from its lane and number, and the
// lines in which the driver tells what it sent and what it heard. An operation whose answer is missing is
// unknown: it may have been carried out or not.
//   A lane number                         an add is about to be sent
//   a lane number id...                   it was acknowledged
//   F lane number id token kind           a turn that finishes this run is about to be sent
//   T lane number                         a turn that finishes nothing is about to be sent
//   f lane number moved|error taken token its answer; "-" where nothing was taken
// Thread-safety: pure functions.
#include <fmt/format.h>

#include <string>
#include <string_view>

#include "core/store.hpp"

namespace gaur::crash {

inline constexpr int kProducers = 12;
inline constexpr int kWorkers = 12;
inline constexpr std::uint64_t kMapBytes = 1ULL << 34;  ///< small enough for the sanitizers
inline const QueueName kQueue{"storm"};

inline std::string nonce(std::string_view session, std::uint64_t number, int index) {
  return fmt::format("{}-{}-{}", session, number, index);
}
inline std::string data_of(const std::string& nonce) {
  return fmt::format(R"({{"nonce":"{}"}})", nonce);
}

/// Lanes with an even number give their jobs ids of their own; every fourth add is of two jobs.
inline AddRequest add_request(const std::string& session, std::uint64_t number) {
  AddRequest request{.queue = kQueue, .op = {SessionName(session), number}};
  const int jobs = number % 4 == 0 ? 2 : 1;
  for (int i = 0; i < jobs; ++i) {
    const std::string mark = nonce(session, number, i);
    NewJob job{.name = "storm", .data = data_of(mark)};
    if ((session.back() - '0') % 2 == 0) job.options.id = JobId("own-" + mark);
    request.jobs.push_back(std::move(job));
  }
  return request;
}

enum class Kind : char { kCompleted = 'c', kFailed = 'f', kRetried = 'r' };
inline Kind kind_of(std::uint64_t number) {
  return number % 8 == 0 ? Kind::kRetried : number % 8 == 1 ? Kind::kFailed : Kind::kCompleted;
}
inline std::string result_of(const std::string& token) {
  return '"' + token + '"';
}

inline Outcome outcome_of(Kind kind, const std::string& token) {
  switch (kind) {
    case Kind::kRetried: return outcome::RetryAfter{.failure = {.message = "again"}};
    case Kind::kFailed: return outcome::Failed{.failure = {.message = result_of(token)}};
    case Kind::kCompleted: break;
  }
  return outcome::Completed{result_of(token)};
}

}  // namespace gaur::crash
