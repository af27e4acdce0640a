#include "plaudit/model/kv_cache.h"

#include <ATen/ops/zeros.h>

#include "plaudit/model/decode_linear.h"

namespace plaudit::decode {

template <class T>
KvCache<T>::KvCache(CacheShape shape) : shape_(std::move(shape)), depth_(round_up(shape_.head_dim, 2)) {
  head_elements_ = kBlockKeys * (depth_ + round_up(shape_.head_dim, kPanel));
  for (const auto window : shape_.windows) {
    size_t g = 0;
    while (g < groups_.size() && groups_[g].window != window) ++g;
    if (g == groups_.size()) groups_.push_back({.window = window});
    place_.emplace_back(g, groups_[g].layers++);
  }
}

template <class T>
int64_t KvCache<T>::open() {
  sequences_[next_].tables.resize(groups_.size());
  return next_++;
}

template <class T>
int64_t KvCache<T>::fork(int64_t parent) {
  auto& from = sequences_.at(parent);
  // Both append to new blocks, so that the layout, and with it every rounding, does not depend on which of
  // them is still there.
  from.sealed = true;
  for (size_t g = 0; g < groups_.size(); ++g)
    for (const auto& entry : from.tables[g]) ++groups_[g].references[entry.block];
  const Sequence copy = from;
  sequences_[next_] = copy;
  return next_++;
}

template <class T>
void KvCache<T>::close(int64_t sequence) {
  const auto found = sequences_.find(sequence);
  for (size_t g = 0; g < groups_.size(); ++g)
    for (const auto& entry : found->second.tables[g]) release(groups_[g], entry.block);
  sequences_.erase(found);
}

template <class T>
void KvCache<T>::extend(int64_t sequence, int64_t n) {
  auto& s = sequences_.at(sequence);
  for (size_t g = 0; g < groups_.size(); ++g) {
    auto& table = s.tables[g];
    bool fresh = s.sealed || table.empty();
    for (int64_t left = n, position = s.length; left > 0;) {
      if (fresh || table.back().count == kBlockKeys) table.push_back({take(groups_[g]), position, 0});
      fresh = false;
      const auto taken = std::min(left, kBlockKeys - table.back().count);
      table.back().count += taken;
      position += taken;
      left -= taken;
    }
  }
  s.sealed = s.sealed && n == 0;
  s.length += n;
}

template <class T>
void KvCache<T>::trim(int64_t sequence) {
  auto& s = sequences_.at(sequence);
  for (size_t g = 0; g < groups_.size(); ++g) {
    if (groups_[g].window == 0) continue;
    auto& table = s.tables[g];
    size_t passed = 0;
    // The next query, at position length, sees the keys after length - window.
    while (passed < table.size() &&
           table[passed].first + table[passed].count <= s.length - groups_[g].window + 1)
      release(groups_[g], table[passed++].block);
    table.erase(table.begin(), table.begin() + static_cast<int64_t>(passed));
  }
}

template <class T>
void KvCache<T>::write(int64_t sequence, int64_t layer, int64_t head, int64_t position, const float* k,
                       const float* v) {
  const auto [g, l] = place_[layer];
  const auto& table = sequences_.at(sequence).tables[g];
  auto entry = table.rbegin();
  while (entry->first > position) ++entry;
  constexpr int64_t pair = sizeof(T) == sizeof(float) ? 1 : 2;
  const int64_t key = position - entry->first;
  T* keys = data(groups_[g], entry->block, l, head);
  T* panel = keys + key / kPanel * kPanel * depth_ + key % kPanel * pair;
  for (int64_t d = 0; d < shape_.head_dim; ++d)
    panel[d / pair * kPanel * pair + d % pair] = narrowed<T>(k[d]);
  T* values = keys + kBlockKeys * depth_ + key / pair * kPanel * pair + key % pair;
  for (int64_t d = 0; d < shape_.head_dim; ++d)
    values[d / kPanel * kPanel * kBlockKeys + d % kPanel * pair] = narrowed<T>(v[d]);
}

template <class T>
void KvCache<T>::blocks(int64_t sequence, int64_t layer, int64_t head, std::vector<KeyBlock<T>>& out) const {
  const auto [g, l] = place_[layer];
  out.clear();
  for (const auto& entry : sequences_.at(sequence).tables[g]) {
    const T* keys = data(groups_[g], entry.block, l, head);
    out.push_back({keys, keys + kBlockKeys * depth_, entry.first, entry.count});
  }
}

template <class T>
int64_t KvCache<T>::used_blocks() const {
  int64_t used = 0;
  for (const auto& group : groups_) used += static_cast<int64_t>(group.blocks.size() - group.free.size());
  return used;
}

template <class T>
int64_t KvCache<T>::take(Group& group) {
  if (group.free.empty()) {
    // Zeros, because keys that are not filled yet are multiplied by a weight of zero.
    group.blocks.push_back(at::zeros({group.layers, shape_.kv_heads, head_elements_}, kScalarType<T>));
    group.references.push_back(0);
    group.free.push_back(static_cast<int64_t>(group.blocks.size()) - 1);
  }
  const auto block = group.free.back();
  group.free.pop_back();
  group.references[block] = 1;
  return block;
}

template <class T>
void KvCache<T>::release(Group& group, int64_t block) {
  if (--group.references[block] == 0) group.free.push_back(block);
}

template <class T>
T* KvCache<T>::data(const Group& group, int64_t block, int64_t layer, int64_t head) const {
  return static_cast<T*>(group.blocks[block].data_ptr()) + (layer * shape_.kv_heads + head) * head_elements_;
}

template class KvCache<float>;
template class KvCache<Bf16>;

}  // namespace plaudit::decode
