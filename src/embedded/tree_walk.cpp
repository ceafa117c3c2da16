#include "embedded/tree_walk.hpp"

#include <fmt/format.h>

#include "embedded/bytes.hpp"

namespace gaur::embedded {

namespace {
constexpr std::size_t kMaxDepth = 32;  // LMDB's limit
constexpr std::uint64_t kPagesBetweenChecks = 256;
}  // namespace

std::string Damages::summary() const {
  if (texts_.empty()) return "none";
  return count_ == 1 ? texts_.front() : fmt::format("{}, and {} more", texts_.front(), count_ - 1);
}

void TreeWalk::walk(const std::string& name, const TreeRecord& tree, Keys keys, Damages& damages,
                    const OnEntry& on_entry) {
  if (stopped_) return;
  name_ = name;
  tree_ = tree;
  found_ = {};
  keys_ = keys;
  damages_ = &damages;
  on_entry_ = &on_entry;
  any_ = false;
  intact_ = true;
  if (tree.depth > kMaxDepth) return damage(fmt::format("has depth {}", tree.depth));
  if (tree.root != kNoPage) visit(tree.root, 1, {});
  if (stopped_ || !intact_) return;
  const bool same = found_.depth == tree.depth && found_.branch_pages == tree.branch_pages &&
                    found_.leaf_pages == tree.leaf_pages && found_.overflow_pages == tree.overflow_pages &&
                    found_.entries == tree.entries;
  if (!same) {
    damage(fmt::format("has {} entries in {} pages; its record says {} in {}", found_.entries,
                       found_.leaf_pages + found_.branch_pages, tree.entries,
                       tree.leaf_pages + tree.branch_pages));
  }
}

void TreeWalk::damage(const std::string& text) {
  intact_ = false;
  damages_->add(fmt::format("table {}: {}", name_, text));
}

bool TreeWalk::use(PageNumber page) {
  if (page < 2 || page >= end_ || page >= used_.size() || used_[page]) return false;
  return used_[page] = true;
}

bool TreeWalk::use_overflow(const Node& node) {
  const std::uint64_t count = file_.overflow_pages(node.value_bytes);
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!use(node.page + i)) return false;
  }
  found_.overflow_pages += count;
  std::string start;
  return file_.read_value(node, start, 0);
}

bool TreeWalk::less(std::string_view a, std::string_view b) const {
  if (keys_ == Keys::kBytes) return a < b;
  return ByteReader(a).number<std::uint64_t>() < ByteReader(b).number<std::uint64_t>();
}

void TreeWalk::visit(PageNumber number, std::size_t depth, Bounds bounds) {
  if (++pages_read_ % kPagesBetweenChecks == 0 && go_on_ && !go_on_()) stopped_ = true;
  if (stopped_) return;
  if (depth > tree_.depth) return damage(fmt::format("page {} is below the depth of the tree", number));
  if (number >= file_.pages()) {
    return damage(fmt::format("page {} is beyond the end of the file ({} pages), which may be truncated",
                              number, file_.pages()));
  }
  if (!use(number)) return damage(fmt::format("page {} is used twice or is not allocated", number));
  std::string bytes;
  if (!file_.read(number, 1, bytes)) return damage(fmt::format("page {} cannot be read", number));
  Page page;
  std::string problem;
  if (!parse_page(bytes, number, page, problem)) return damage(problem);
  if (page.leaf != (depth == tree_.depth))
    return damage(fmt::format("page {} is at the wrong depth", number));
  if (page.leaf) {
    visit_leaf(page, number, bounds);
  } else {
    visit_branch(page, number, depth, bounds);
  }
}

/// Returns false if the page is damaged.
bool TreeWalk::visit_leaf(const Page& page, PageNumber number, const Bounds& bounds) {
  found_.depth = tree_.depth;
  ++found_.leaf_pages;
  if (page.nodes.empty()) return damage(fmt::format("page {} is empty", number)), false;
  for (const Node& node : page.nodes) {
    const bool valid_key =
        keys_ == Keys::kNumbers ? node.key.size() == sizeof(std::uint64_t) : !node.key.empty();
    const bool in_order = !any_ || less(last_key_, node.key);
    const bool in_bounds = !bounds.bounded || (!less(node.key, bounds.at_least) &&
                                               (bounds.below.empty() || less(node.key, bounds.below)));
    if (!valid_key || !in_order || !in_bounds)
      return damage(fmt::format("page {} has keys that are not in order", number)), false;
    last_key_ = node.key;
    any_ = true;
    if ((node.flags & Node::kBig) != 0 && !use_overflow(node)) {
      damage(fmt::format("the overflow page {} of a value is damaged", node.page));
      continue;
    }
    ++found_.entries;
    (*on_entry_)(node);
  }
  return true;
}

void TreeWalk::visit_branch(const Page& page, PageNumber number, std::size_t depth, const Bounds& bounds) {
  ++found_.branch_pages;
  if (page.nodes.size() < 2 && keys_ == Keys::kBytes)
    return damage(fmt::format("page {} has fewer than two children", number));
  for (std::size_t i = 0; i < page.nodes.size() && !stopped_; ++i) {
    // The first child has no key of its own: the parent's applies.
    const std::string_view from = i == 0 ? bounds.at_least : page.nodes[i].key;
    const std::string_view below = i + 1 < page.nodes.size() ? page.nodes[i + 1].key : bounds.below;
    const bool bounded = i > 0 || bounds.bounded || !below.empty();
    if (i > 0 && from.empty()) return damage(fmt::format("page {} has a child without a key", number));
    visit(page.nodes[i].page, depth + 1, {from, below, bounded});
  }
}

}  // namespace gaur::embedded
