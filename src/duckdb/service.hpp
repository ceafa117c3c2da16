#pragma once
// Runs jobs one after the other: from a `run` frame to the one frame that answers it.
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "duckdb/encoder.hpp"
#include "duckdb/frames_io.hpp"
#include "duckdb/instance.hpp"
#include "duckdb/parameters.hpp"
#include "duckdb/result_file.hpp"
#include "duckdb/result_room.hpp"
#include "duckdb/run_control.hpp"
#include "duckdb/sources.hpp"
#include "duckdb/spec.hpp"
#include "duckdb/sql_policy.hpp"
#include "duckdb/statement.hpp"

namespace gaur::duckdb {

struct ServiceOptions {
  std::filesystem::path scratch;  ///< this runner's own folder for spill
  std::filesystem::path out;      ///< for result files
  std::size_t threads = 1;        ///< where a frame does not say
  std::uint64_t memory = 0;       ///< bytes, where a frame does not say; 0: the machine's
  bool renewed = false;           ///< the program was started anew in its process
};

/// Thread-safety: confined to the thread that runs jobs.
class Service {
 public:
  Service(const Api& api, const Spec& spec, ServiceOptions options, RunControl& control);
  ~Service();

  /// Opens the database ahead of the first job. A failure is not kept: the first job tries again and tells
  /// it.
  Run<Unit> warm_up();
  /// The process is about to be replaced: removes the spill, closes nothing.
  void abandon();
  struct Reply {
    std::string frame;   ///< without its newline
    bool renew = false;  ///< the process is worn or broken: the next run needs a fresh one
    bool leave = false;  ///< a source is out of this process's reach: it must end
  };
  Reply run(const Frame& frame);

 private:
  struct Call;  // one run, from its frame
  struct Output {
    std::string result;  // JSON
    std::string file;    // the frame's `file` member, or ""
    json::Object details;
  };
  struct Gathered;
  struct Brought;
  /// The job goes back to its queue, and this process ends.
  Reply leave(const std::string& run, const std::string& lost);
  /// Before each run: closes the instance if a file that it reads was replaced.
  Run<Unit> refresh_sources();
  Run<Output> answer(const Call& call);
  Run<Output> answer_named(const Function& function, const Call& call);
  Run<Output> answer_ad_hoc(const Function& function, const Call& call);
  Run<Output> answer_planned(const Function& function, const Call& call);
  /// In an instance of the job's own.
  Run<Output> run_isolated(const Function& function, const Call& call, const Brought& brought);
  Run<Output> answer_brought(Instance& instance, const Function& function, const Brought& brought);
  static Run<Brought> take_brought(const std::optional<json::RawValue>& body);
  Run<Output> answer_query(Instance& instance, const Function& function, Connection& connection,
                           Statement& statement);
  using NextChunk = std::function<Run<Chunk>()>;
  Run<Gathered> gather(const Function& function, const ResultRoom& room, const NextChunk& next,
                       RowEncoder& encoder);
  Run<WrittenFile> write_file(Instance& instance, const Function& function, const NextChunk& next,
                              RowEncoder& encoder, Gathered& gathered, const std::vector<LogicalType>& types);
  Run<Unit> match_patterns(const Function& function, const Given& given, duckdb_connection connection);
  Run<Instance*> instance_for(const Call& call);
  Run<std::unique_ptr<Instance>> open_instance(const Call& call);
  void close_instance(std::unique_ptr<Instance>& instance);
  void tidy_up();

  const Api& api_;
  Spec spec_;  // its paths are resolved anew when what they lead to changes
  const ServiceOptions options_;
  RunControl& control_;
  SqlPolicy policy_;
  Sources sources_;
  bool sources_stale_ = false;  // changed, and not open again
  std::uint64_t opened_ = 0;    // instances; names their spill folders
  std::uint64_t results_ = 0;
  std::int64_t rss_after_trim_ = 0;
  std::unique_ptr<Instance> instance_;  // for named functions
};

}  // namespace gaur::duckdb
