#pragma once
// Problem documents (RFC 9457): the form of every error of the API.
#include <string>
#include <string_view>
#include <vector>

#include "gaur/error.hpp"
#include "gaur/job.hpp"
#include "http/message.hpp"

namespace gaur::http {

struct Problem {
  unsigned status = 500;
  std::string code = "internal";      ///< stable, for programs: the type is "urn:gaur:problem:<code>"
  std::string detail;                 ///< for people: what failed, where, what to do
  std::string instance;               ///< the path of the affected resource; may be ""
  std::vector<std::string> problems;  ///< every mistake of the request at once; may be empty
  std::string members;                ///< further members as JSON text without braces; may be ""
  std::vector<Header> headers;        ///< Retry-After, Allow, WWW-Authenticate ...
};

unsigned status_of(Errc code);
std::string_view reason_of(unsigned status);  ///< "Not Found"

Problem problem_of(const Error& error, std::string instance = {});
/// A failed job, as the answer to a request that waited for its result.
Problem problem_of_failure(const Job& job, std::string instance);
Response to_response(const Problem& problem);

}  // namespace gaur::http
