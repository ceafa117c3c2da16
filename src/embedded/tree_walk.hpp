#pragma once
// Walks the B-trees of an LMDB data file and checks every page: its place, its bounds, the order of its keys,
// its counts, and that no page is used twice. Thread-safety: confined to one thread.
#include <functional>
#include <string>
#include <vector>

#include "embedded/page_file.hpp"

namespace gaur::embedded {

/// Problems that a check found: the first ones as text, and how many.
class Damages {
 public:
  static constexpr std::size_t kTexts = 20;
  void add(std::string text) {
    if (++count_ <= kTexts) texts_.push_back(std::move(text));
  }
  bool empty() const { return count_ == 0; }
  std::uint64_t count() const { return count_; }
  const std::vector<std::string>& texts() const { return texts_; }
  /// "the first problem, and N more".
  std::string summary() const;

 private:
  std::uint64_t count_ = 0;
  std::vector<std::string> texts_;
};

class TreeWalk {
 public:
  enum class Keys : std::uint8_t { kBytes, kNumbers };
  using OnEntry = std::function<void(const Node&)>;
  /// `end`: the first page number that does not exist. `go_on` is asked now and then; false ends the walk.
  TreeWalk(const PageFile& file, PageNumber end, std::function<bool()> go_on = {})
      : file_(file),
        end_(end),
        go_on_(std::move(go_on)),
        used_(std::min<PageNumber>(end, file.pages()), false) {}

  /// Calls `on_entry` for every entry that can be read, in the order of the keys. A damaged page is added to
  /// `damages` and skipped with everything below it; it then does not count as used.
  void walk(const std::string& name, const TreeRecord& tree, Keys keys, Damages& damages,
            const OnEntry& on_entry);
  /// Whether `go_on` ended a walk.
  bool stopped() const { return stopped_; }
  /// Marks a page. Returns false if it does not exist or is marked already.
  bool use(PageNumber page);
  bool is_used(PageNumber page) const { return page < used_.size() && used_[page]; }
  std::uint64_t pages_read() const { return pages_read_; }

 private:
  struct Bounds {
    std::string_view at_least, below;
    bool bounded = false;
  };
  void visit(PageNumber number, std::size_t depth, Bounds bounds);
  bool visit_leaf(const Page& page, PageNumber number, const Bounds& bounds);
  void visit_branch(const Page& page, PageNumber number, std::size_t depth, const Bounds& bounds);
  bool use_overflow(const Node& node);
  bool less(std::string_view a, std::string_view b) const;
  void damage(const std::string& text);

  const PageFile& file_;
  const PageNumber end_;
  const std::function<bool()> go_on_;
  std::vector<bool> used_;
  std::uint64_t pages_read_ = 0;
  bool stopped_ = false;

  // Of the current walk.
  std::string name_;
  TreeRecord tree_, found_;
  Keys keys_ = Keys::kBytes;
  Damages* damages_ = nullptr;
  const OnEntry* on_entry_ = nullptr;
  std::string last_key_;
  bool any_ = false, intact_ = true;
};

}  // namespace gaur::embedded
