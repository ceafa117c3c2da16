#include <fmt/format.h>

#include "base/name_text.hpp"
#include "http/handlers.hpp"
#include "http/paths.hpp"
#include "http/waiting.hpp"

namespace gaur::http {

namespace {

std::string_view media_type(std::string_view format) {
  if (format == "parquet") return "application/vnd.apache.parquet";
  if (format == "csv") return "text/csv; charset=utf-8";
  if (format == "ndjson") return "application/x-ndjson";
  if (format == "json") return "application/json";
  if (format == "arrow") return "application/vnd.apache.arrow.file";
  return "application/octet-stream";
}

/// The URL was written with the base path of its time, which may have changed since. A result that another
/// program wrote in this form for another URL is an ordinary result.
bool has_own_file(const Job& job) {
  return job.result_file && !job.result_file->is_link &&
         job.result_file->url.ends_with(result_path({job.queue, job.id}));
}

/// Changes with the content: each file that a run writes has another expiry.
std::string etag_of(const JobRef& job, const ResultFile& file) {
  return fmt::format("\"{}-{:x}-{:x}\"", percent_encode(job.id.value), to_ms(file.expires_at), file.bytes);
}

std::string plain_name(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    out += plain ? c : '_';
  }
  return out;
}

void answer_file(const ExchangePtr& exchange, const JobRef& job, const ResultFile& file) {
  Response response;
  response.content_type = media_type(file.format);
  const std::string etag = etag_of(job, file);
  response.headers.push_back({"ETag", etag});
  response.headers.push_back({"Accept-Ranges", "bytes"});
  const std::string* known = exchange->request.header("if-none-match");
  if (known != nullptr && (*known == "*" || known->find(etag) != std::string::npos)) {
    response.status = 304;
    return exchange->reply(std::move(response));
  }
  FileSlice slice{file.path, 0, file.bytes};
  const std::string* range = exchange->request.header("range");
  const std::string* if_range = exchange->request.header("if-range");
  if (range != nullptr && (if_range == nullptr || *if_range == etag)) {
    const auto [verdict, part] = parse_range(*range, file.bytes);
    if (verdict == RangeVerdict::kUnsatisfiable) {
      Problem problem =
          make_problem(416, "range_not_satisfiable", fmt::format("the file has {} bytes", file.bytes));
      problem.headers.push_back({"Content-Range", fmt::format("bytes */{}", file.bytes)});
      return refuse(exchange, problem);
    }
    if (verdict == RangeVerdict::kPart) {
      response.status = 206;
      slice.offset = part.offset;
      slice.length = part.length;
      response.headers.push_back({"Content-Range", fmt::format("bytes {}-{}/{}", part.offset,
                                                               part.offset + part.length - 1, file.bytes)});
    }
  }
  response.headers.push_back(
      {"Content-Disposition", fmt::format("attachment; filename=\"{}-{}.{}\"", plain_name(job.queue.value),
                                          plain_name(job.id.value), plain_name(file.format))});
  response.file = std::move(slice);
  exchange->reply(std::move(response));
}

Problem gone(std::string detail, const std::string& path) {
  Problem problem = problem_of({Errc::kNotFound, std::move(detail)}, path);
  problem.status = 410;
  problem.code = "gone";
  return problem;
}

void find_and_answer(Service& service, const ExchangePtr& exchange, const JobRef& job,
                     const std::string& path) {
  const ResultFiles* files = service.parts().files;
  const auto file = files == nullptr
                        ? Result<ResultFile>(Error{Errc::kNotFound, "this host stores no result files"})
                        : files->find(job);
  if (file) return answer_file(exchange, job, *file);
  if (file.error().code != Errc::kNotFound) return refuse(exchange, problem_of(file.error(), path));
  refuse(exchange, gone("the result file is gone: it expired or was removed. Run the job again", path));
}

void answer_result(Service& service, const ExchangePtr& exchange, const Job& job) {
  const std::string path = job_path({job.queue, job.id});
  if (job.state == State::kFailed) return refuse(exchange, problem_of_failure(job, path));
  if (job.state != State::kCompleted) {
    const std::string detail =
        fmt::format("the job is {}; it has no result yet. Ask with ?wait=10s", to_string(job.state));
    return refuse(exchange, problem_of({Errc::kNotInState, detail}, path));
  }
  if (!has_own_file(job)) {
    const std::string result = result_json(job);
    return answer_json(exchange, result.empty() ? "null" : result);
  }
  find_and_answer(service, exchange, {job.queue, job.id}, path);
}

}  // namespace

void get_result(Service& service, const ExchangePtr& exchange) {
  with_waited_job(service, exchange,
                  [&service, exchange](const Job& job) { answer_result(service, exchange, job); });
}

/// A signed link needs no token. Its job may have been removed.
void get_signed_file(Service& service, const ExchangePtr& exchange) {
  const auto job = job_of(exchange);
  if (!job) return;
  const std::string* expires = query_value(*exchange, "expires");
  const std::string* signature = query_value(*exchange, "signature");
  const std::string target = exchange->request.target;
  const std::string path = target.substr(0, target.find('?'));
  if (!service.parts().link_check || expires == nullptr || signature == nullptr) {
    return refuse(
        exchange,
        Error{Errc::kPermission,
              "the link lacks `expires` or `signature`; use the complete link from the job's result"});
  }
  const Status holds = service.parts().link_check(*job, *expires, *signature);
  if (!holds && holds.error().code == Errc::kTimeout)
    return refuse(exchange, gone("the link has expired. Run the job again", path));
  if (!holds) return refuse(exchange, holds.error());
  find_and_answer(service, exchange, *job, path);
}

}  // namespace gaur::http
