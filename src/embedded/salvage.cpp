#include "embedded/salvage.hpp"

#include <fmt/format.h>

#include <set>

#include "base/files.hpp"
#include "base/try.hpp"
#include "embedded/bytes.hpp"
#include "embedded/job_view.hpp"
#include "embedded/space_guard.hpp"
#include "embedded/store_check.hpp"
#include "embedded/store_folder.hpp"

namespace gaur::embedded {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kMapBytes = 1ULL << 40;
constexpr std::uint64_t kRecordsInTransaction = 20'000;
/// LMDB keeps the changed pages in memory until the commit.
constexpr std::uint64_t kBytesInTransaction = 64 << 20;

/// A kind of record that is saved. The others (sets, events, format) are rebuilt.
struct SavedKind {
  Magic magic;
  Table table;
  /// 0: variable.
  std::size_t key_bytes;
};
constexpr std::array kSavedKinds{
    SavedKind{Magic::kBody, Table::kBody, 12},
    SavedKind{Magic::kState, Table::kState, 12},
    SavedKind{Magic::kPart, Table::kParts, 13},
    SavedKind{Magic::kLog, Table::kLogs, 20},
    SavedKind{Magic::kSession, Table::kSessions, 0},
    SavedKind{Magic::kQueue, Table::kMeta, 0},
    SavedKind{Magic::kName, Table::kMeta, 5},
    SavedKind{Magic::kGlobal, Table::kMeta, kGlobalKey.size()},
};

const SavedKind* kind_of(std::string_view record) {
  const auto magic = ByteReader(record).number<std::uint32_t>();
  for (const SavedKind& kind : kSavedKinds) {
    if (static_cast<std::uint32_t>(kind.magic) == magic) return &kind;
  }
  return nullptr;
}

/// Whether `a` is the later state of a job.
bool is_later(const JobState& a, const JobState& b) {
  const auto rank = [](const JobState& s) {
    return std::tuple(s.attempts_started, s.attempts_made, s.finished_on, s.processed_on, s.order);
  };
  return rank(a) > rank(b);
}

class Salvage {
 public:
  Salvage(const PageFile& file, LmdbEnv& env)
      : file_(file), env_(env), walk_(file, std::max<PageNumber>(file.pages(), end_of(file))) {}

  Status run(SalvageReport& report) {
    GAUR_TRY(txn_, Txn::begin(env_, Txn::Mode::kWrite));
    if (const MetaPage* meta = file_.newest()) walk_trees(*meta);
    report.may_contain_removed_jobs = !free_pages_known_;
    for (PageNumber page = 2; page < file_.pages() && failure_ == 0; ++page) {
      if (!walk_.is_used(page)) read_lost_leaf(page);
    }
    for (PageNumber page = 2; page < file_.pages() && failure_ == 0; ++page) {
      if (!walk_.is_used(page)) read_damaged_page(page);
    }
    return commit();
  }

 private:
  static PageNumber end_of(const PageFile& file) {
    const MetaPage* meta = file.newest();
    return meta == nullptr || meta->last_page > file.pages() * 2 ? 0 : meta->last_page + 1;
  }

  void walk_trees(const MetaPage& meta) {
    Damages damages;
    std::vector<TreeRecord> tables;
    walk_.walk("main", meta.tables, TreeWalk::Keys::kBytes, damages, [&](const Node& node) {
      const auto tree = node.flags == Node::kTree ? decode_tree(node.value) : std::nullopt;
      if (tree) tables.push_back(*tree);
    });
    for (const TreeRecord& table : tables) {
      walk_.walk("", table, TreeWalk::Keys::kBytes, damages,
                 [this](const Node& node) { take_node(node, false); });
    }
    Damages in_free_pages;
    walk_.walk("free", meta.free_pages, TreeWalk::Keys::kNumbers, in_free_pages, [&](const Node& node) {
      std::string value(node.value);
      const bool read = (node.flags & Node::kBig) == 0 || file_.read_value(node, value);
      if (!read || value.size() % 8 != 0) return in_free_pages.add("a list of free pages");
      ByteReader r(value);
      r.number<std::uint64_t>();
      while (!r.at_end()) walk_.use(r.number<std::uint64_t>());
    });
    free_pages_known_ = in_free_pages.empty();
  }

  void take_node(const Node& node, bool lost_page) {
    if ((node.flags & Node::kTree) != 0) return;
    if ((node.flags & Node::kBig) == 0) return take(node.key, node.value, lost_page);
    std::string value;
    if (file_.read_value(node, value)) take(node.key, value, lost_page);
  }

  /// A leaf that no intact tree reaches. Its large values count as used, so that read_damaged_page() does not
  /// search them.
  void read_lost_leaf(PageNumber number) {
    std::string bytes;
    Page page;
    std::string ignored;
    if (!file_.read(number, 1, bytes) || !parse_page(bytes, number, page, ignored) || !page.leaf) return;
    walk_.use(number);
    for (const Node& node : page.nodes) {
      take_node(node, true);
      if ((node.flags & Node::kBig) == 0) continue;
      for (std::uint64_t i = 0; i < file_.overflow_pages(node.value_bytes); ++i) walk_.use(node.page + i);
    }
  }

  void read_damaged_page(PageNumber number) {
    std::string bytes;
    if (!file_.read(number, 1, bytes)) return;
    // Between the node offsets and the nodes there may be left-overs of removed records.
    const std::string_view view(bytes);
    for (std::size_t at = nodes_begin(view); (at = view.find("Gau", at)) != std::string_view::npos; ++at)
      take_frame(view, at);
  }

  /// The key precedes the frame, and its length precedes the key.
  void take_frame(std::string_view page, std::size_t at) {
    const std::string_view frame = page.substr(at);
    const SavedKind* const kind = kind_of(frame);
    if (kind == nullptr || frame.size() < kFrameBytes) return;
    const auto length = ByteReader(frame.substr(8)).number<std::uint32_t>();
    if (length > frame.size() - kFrameBytes) return;
    const std::string_view record = frame.substr(0, kFrameBytes + length);
    if (kind->key_bytes > 0) {
      if (at >= kind->key_bytes) take(page.substr(at - kind->key_bytes, kind->key_bytes), record, true);
      return;
    }
    for (std::size_t bytes = 1; bytes <= kMaxKeyBytes && bytes + 2 <= at; ++bytes) {
      if (ByteReader(page.substr(at - bytes - 2, 2)).number<std::uint16_t>() == bytes)
        take(page.substr(at - bytes, bytes), record, true);
    }
  }

  void take(std::string_view key, std::string_view record, bool lost_page) {
    if (failure_ != 0) return;
    const SavedKind* const kind = kind_of(record);
    if (kind == nullptr || !open_record(record, kind->magic, key)) return;
    if (kind->key_bytes > 0 && key.size() != kind->key_bytes) return;
    if (lost_page) {
      if (const auto known = txn_->get(kind->table, key)) {
        if (kind->table != Table::kState || !lost_states_.contains(std::string(key))) return;
        const auto before = decode_state(*known, key), now = decode_state(record, key);
        if (!before || !now || !is_later(*now, *before)) return;
      }
      if (kind->table == Table::kState) lost_states_.emplace(key);
    }
    txn_->put(kind->table, key, record);
    bytes_ += record.size();
    if (++records_ >= kRecordsInTransaction || bytes_ >= kBytesInTransaction) failure_ = renew();
  }

  int renew() {
    records_ = bytes_ = 0;
    if (const int code = txn_->commit(); code != 0) return code;
    auto next = Txn::begin(env_, Txn::Mode::kWrite);
    if (!next) return EIO;
    txn_ = *std::move(next);
    return 0;
  }

  Status commit() {
    if (failure_ == 0) failure_ = txn_->commit();
    return failure_ == 0 ? ok() : Status(lmdb_error("cannot write the new store", failure_));
  }

  const PageFile& file_;
  LmdbEnv& env_;
  TreeWalk walk_;
  std::unique_ptr<Txn> txn_;
  bool free_pages_known_ = false;
  /// States that were found in lost pages: a later one replaces them.
  std::set<std::string> lost_states_;
  /// Of the open transaction.
  std::uint64_t records_ = 0, bytes_ = 0;
  int failure_ = 0;
};

Status check_new_store(const fs::path& store) {
  GAUR_TRY(const PageFile file, PageFile::open(data_file(store).string()));
  GAUR_TRY(const StoreCheck check, check_store(file, {.large_values = true}));
  if (check.sound()) return ok();
  return Error{Errc::kInternal, "the new store is not sound: " + problems_of(check).summary()};
}

Result<SalvageReport> write_new_store(const PageFile& file, const fs::path& made, Now now) {
  SalvageReport report;
  const auto check = check_store(file);
  if (!check && check.error().code == Errc::kNewerFormat) return check.error();
  report.may_contain_old_states = (check && check->sets_disagree) || !file.metas_agree();
  GAUR_CHECK(make_folders(made, 0750));
  GAUR_CHECK(allocate_lock_file(made));
  {
    GAUR_TRY(const auto env, LmdbEnv::open({made, kMapBytes, false, true}));
    GAUR_TRY(auto engine, Engine::open(*env, Semantics::bullmq(), now));
    engine.reset();
    Status written = Salvage(file, *env).run(report);
    if (written) written = rebuild_store(*env, report, now);
    if (written && report.jobs == 0 && file.newest() == nullptr)
      return Error{Errc::kCorrupt, "the file contains no record of a job, so that there is nothing to save"};
    if (!written) return SpaceGuard(*env, 0, kMapBytes).explain(written.error(), kBytesInTransaction);
    if (const int code = mdb_env_sync(env->get(), 1); code != 0)
      return lmdb_error("cannot sync the store", code);
  }
  GAUR_CHECK(check_new_store(made));
  GAUR_CHECK(sync_folder(made));
  return report;
}

}  // namespace

Result<SalvageReport> salvage(const PageFile& file, const fs::path& folder, Now now) {
  const fs::path store = store_path(folder), made = new_store_path(folder);
  std::error_code ignored;
  if (fs::exists(store, ignored) || fs::exists(folder / "store-id", ignored))
    return Error{Errc::kAlreadyExists,
                 fmt::format("{} contains a store; choose a new folder", folder.string())};
  const bool existed = fs::exists(folder, ignored);
  fs::remove_all(made, ignored);
  auto report = write_new_store(file, made, now);
  const Status done = report ? rename_durably(made, store) : Status(report.error());
  if (done) return report;
  fs::remove_all(made, ignored);
  if (!existed) fs::remove(folder, ignored);
  if (done.error().code == Errc::kCorrupt) return done.error();
  return done.error().in(fmt::format("cannot write the new store {}", made.string()));
}

}  // namespace gaur::embedded
