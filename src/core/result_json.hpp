#pragma once
// The JSON text of a job's result: what Bull's `returnvalue` contains, what events carry, and what HTTP
// clients read. A result file is its last member:
//   {"rows":8,"file":{"url":...,"format":...,"bytes":...,"rows":...,"expires_at":"2026-11-22T09:00:00Z"}}
// and a link is all of it:
//   {"url":...,"bytes":...,"format":...,"expires":"2026-11-22T09:00:00Z"}
// Thread-safety: pure functions.
#include <optional>
#include <string>

#include "gaur/job.hpp"

namespace gaur {

/// `result` is copied byte for byte; beside a file it must be the text of a JSON object.
std::string result_json(const std::string& result, const std::optional<ResultFileInfo>& file);
/// Sets `job.result` and `job.result_file` from a text that result_json() wrote. Any other text becomes the
/// result unchanged. In every case result_json(job) returns `text` again.
void set_result(Job& job, std::string text);

}  // namespace gaur
