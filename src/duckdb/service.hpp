#pragma once
// Runs jobs one after the other: from a `run` frame to its outcome frame.
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "duckdb/encoder.hpp"
#include "duckdb/frames.hpp"
#include "duckdb/instance.hpp"
#include "duckdb/parameters.hpp"
#include "duckdb/result_budget.hpp"
#include "duckdb/result_file.hpp"
#include "duckdb/run_control.hpp"
#include "duckdb/sources.hpp"
#include "duckdb/spec.hpp"
#include "duckdb/sql_policy.hpp"
#include "duckdb/statement.hpp"

namespace gaur::duckdb {

struct ServiceOptions {
  /// this runner's folder for spill.
  std::filesystem::path scratch;
  /// For result files.
  std::filesystem::path out;
  /// Of runs whose frame has none.
  std::size_t threads = 1;
  /// The same, in bytes; 0: the machine's.
  std::uint64_t memory = 0;
  /// The program was executed again in its process.
  bool renewed = false;
};

/// Thread-safety: confined to the thread that runs jobs.
class Service {
 public:
  Service(const Api& api, const Spec& spec, ServiceOptions options, RunControl& control);
  ~Service();

  /// Opens the database before the first job. On failure the first job tries again and reports it.
  Run<Unit> warm_up();
  /// Removes the spill before the process is renewed; closes nothing.
  void abandon();
  struct Reply {
    /// Without its newline.
    std::string frame;
    /// The process must be renewed before the next run.
    bool renew = false;
    /// this process cannot read a replaced source: it must exit.
    bool leave = false;
  };
  Reply run(const Frame& frame);

 private:
  struct Call;  // one run, from its frame
  struct Output {
    std::string result;  // JSON
    std::string file;    // JSON, or ""
    json::Object details;
  };
  struct Gathered;
  struct AdHocSql;
  /// Snoozes the job and ends the process.
  Reply leave(const std::string& run, const std::string& lost);
  /// Before each run: closes the instance if a file that it reads was replaced.
  Run<Unit> refresh_sources();
  Run<Output> answer(const Call& call);
  Run<Output> answer_named(const Function& function, const Call& call);
  Run<Output> answer_ad_hoc(const Function& function, const Call& call);
  Run<Output> answer_planned(const Function& function, const Call& call);
  /// In a separate instance for this job.
  Run<Output> run_isolated(const Function& function, const Call& call, const AdHocSql& query);
  Run<Output> answer_ad_hoc_sql(Instance& instance, const Function& function, const AdHocSql& query);
  static Run<AdHocSql> read_ad_hoc_sql(const std::optional<json::RawValue>& body);
  Run<Output> answer_query(Instance& instance, const Function& function, Connection& connection,
                           Statement& statement);
  using NextChunk = std::function<Run<Chunk>()>;
  Run<Gathered> gather(const Function& function, const ResultBudget& budget, const NextChunk& next,
                       RowEncoder& encoder);
  Run<WrittenFile> write_file(Instance& instance, const Function& function, const NextChunk& next,
                              RowEncoder& encoder, Gathered& gathered, const std::vector<LogicalType>& types);
  Run<Unit> match_patterns(const Function& function, const Given& given, duckdb_connection connection);
  Run<Instance*> instance_for(const Call& call);
  Run<std::unique_ptr<Instance>> open_instance(const Call& call);
  void close_instance(std::unique_ptr<Instance>& instance);
  void tidy_up();

  const Api& api_;
  Spec spec_;  // its paths are resolved again when their targets change
  const ServiceOptions options_;
  RunControl& control_;
  SqlPolicy policy_;
  Sources sources_;
  bool sources_stale_ = false;  // changed, and not reopened yet
  std::uint64_t opened_ = 0;    // instances opened; names their spill folders
  std::uint64_t results_ = 0;
  std::int64_t rss_after_trim_ = 0;
  std::unique_ptr<Instance> instance_;  // for named functions
};

}  // namespace gaur::duckdb
