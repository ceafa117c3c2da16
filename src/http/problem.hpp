#pragma once
// Problem documents (RFC 9457): the form of every error of the API.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gaur/error.hpp"
#include "gaur/job.hpp"
#include "http/message.hpp"

namespace gaur::http {

struct Problem {
  unsigned status = 500;
  /// Stable, for programs: the type is "urn:gaur:problem:<code>".
  std::string code = "internal";
  /// For people: what failed, where, what to do.
  std::string detail;
  /// The path of the affected resource; may be "".
  std::string instance;
  /// Every mistake of the request at once; may be empty.
  std::vector<std::string> problems;
  /// Further members: name and JSON.
  std::vector<std::pair<std::string_view, std::string>> members;
  /// Retry-After, Allow, WWW-Authenticate ...
  std::vector<Header> headers;
};

unsigned status_of(Errc code);
/// "Not Found".
std::string_view reason_of(unsigned status);

Problem make_problem(unsigned status, std::string_view code, std::string detail);
Problem problem_of(const Error& error, std::string instance = {});
/// The response to a request that waited for the result of a job that failed.
Problem problem_of_failure(const Job& job, std::string instance);
Response to_response(const Problem& problem);

}  // namespace gaur::http
