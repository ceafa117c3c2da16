#include "duckdb/foreign_columns.hpp"

#include <fmt/format.h>

#include <limits>

#include "duckdb/encoder.hpp"

namespace gaur::duckdb {

Run<std::unique_ptr<ForeignColumns>> ForeignColumns::cast(const Api& api, Instance& instance,
                                                          RunControl& control, Statement started) {
  std::unique_ptr<ForeignColumns> columns(new ForeignColumns(api, instance, control, std::move(started)));
  if (auto done = columns->start(); !done) return fail(std::move(done).error());
  return columns;
}

ForeignColumns::ForeignColumns(const Api& api, Instance& instance, RunControl& control, Statement started)
    : api_(api),
      instance_(instance),
      control_(control),
      original_(std::move(started)),
      types_(original_.result_types()),
      connection_(api.disconnect) {
  for (std::size_t i = 0; i < types_.size(); ++i) source_.names.push_back(fmt::format("c{}", i));
  source_.types = &types_;
  source_.rows_left = std::numeric_limits<std::size_t>::max();
  source_.next = [this] { return original_.next(control_); };
}

ForeignColumns::~ForeignColumns() {
  casting_.reset();
  instance_.foreign_rows().disarm();
}

Run<Unit> ForeignColumns::start() {
  std::string list;
  for (std::size_t i = 0; i < types_.size(); ++i) {
    const auto& name = source_.names[i];
    list += i == 0 ? "" : ", ";
    list += has_foreign_type(api_, types_[i].get()) ? fmt::format("CAST({0} AS VARCHAR) AS {0}", name) : name;
  }
  auto connection = instance_.connect();
  if (!connection) return fail(std::move(connection).error());
  connection_ = *std::move(connection);
  attached_.emplace(control_, connection_.get());
  instance_.foreign_rows().arm(source_);
  const auto sql = fmt::format("SELECT {} FROM {}()", list, kForeignRowsTable);
  auto casting = Statement::prepare(api_, connection_.get(), {sql, {}}, "");
  if (!casting) return fail(std::move(casting).error());
  casting_.emplace(*std::move(casting));
  auto done = casting_->start();
  if (source_.failure) return fail(*source_.failure);  // the query's failure
  return done;
}

Run<Chunk> ForeignColumns::next(RunControl& control) {
  auto chunk = casting_->next(control);
  if (!chunk && source_.failure) return fail(*source_.failure);
  return chunk;
}

}  // namespace gaur::duckdb
