#include "plaudit/data/merge.h"

#include <limits>
#include <queue>

namespace plaudit {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

// A merge of the pair that starts at symbol `left`, valid while both symbols have the sizes they had.
struct Candidate {
  double priority;
  int32_t left, right;
  uint32_t size;  // of both symbols together
  int32_t id;
};

struct Later {
  bool operator()(const Candidate& a, const Candidate& b) const {
    return a.priority != b.priority ? a.priority > b.priority : a.left > b.left;
  }
};

}  // namespace

void merge_by_scan(std::vector<Symbol>& symbols, const FindMerge& find) {
  if (symbols.size() < 2) return;
  std::vector<Merge> merges(symbols.size() - 1);  // merges[i] joins symbols i and i + 1
  const auto update = [&](size_t i) {
    if (!find(symbols[i], symbols[i + 1], merges[i])) merges[i].priority = kNever;
  };
  for (size_t i = 0; i < merges.size(); ++i) update(i);
  while (!merges.empty()) {
    size_t best = 0;
    for (size_t i = 1; i < merges.size(); ++i) {
      if (merges[i].priority < merges[best].priority) best = i;
    }
    if (merges[best].priority == kNever) return;
    symbols[best].size += symbols[best + 1].size;
    symbols[best].id = merges[best].id;
    symbols.erase(symbols.begin() + static_cast<ptrdiff_t>(best) + 1);
    merges.erase(merges.begin() + static_cast<ptrdiff_t>(best));
    if (best < merges.size()) update(best);
    if (best > 0) update(best - 1);
  }
}

void merge_by_heap(std::vector<Symbol>& symbols, const FindMerge& find) {
  const auto count = static_cast<int32_t>(symbols.size());
  std::vector<int32_t> next(symbols.size()), previous(symbols.size());
  for (int32_t i = 0; i < count; ++i) {
    next[i] = i + 1 < count ? i + 1 : -1;
    previous[i] = i - 1;
  }
  std::priority_queue<Candidate, std::vector<Candidate>, Later> heap;
  const auto offer = [&](int32_t left, int32_t right) {
    Merge merge;
    if (left < 0 || right < 0 || !find(symbols[left], symbols[right], merge)) return;
    heap.push({merge.priority, left, right, symbols[left].size + symbols[right].size, merge.id});
  };
  for (int32_t i = 0; i + 1 < count; ++i) offer(i, i + 1);
  while (!heap.empty()) {
    const Candidate best = heap.top();
    heap.pop();
    // A symbol that was merged away has size 0; one that grew makes the sum differ.
    const bool stale = symbols[best.left].size == 0 || symbols[best.right].size == 0 ||
                       symbols[best.left].size + symbols[best.right].size != best.size;
    if (stale) continue;
    symbols[best.left].size = best.size;
    symbols[best.left].id = best.id;
    symbols[best.right].size = 0;
    next[best.left] = next[best.right];
    if (next[best.left] >= 0) previous[next[best.left]] = best.left;
    offer(previous[best.left], best.left);
    offer(best.left, next[best.left]);
  }
  std::erase_if(symbols, [](const Symbol& s) { return s.size == 0; });
}

void merge_symbols(std::vector<Symbol>& symbols, const FindMerge& find) {
  constexpr size_t kScanUpTo = 64;  // beyond this the heap is faster
  if (symbols.size() <= kScanUpTo)
    merge_by_scan(symbols, find);
  else
    merge_by_heap(symbols, find);
}

}  // namespace plaudit
