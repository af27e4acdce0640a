// Merging of neighbouring symbols, the core of BPE and of SentencePiece-style tokenizers.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace plaudit {

// A symbol is a range of the piece, and its token (-1 where the vocabulary has none).
struct Symbol {
  uint32_t begin = 0;
  uint32_t size = 0;
  int32_t id = -1;
};

struct Merge {
  double priority = 0;  // the smallest merges first
  int32_t id = -1;      // the token of the merged symbol
};

// Says whether two neighbours may merge, and into what.
using FindMerge = std::function<bool(const Symbol& left, const Symbol& right, Merge& merge)>;

// Merges until no pair is left: smallest priority first, the leftmost on ties.
void merge_symbols(std::vector<Symbol>& symbols, const FindMerge& find);

// The two ways to do it, with the same result: a scan over all pairs for every merge, the readable
// reference, fast on short pieces; and a heap, n log n, for long ones.
void merge_by_scan(std::vector<Symbol>& symbols, const FindMerge& find);
void merge_by_heap(std::vector<Symbol>& symbols, const FindMerge& find);

}  // namespace plaudit
