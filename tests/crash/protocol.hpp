#pragma once
// The protocol between the driver and the crash test: how an operation is derived from its session and
// sequence number, and the lines in which the driver reports requests and replies. An operation without a
// reply has an unknown outcome: it may have been executed or not.
//   A session number                         before an add is sent
//   a session number id...                   its reply
//   F session number id token kind           before a take request that finishes this run is sent
//   T session number                         before a take request that finishes nothing is sent
//   f session number state|error taken token its reply; "-" if nothing was taken
// Thread-safety: pure functions.
#include <fmt/format.h>

#include <string>
#include <string_view>

#include "core/store.hpp"

namespace gaur::crash {

inline constexpr int kProducers = 12;
inline constexpr int kWorkers = 12;
/// Small enough for the sanitizers.
inline constexpr std::uint64_t kMapBytes = 1ULL << 34;
inline const QueueName kQueue{"storm"};

inline std::string nonce(std::string_view session, std::uint64_t number, int index) {
  return fmt::format("{}-{}-{}", session, number, index);
}
inline std::string data_of(const std::string& nonce) {
  return fmt::format(R"({{"nonce":"{}"}})", nonce);
}

/// Sessions with an even number use custom ids. Every fourth add has two jobs.
inline AddRequest add_request(const std::string& session, std::uint64_t number) {
  AddRequest request{.queue = kQueue, .op = {SessionName(session), number}};
  const int jobs = number % 4 == 0 ? 2 : 1;
  for (int i = 0; i < jobs; ++i) {
    const std::string mark = nonce(session, number, i);
    NewJob job{.name = "storm", .data = data_of(mark)};
    if ((session.back() - '0') % 2 == 0) job.options.id = JobId("custom-" + mark);
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
