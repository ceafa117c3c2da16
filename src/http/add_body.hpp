#pragma once
// The body of POST .../jobs as jobs. Pure.
#include <string>
#include <utility>
#include <vector>

#include "gaur/queue.hpp"

namespace gaur::http {

struct AddBody {
  std::vector<NewJob> jobs;
  /// The body was an array.
  bool many = false;
  /// All problems of the body; `jobs` is valid only if this is empty.
  std::vector<std::string> problems;
};

/// {"name": ..., "data": ..., "options": {...}} or an array of at most `most` such objects. The JSON of
/// `data` is kept byte for byte; Client::problems checks it.
AddBody parse_add_body(std::string_view body, std::size_t most);

/// The members of "options"; problems are appended, each with `where` in front ("jobs[2].options.").
JobOptions parse_options(std::string_view text, const std::string& where, std::vector<std::string>& problems);
/// The same options given as query parameters (`wait` is skipped): same rules, same messages.
JobOptions parse_query_options(const std::vector<std::pair<std::string, std::string>>& query,
                               std::vector<std::string>& problems);

}  // namespace gaur::http
