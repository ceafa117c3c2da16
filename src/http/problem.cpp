#include "http/problem.hpp"

#include "base/json_writer.hpp"
#include "http/render.hpp"

namespace gaur::http {

unsigned status_of(Errc code) {
  switch (code) {
    case Errc::kInvalidArgument: return 400;
    case Errc::kPermission: return 403;
    case Errc::kNotFound: return 404;
    case Errc::kAlreadyExists:
    case Errc::kNotInState:
    case Errc::kLockMissing:
    case Errc::kLockMismatch:
    case Errc::kBusy: return 409;
    case Errc::kTooLarge: return 413;
    case Errc::kQueueFull: return 429;
    case Errc::kUnsupported: return 501;
    case Errc::kDisconnected:
    case Errc::kStopping: return 503;
    case Errc::kTimeout: return 504;
    case Errc::kStoreFull: return 507;
    case Errc::kIo:
    case Errc::kCorrupt:
    case Errc::kNewerFormat:
    case Errc::kInternal: return 500;
  }
  return 500;
}

std::string_view reason_of(unsigned status) {
  switch (status) {
    case 200: return "OK";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    case 507: return "Insufficient Storage";
    default: return "Unknown";
  }
}

Problem make_problem(unsigned status, std::string_view code, std::string detail) {
  Problem problem;
  problem.status = status;
  problem.code = code;
  problem.detail = std::move(detail);
  return problem;
}

Problem problem_of(const Error& error, std::string instance) {
  Problem problem = make_problem(status_of(error.code), to_string(error.code), error.message);
  problem.instance = std::move(instance);
  return problem;
}

Problem problem_of_failure(const Job& job, std::string instance) {
  const Failure failure = job.failure.value_or(Failure{});
  Problem problem;
  problem.code = "job_failed";
  problem.detail = failure.message;
  problem.instance = std::move(instance);
  append_failure(problem.members.emplace_back("failure", "").second, failure);
  problem.members.emplace_back("attempts_made", std::to_string(job.attempts_made));
  if (job.usage) append_usage(problem.members.emplace_back("usage", "").second, *job.usage);
  if (failure.code == "parameter") {
    problem.status = 400;  // as for parameters that the function rejects
  } else if (failure.code == "timeout" || failure.code == "queue_timeout") {
    problem.status = 504;
  } else if (failure.code == "cancelled") {
    problem.status = 409;
  } else if (failure.code == "crashed" || failure.code == "stalled" || failure.code == "memory" ||
             failure.code == "out_of_memory" || failure.code == "processes") {
    problem.status = 500;
  } else if (failure.code == "results_full" || failure.code == "scratch_full") {
    problem.status = 507;  // as for an add when the disk is full
  } else {
    problem.status = 422;  // the function failed
  }
  return problem;
}

Response to_response(const Problem& problem) {
  Response response;
  response.status = problem.status;
  response.content_type = "application/problem+json";
  response.headers = problem.headers;
  json::ObjectWriter out(response.body);
  out.text("type", "urn:gaur:problem:" + problem.code).text("title", reason_of(problem.status));
  out.number("status", problem.status).text("detail", problem.detail);
  if (!problem.instance.empty()) out.text("instance", problem.instance);
  if (!problem.problems.empty()) out.list("problems", problem.problems, json::append_quoted);
  for (const auto& [name, value] : problem.members) out.raw(name, value);
  out.end();
  response.body += '\n';
  return response;
}

}  // namespace gaur::http
