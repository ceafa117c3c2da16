#include "embedded/store_check.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/try.hpp"
#include "embedded/bytes.hpp"
#include "embedded/job_view.hpp"

namespace gaur::embedded {

namespace {

constexpr std::uint16_t kIntegerKeys = 8;  // LMDB's flag of the tree of free pages

/// A sum of hashes, which does not depend on the order: two sets of entries are equal if their sums are.
struct EntrySum {
  std::uint64_t sum = 0, count = 0;
  void add(std::string_view key, std::string_view value = {}) {
    const std::size_t seed = std::hash<std::string_view>{}(key);
    sum += seed * 0x9E3779B97F4A7C15ULL + std::hash<std::string_view>{}(value);
    ++count;
  }
  bool operator==(const EntrySum&) const = default;
};

/// The newest events record of a queue: the second place of the numbers in the queue's record.
struct NewestEvents {
  std::uint64_t next = 1;
  EventsHeader header;
};

class Checker {
 public:
  Checker(const PageFile& file, const CheckOptions& options, const MetaPage& meta)
      : file_(file), options_(options), meta_(meta), walk_(file, meta.last_page + 1, options.go_on) {}

  Result<StoreCheck> run();

 private:
  void check_metas();
  void check_free_pages();
  Status check_format(const std::map<std::string, TreeRecord>& tables);
  void check_tables(const std::map<std::string, TreeRecord>& tables);
  void check_entry(Table table, const Node& node);
  bool value_of(Table table, const Node& node, std::string_view& value);
  void check_meta_record(const Node& node, std::string_view value);
  void check_state(std::string_view key, std::string_view value);
  void check_body(std::string_view key, std::string_view value, bool whole);
  void check_ready(std::string_view key, std::string_view value);
  void check_frame(Magic magic, std::string_view key, std::string_view value, std::string_view what);
  void compare_sums();
  void compare_queues();
  std::uint32_t format() const { return check_.format ? check_.format->version : kDiskFormat; }

  const PageFile& file_;
  const CheckOptions& options_;
  const MetaPage& meta_;
  TreeWalk walk_;
  StoreCheck check_;
  std::string buffer_;
  std::optional<GlobalRecord> global_;
  /// By table: the entries that the states demand, and those in the file.
  std::array<EntrySum, kTables> demanded_{}, found_{};
  EntrySum states_, bodies_;
  std::map<QueueNumber, std::array<std::uint64_t, kAllStates.size()>> counts_;
  std::map<QueueNumber, std::array<JobNumber, 2>> highest_;
  std::map<QueueNumber, NewestEvents> events_;
};

EntrySum& of(std::array<EntrySum, kTables>& sums, Table table) {
  return sums[static_cast<std::size_t>(table)];
}

Result<StoreCheck> Checker::run() {
  check_.transaction = meta_.transaction;
  check_metas();
  std::map<std::string, TreeRecord> tables;
  walk_.walk("main", meta_.tables, TreeWalk::Keys::kBytes, check_.structure, [&](const Node& node) {
    const auto tree = node.flags == Node::kTree ? decode_tree(node.value) : std::nullopt;
    if (tree) tables.emplace(node.key, *tree);
    if (!tree) check_.structure.add(fmt::format("{} is not a table", node.key));
  });
  GAUR_CHECK(check_format(tables));
  check_tables(tables);
  check_free_pages();
  check_.complete = !walk_.stopped();
  check_.pages_read = walk_.pages_read();
  if (check_.complete && check_.structure.empty()) {
    if (check_.records.empty()) compare_sums();
    compare_queues();
    check_.sets_disagree = !check_.structure.empty();
  }
  return std::move(check_);
}

void Checker::check_metas() {
  const auto& [even, odd] = file_.metas();
  if (!even || !odd) {
    check_.structure.add("a meta page is damaged");
  } else if (!file_.metas_agree()) {
    check_.structure.add(
        fmt::format("the meta pages have the transactions {} and {}", even->transaction, odd->transaction));
  }
  if (meta_.free_pages.flags != kIntegerKeys || meta_.tables.flags != 0)
    check_.structure.add("a meta page has damaged flags");
}

/// Free pages that are in use would be overwritten.
void Checker::check_free_pages() {
  walk_.walk("free pages", meta_.free_pages, TreeWalk::Keys::kNumbers, check_.structure,
             [&](const Node& node) {
               std::string value(node.value);
               const bool read = (node.flags & Node::kBig) == 0 || file_.read_value(node, value);
               ByteReader r(value);
               const auto count = r.number<std::uint64_t>();
               if (!read || count != r.rest().size() / 8 || r.rest().size() % 8 != 0)
                 return check_.structure.add("a list of free pages is damaged");
               for (std::uint64_t i = 0; i < count; ++i) {
                 const auto page = r.number<std::uint64_t>();
                 // A free page may be beyond the end of the file: LMDB writes a page when it first uses it.
                 const bool beyond = page >= file_.pages() && page <= meta_.last_page;
                 if (!beyond && !walk_.use(page))
                   return check_.structure.add(fmt::format("page {} is free and in use", page));
               }
             });
}

Status Checker::check_format(const std::map<std::string, TreeRecord>& tables) {
  const auto meta = tables.find("meta");
  if (meta == tables.end()) return ok();
  TreeWalk first(file_, meta_.last_page + 1);
  Damages ignored;
  first.walk("meta", meta->second, TreeWalk::Keys::kBytes, ignored, [&](const Node& node) {
    if (node.key == kFormatKey) check_.format = decode_format(node.value, node.key);
  });
  if (!check_.format) {
    check_.structure.add("the format record is missing or damaged");
    return ok();
  }
  return check_version(check_.format->version);
}

void Checker::check_tables(const std::map<std::string, TreeRecord>& tables) {
  for (std::size_t i = 0; i < kTables; ++i) {
    const auto table = static_cast<Table>(i);
    const std::string name(table_name(table));
    const bool old =
        (format() < 2 && table == Table::kByFunction) || (format() < 3 && table == Table::kSessions);
    const auto found = tables.find(name);
    if (found == tables.end()) {
      if (!old) check_.structure.add(fmt::format("the table {} is missing", name));
      continue;
    }
    if (found->second.flags != 0 || found->second.pad != 0)
      check_.structure.add(fmt::format("the record of table {} is damaged", name));
    walk_.walk(name, found->second, TreeWalk::Keys::kBytes, check_.structure,
               [&](const Node& node) { check_entry(table, node); });
  }
  for (const auto& [name, tree] : tables) {
    if (is_table(name)) continue;
    if (name != "lanes" || format() >= 3)
      check_.structure.add(fmt::format("there is an unknown table {}", name));
    walk_.walk(name, tree, TreeWalk::Keys::kBytes, check_.structure, [](const Node&) {});
  }
}

/// The value. Of a large one only what the check needs: all of it in the tables meta, state and events, the
/// first page of a body, which contains the id, and nothing of the others. False: it cannot be read.
bool Checker::value_of(Table table, const Node& node, std::string_view& value) {
  value = node.value;
  if ((node.flags & Node::kBig) == 0) return true;
  const bool payload =
      table == Table::kBody || table == Table::kParts || table == Table::kLogs || table == Table::kSessions;
  std::size_t at_most = SIZE_MAX;
  if (payload && !options_.large_values)
    at_most = table == Table::kBody ? file_.page_bytes() - kPageHeaderBytes : 0;
  const bool read = file_.read_value(node, buffer_, at_most);
  value = buffer_;
  return read;
}

void Checker::check_entry(Table table, const Node& node) {
  std::string_view value;
  if (!value_of(table, node, value)) return check_.records.add("a large value cannot be read");
  const bool whole = value.size() == node.value_bytes;
  switch (table) {
    case Table::kMeta: return check_meta_record(node, value);
    case Table::kBody: return check_body(node.key, value, whole);
    case Table::kState: return check_state(node.key, value);
    case Table::kReady: return check_ready(node.key, value);
    case Table::kByFunction: return of(found_, table).add(node.key);
    case Table::kIds:
    case Table::kDelayed:
    case Table::kActive:
    case Table::kFinished: return of(found_, table).add(node.key, value);
    case Table::kParts:
      if (whole) check_frame(Magic::kPart, node.key, value, "a part of a job");
      return;
    case Table::kLogs:
      if (whole) check_frame(Magic::kLog, node.key, value, "a log line");
      return;
    case Table::kSessions:
      if (whole) check_frame(Magic::kSession, node.key, value, "a session");
      return;
    case Table::kEvents: {
      const auto header = decode_events_header(value, node.key, format());
      if (whole && !header) return check_.records.add("the log of events is damaged");
      if (header) events_[u32_at(node.key, 0)] = {u64_at(node.key, 4) + header->count, *header};
      return;
    }
    case Table::kCount_: return;
  }
}

void Checker::check_frame(Magic magic, std::string_view key, std::string_view value, std::string_view what) {
  if (!open_record(value, magic, key)) check_.records.add(damaged(what, key).message);
}

void Checker::check_meta_record(const Node& node, std::string_view value) {
  const std::string_view key = node.key;
  const auto add = [&](std::string_view what) { check_.structure.add(damaged(what, key).message); };
  if (key == kFormatKey) return;  // check_format()
  if (key == kGlobalKey) {
    global_ = decode_global(value, key);
    if (!global_) add("the global record");
  } else if (key.starts_with('q')) {
    const auto queue = decode_queue(value, key);
    if (!queue) return add("a queue");
    check_.queues.emplace(key.substr(1), *queue);
  } else if (key.starts_with('n')) {
    if (!decode_text(Magic::kName, value, key)) add("a worker's name");
  } else {
    check_.structure.add("there is an unknown record in table meta");
  }
}

void Checker::check_state(std::string_view key, std::string_view value) {
  const auto state = decode_state(value, key);
  if (!state || key.size() != 12) return check_.records.add(damaged("the state of a job", key).message);
  ++check_.jobs;
  states_.add(key);
  const JobKey job{u32_at(key, 0), u64_at(key, 4)};
  ++counts_[job.queue][static_cast<std::size_t>(state->state)];
  JobNumber& highest = highest_[job.queue][job.job >= kFirstCustomNumber ? 1 : 0];
  highest = std::max(highest, job.job);
  const Table table = set_table(state->state);
  of(demanded_, table).add(set_key(job, *state).view(), encode_job_number(job.job));
}

void Checker::check_body(std::string_view key, std::string_view value, bool whole) {
  const std::string_view id = peek_body_id(value);
  const bool intact = whole ? decode_body(value, key).has_value() : value.size() > kFrameBytes;
  if (!intact || key.size() != 12) return check_.records.add(damaged("the data of a job", key).message);
  bodies_.add(key);
  if (u64_at(key, 4) >= kFirstCustomNumber)
    of(demanded_, Table::kIds).add(id_key(u32_at(key, 0), id).view(), encode_job_number(u64_at(key, 4)));
}

void Checker::check_ready(std::string_view key, std::string_view value) {
  const auto number = decode_job_number(value);
  const auto entry = decode_ready_entry(value);
  if (key.size() != 16 || !number || (!entry && format() >= 2))
    return check_.structure.add("an entry of the ready jobs is damaged");
  of(found_, Table::kReady).add(key, encode_job_number(*number));
  if (entry) {
    of(demanded_, Table::kByFunction)
        .add(function_key(u32_at(key, 0), entry->function, priority_and_order(key)).view());
  }
}

void Checker::compare_sums() {
  if (!(states_ == bodies_))
    check_.structure.add(fmt::format("{} jobs have a state, {} have data", states_.count, bodies_.count));
  for (const Table table :
       {Table::kIds, Table::kReady, Table::kByFunction, Table::kDelayed, Table::kActive, Table::kFinished}) {
    if (table == Table::kByFunction && format() < 2) continue;
    if (of(demanded_, table) == of(found_, table)) continue;
    check_.structure.add(fmt::format("table {} does not agree with the jobs ({} entries for {} jobs)",
                                     table_name(table), of(found_, table).count, of(demanded_, table).count));
  }
}

void Checker::compare_queues() {
  for (const auto& [name, queue] : check_.queues) {
    if (check_.records.empty() && counts_[queue.number] != queue.counts)
      check_.structure.add(fmt::format("the counts of queue {} do not agree with its jobs", name));
    const auto& [generated, custom] = highest_[queue.number];
    const JobNumber last_custom = custom < kFirstCustomNumber ? 0 : custom - kFirstCustomNumber;
    if (generated > queue.last_id || last_custom > queue.last_custom)
      check_.structure.add(fmt::format("queue {} has jobs above its highest number {}", name, queue.last_id));
    if (!global_ || queue.number > global_->last_queue)
      check_.structure.add(fmt::format("queue {} is above the highest queue number", name));
    const NewestEvents newest = events_[queue.number];
    if (format() < 4 || !check_.records.empty()) continue;
    if (const auto problem = contradiction(queue, newest.next, newest.header))
      check_.structure.add(fmt::format("queue {}: {}", name, *problem));
  }
  for (const auto& [number, counts] : counts_) {
    const auto has_number = [wanted = number](const auto& entry) { return entry.second.number == wanted; };
    if (std::ranges::none_of(check_.queues, has_number) &&
        std::ranges::any_of(counts, [](auto n) { return n > 0; }))
      check_.structure.add(fmt::format("queue {} has jobs but no record", number));
  }
}

}  // namespace

Result<StoreCheck> check_store(const PageFile& file, const CheckOptions& options) {
  const MetaPage* meta = file.newest();
  if (options.transaction) {
    const auto& found = file.metas()[*options.transaction % 2];
    meta = found && found->transaction == *options.transaction ? &*found : nullptr;
  }
  if (meta == nullptr || file.bytes() == 0)
    return Error{Errc::kCorrupt, file.bytes() == 0
                                     ? "the data file has length 0"
                                     : "both meta pages are damaged, or it is not a data file of Gaur"};
  return Checker(file, options, *meta).run();
}

std::string damage_advice() {
  return "restore a backup with `gaur restore FILE --replace`, or save what can be read with `gaur doctor "
         "--salvage NEW_FOLDER`";
}

}  // namespace gaur::embedded
