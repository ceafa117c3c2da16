#include "http/add_body.hpp"

#include <fmt/format.h>

#include "base/duration_text.hpp"
#include "base/json.hpp"
#include "base/number_rule.hpp"
#include "base/utf8.hpp"
#include "http/slices.hpp"
#include "http/values.hpp"

namespace gaur::http {

namespace {

constexpr std::size_t kMostProblems = 100;

/// One member of "options", with what an error message about it needs.
class Member {
 public:
  Member(std::string where, const json::Value& value, std::vector<std::string>& problems)
      : where_(std::move(where)), value_(value), problems_(problems) {}

  std::optional<std::uint64_t> whole(std::uint64_t least, std::uint64_t most) const {
    const auto number = json::whole_number(value_);
    if (number && *number >= 0 && std::cmp_greater_equal(*number, least) &&
        std::cmp_less_equal(*number, most))
      return static_cast<std::uint64_t>(*number);
    problem(whole_number_rule(least, most, shown(value_)));
    return std::nullopt;
  }
  /// Milliseconds, or a text like "10s".
  std::optional<Duration> duration() const {
    if (const auto ms = json::whole_number(value_))
      return Duration(*ms);  // Client::problems checks its range
    const std::string text = value_.is_string() ? std::string(value_.get_string()) : shown(value_);
    const auto parsed = parse_duration(text, BareNumber::kMilliseconds);
    if (parsed) return *parsed;
    problem(parsed.error().message);
    return std::nullopt;
  }
  std::optional<bool> flag() const {
    if (value_.is_bool()) return value_.get_bool();
    complain("true or false");
    return std::nullopt;
  }
  std::optional<std::string> text() const {
    if (value_.is_string()) return std::string(std::string_view(value_.get_string()));
    complain("a text");
    return std::nullopt;
  }
  /// Calls `one(key, Member)` for each member of an object; `one` returns false for an
  /// unknown key.
  template <class One>
  void each(std::string_view known, One one) const {
    const json::Object* object = value_.if_object();
    if (object == nullptr) return complain("an object");
    for (const auto& [key, inner] : *object) {
      const std::string name(std::string_view(key.data(), key.size()));
      if (!one(name, Member(where_ + "." + name, inner, problems_))) {
        problems_.push_back(
            fmt::format("{}.{}: unknown; known are {}", where_, json::is_utf8(name) ? name : "?", known));
      }
    }
  }
  const json::Value& value() const { return value_; }
  void complain(std::string_view wanted) const {
    problem(fmt::format("{} is expected, was {}", wanted, utf8_prefix(shown(value_), 80)));
  }
  void problem(std::string_view message) const {
    problems_.push_back(fmt::format("{}: {}", where_, message));
  }

 private:
  /// As JSON, doubles in their usual form.
  static std::string shown(const json::Value& value) {
    return value.is_double() ? fmt::format("{}", value.get_double()) : json::serialize(value);
  }

  std::string where_;
  const json::Value& value_;
  std::vector<std::string>& problems_;
};

template <class Target, class Value>
bool put(Target& target, Value value) {
  if (value) target = static_cast<Target>(*value);
  return true;
}

/// true: remove at once; false: keep; a number: keep so many; {"count", "age"}: both limits.
std::optional<Retention> parse_retention(const Member& member) {
  Retention keep;
  if (member.value().is_bool()) {
    if (member.value().get_bool()) keep.count = 0;
  } else if (member.value().is_number()) {
    keep.count = member.whole(0, 1'000'000'000);
  } else {
    member.each("count, age", [&](const std::string& key, const Member& inner) {
      if (key == "count") {
        keep.count = inner.whole(0, 1'000'000'000);
      } else if (key == "age") {
        const auto age = inner.duration();
        if (age && *age % std::chrono::seconds(1) != Duration{0})
          inner.problem(fmt::format("whole seconds are expected, was {} ms", age->count()));
        if (age) keep.age = std::chrono::duration_cast<std::chrono::seconds>(*age);
      } else {
        return false;
      }
      return true;
    });
  }
  return keep;
}

Backoff parse_backoff(const Member& member) {
  Backoff backoff;
  if (member.value().is_number() ||
      member.value().is_string()) {  // as in BullMQ: a plain number is a fixed delay
    put(backoff.delay, member.duration());
    return backoff;
  }
  member.each("type, delay, jitter", [&](const std::string& key, const Member& inner) {
    if (key == "delay") return put(backoff.delay, inner.duration());
    if (key == "type") {
      const auto type = inner.text();
      if (type == "exponential") {
        backoff.kind = Backoff::Kind::kExponential;
      } else if (type && *type != "fixed") {
        inner.complain("\"fixed\" or \"exponential\"");
      }
      return true;
    }
    if (key != "jitter") return false;
    if (inner.value().is_double() || inner.value().is_int64()) {
      backoff.jitter = inner.value().is_double() ? inner.value().get_double()
                                                 : static_cast<double>(inner.value().get_int64());
    } else {
      inner.complain("a number from 0 to 1");
    }
    return true;
  });
  return backoff;
}

Deduplication parse_deduplication(const Member& member) {
  Deduplication out;
  member.each("id, ttl, extend, replace, keep_last_if_active",
              [&](const std::string& key, const Member& inner) {
                if (key == "id") return put(out.id, inner.text());
                if (key == "ttl") return put(out.ttl, inner.duration());
                if (key == "extend") return put(out.extend, inner.flag());
                if (key == "replace") return put(out.replace, inner.flag());
                if (key == "keep_last_if_active") return put(out.keep_last_if_active, inner.flag());
                return false;
              });
  return out;
}

bool parse_option(JobOptions& out, const std::string& key, const Member& member) {
  if (key == "id") {
    if (auto id = member.text()) out.id = JobId(*std::move(id));
    return true;
  }
  if (key == "delay") return put(out.delay, member.duration());
  if (key == "priority") return put(out.priority, member.whole(0, kMaxPriority));
  if (key == "lifo") return put(out.lifo, member.flag());
  if (key == "attempts") return put(out.attempts, member.whole(1, kMaxAttempts));
  if (key == "keep_logs") return put(out.keep_logs, member.whole(0, 1'000'000));
  if (key == "stack_trace_limit") return put(out.stack_trace_limit, member.whole(0, 1'000));
  if (key == "timestamp") {
    if (const auto ms = member.whole(0, 253'402'300'799'999))
      out.timestamp = from_ms(static_cast<std::int64_t>(*ms));
    return true;
  }
  if (key == "timeout") {
    out.timeout = member.duration();
  } else if (key == "queue_timeout") {
    out.queue_timeout = member.duration();
  } else if (key == "backoff") {
    out.backoff = parse_backoff(member);
  } else if (key == "on_complete") {
    out.on_complete = parse_retention(member);
  } else if (key == "on_fail") {
    out.on_fail = parse_retention(member);
  } else if (key == "deduplication") {
    out.deduplication = parse_deduplication(member);
  } else {
    return false;
  }
  return true;
}

constexpr std::string_view kKnownOptions =
    "id, delay, priority, lifo, attempts, backoff, timestamp, timeout, queue_timeout, on_complete, on_fail, "
    "keep_logs, "
    "stack_trace_limit, deduplication";

/// A key or text: a JSON string literal as its text.
std::optional<std::string> literal(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.find('\\') == std::string_view::npos) {
    const std::string_view inside = text.substr(1, text.size() - 2);
    const bool plain = std::all_of(inside.begin(), inside.end(),
                                   [](unsigned char c) { return c >= 0x20 && c < 0x80 && c != '"'; });
    if (plain && text.back() == '"') return std::string(inside);
  }
  const auto parsed = json::parse(text);
  if (!parsed || !parsed->is_string()) return std::nullopt;
  return std::string(std::string_view(parsed->get_string()));
}

void parse_job(std::string_view text, const std::string& where, AddBody& out) {
  const auto members = split_object(text);
  if (!members) {
    out.problems.push_back(where + members.error().message);
    out.jobs.push_back({"?", "{}", {}});  // keeps the numbering of the others
    return;
  }
  NewJob job;
  bool name = false, data = false, options = false;
  for (const auto& [raw_key, value] : *members) {
    const auto key = literal(raw_key);
    const auto once = [&](bool& seen) {
      if (seen) out.problems.push_back(fmt::format("{}{}: given twice", where, *key));
      seen = true;
    };
    if (key == "name") {
      once(name);
      if (auto parsed = literal(value)) {
        job.name = *std::move(parsed);
      } else {
        out.problems.push_back(
            fmt::format("{}name: a text is expected, was {}", where, utf8_prefix(value, 80)));
        job.name = "?";  // reported once
      }
    } else if (key == "data") {
      once(data);
      job.data = value;
    } else if (key == "options") {
      once(options);
      job.options = parse_options(value, where + "options", out.problems);
    } else {
      out.problems.push_back(
          fmt::format("{}{}: unknown; known are name, data, options", where, key.value_or("?")));
    }
  }
  if (!name) {
    out.problems.push_back(where + "name: is missing; it names the function to run");
    job.name = "?";  // reported once
  }
  out.jobs.push_back(std::move(job));
}

}  // namespace

JobOptions parse_options(std::string_view text, const std::string& where,
                         std::vector<std::string>& problems) {
  JobOptions out;
  const auto parsed = json::parse(text);
  if (!parsed) {
    problems.push_back(where + ": " + parsed.error().message);
    return out;
  }
  Member(where, *parsed, problems).each(kKnownOptions, [&](const std::string& key, const Member& member) {
    return parse_option(out, key, member);
  });
  return out;
}

JobOptions parse_query_options(const std::vector<std::pair<std::string, std::string>>& query,
                               std::vector<std::string>& problems) {
  JobOptions out;
  for (const auto& [key, text] : query) {
    if (key == "wait") continue;
    const auto number = key == "id" ? std::nullopt : parse_number(text);
    const json::Value value = number ? json::Value(static_cast<std::int64_t>(*number)) : json::Value(text);
    parse_option(out, key, Member(key, value, problems));
  }
  return out;
}

AddBody parse_add_body(std::string_view body, std::size_t most) {
  AddBody out;
  // The JSON library reports errors better than the splitter: with line and column of the whole body.
  const auto explain = [&](const Error& found) {
    json::ParseLimits limits;
    limits.max_bytes = body.size();
    const auto whole = json::parse(body, limits);
    out.problems.push_back("body: " + (whole ? found : whole.error()).message);
  };
  if (first_char(body) != '[') {
    if (const auto object = split_object(body); !object) {
      explain(object.error());
    } else {
      parse_job(body, "", out);
    }
    return out;
  }
  out.many = true;
  const auto elements = split_array(body);
  if (!elements) {
    explain(elements.error());
    return out;
  }
  if (elements->size() > most) {
    out.problems.push_back(
        fmt::format("body: at most {} jobs in one request, was {}", most, elements->size()));
    return out;
  }
  out.jobs.reserve(elements->size());
  for (std::size_t i = 0; i < elements->size(); ++i) {
    if (out.problems.size() >= kMostProblems) break;
    parse_job((*elements)[i], fmt::format("jobs[{}].", i), out);
  }
  return out;
}

}  // namespace gaur::http
