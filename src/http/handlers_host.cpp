#include <fmt/format.h>

#include "base/duration_text.hpp"
#include "base/json_writer.hpp"
#include "base/prometheus_text.hpp"
#include "http/handlers.hpp"
#include "http/render.hpp"
#include "http/service.hpp"

namespace gaur::http {

void list_functions(Service& service, const ExchangePtr& exchange) {
  auto functions = service.client().functions().functions;
  if (const auto& caller = exchange->caller) {
    std::erase_if(functions, [&](const auto& named) {
      return !caller->may_use_queue(named.second.queue.value) || !caller->may_use_function(named.first.value);
    });
  }
  answer_json(exchange, json::object([&](json::ObjectWriter& out) {
                out.list("functions", functions,
                         [](std::string& text, const auto& named) { append_function(text, named.second); });
              }));
}

void get_host(Service& service, const ExchangePtr& exchange) {
  if (!service.parts().host) {
    return refuse(exchange,
                  Error{Errc::kNotFound, "this server runs no jobs; send the request to a host that does"});
  }
  service.then(service.parts().host(),
               [exchange](const HostStatus& host) { answer_json(exchange, render_host(host)); });
}

namespace {

/// Answers with the host's status after a request changed it.
void answer_status(Service& service, const ExchangePtr& exchange, unsigned status) {
  if (!service.parts().host) return answer_json(exchange, "{}\n", status);
  service.then(service.parts().host(), [exchange, status](const HostStatus& host) {
    answer_json(exchange, render_host(host), status);
  });
}

Error no_control(std::string_view verb) {
  return {Errc::kUnsupported, fmt::format("this host takes no jobs, so there is nothing to {}", verb)};
}

}  // namespace

void quiet_host(Service& service, const ExchangePtr& exchange) {
  if (!service.parts().control.quiet) return refuse(exchange, no_control("quiet"));
  service.parts().control.quiet();
  answer_status(service, exchange, 200);
}

void resume_host(Service& service, const ExchangePtr& exchange) {
  if (!service.parts().control.resume) return refuse(exchange, no_control("resume"));
  service.parts().control.resume();
  answer_status(service, exchange, 200);
}

void leave_host(Service& service, const ExchangePtr& exchange) {
  if (!service.parts().control.leave) return refuse(exchange, no_control("leave"));
  Duration patience = service.parts().leave_patience;
  if (const std::string* text = query_value(*exchange, "patience")) {
    const auto given = parse_duration(*text, BareNumber::kMilliseconds);
    if (!given) return refuse(exchange, given.error().in("patience"));
    patience = *given;
  }
  service.parts().control.leave(patience);
  answer_status(service, exchange, 202);
}

void get_health(Service& /*service*/, const ExchangePtr& exchange) {
  answer_json(exchange, json::object([](json::ObjectWriter& out) { out.text("status", "ok"); }) + "\n");
}

void get_readiness(Service& service, const ExchangePtr& exchange) {
  const auto answer = [exchange](bool is_ready, const std::vector<std::string>& reasons) {
    const std::string body = json::object([&](json::ObjectWriter& out) {
      out.flag("ready", is_ready).list("reasons", reasons, json::append_quoted);
    });
    answer_json(exchange, body + "\n", is_ready ? 200 : 503);
  };
  if (service.stopping()) return answer(false, {"this host is stopping"});
  if (!service.parts().host) return answer(true, {});
  service.then(service.parts().host(),
               [answer](const HostStatus& host) { answer(host.ready && !host.stopping, host.not_ready); });
}

namespace {

std::string host_gauges(const HostStatus& host) {
  std::string out;
  const auto gauge = [&](std::string_view name, std::string_view help, double value) {
    prometheus::append_gauge(out, name, help, {{{}, value}});
  };
  gauge("gaur_cores", "Cores that may be granted.", host.cores);
  gauge("gaur_cores_granted", "Cores granted to runs now.", host.cores_granted);
  gauge("gaur_memory_bytes", "Memory that may be granted.", static_cast<double>(host.memory_bytes));
  gauge("gaur_memory_granted_bytes", "Memory granted to runs now.", static_cast<double>(host.memory_granted));
  gauge("gaur_slots", "Concurrent runs of functions with default needs.", host.slots);
  gauge("gaur_runs", "Runs now.", static_cast<double>(host.runs.size()));
  gauge("gaur_spill_bytes", "Disk that runners use now.", static_cast<double>(host.spill_bytes));
  gauge("gaur_spill_max_bytes", "Its bound; 0: none.", static_cast<double>(host.spill_max_bytes));
  gauge("gaur_results_bytes", "Disk that result files use.", static_cast<double>(host.results_bytes));
  gauge("gaur_results_max_bytes", "Its bound; 0: none.", static_cast<double>(host.results_max_bytes));
  gauge("gaur_disk_free_bytes", "Free on the disk of the data folder.",
        static_cast<double>(host.disk_free_bytes));
  gauge("gaur_store_bytes", "Bytes that the embedded store uses in its file.",
        static_cast<double>(host.store_bytes));
  gauge("gaur_store_reserved_bytes", "Disk reserved for the results, logs and events of active jobs.",
        static_cast<double>(host.store_reserved_bytes));
  gauge("gaur_store_full", "1 while the store's disk is full and adds are rejected.",
        host.store_full ? 1 : 0);
  gauge("gaur_ready", "1 while the host takes jobs and can run them.", host.ready ? 1 : 0);
  gauge("gaur_mixed_queues", "Bull queues that BullMQ clients also use (GET /v1/host: warnings).",
        static_cast<double>(host.mixed_queues.size()));
  gauge("gaur_refused_queues", "Queues from which this host takes no jobs (GET /v1/host: refused_queues).",
        static_cast<double>(host.refused_queues.size()));
  return out;
}

}  // namespace

void get_metrics(Service& service, const ExchangePtr& exchange) {
  service.then(service.client().metrics(), [&service, exchange](Result<std::string> text) {
    if (!text) return refuse(exchange, text.error());
    Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = *std::move(text);
    prometheus::append_gauge(response.body, "gaur_http_waits",
                             "Requests that wait and open event streams; at most 512.",
                             {{{}, static_cast<double>(service.waits())}});
    if (!service.parts().host) return exchange->reply(std::move(response));
    service.then(service.parts().host(), [exchange, response](const HostStatus& host) {
      Response full = response;
      full.body += host_gauges(host);
      exchange->reply(std::move(full));
    });
  });
}

}  // namespace gaur::http
