#pragma once
// Problem documents (RFC 9457): what every error of the API looks like.
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
  std::string detail;                 ///< for people: what, where, what to do
  std::string instance;               ///< the path of what it is about; may be ""
  std::vector<std::string> problems;  ///< every mistake of the request at once; may be empty
  std::string members;                ///< further members as JSON text without braces; may be ""
  std::vector<Header> headers;        ///< Retry-After, Allow, WWW-Authenticate ...
};

unsigned status_of(Errc code);
std::string_view reason_of(unsigned status);  ///< "Not Found"

Problem problem_of(const Error& error, std::string instance = {});
/// A job that failed, as the answer to somebody who waited for its result.
Problem problem_of_failure(const Job& job, std::string instance);
Response to_response(const Problem& problem);

}  // namespace gaur::http
