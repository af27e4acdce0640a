#include "plaudit/data/bpe.h"

#include <fmt/format.h>

#include <bit>

#include "plaudit/core/errors.h"
#include "plaudit/data/byte_level.h"
#include "plaudit/data/normalizer.h"
#include "plaudit/data/unicode.h"

namespace plaudit {
namespace {

constexpr uint64_t kEmpty = ~uint64_t{0};

uint64_t pair_of(int32_t left, int32_t right) {
  return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
}

// Ids are dense in every real vocabulary; a stray huge one must not allocate without bound.
size_t table_size(const BpeOptions& options, const std::string& where) {
  int64_t largest = -1;
  const auto limit = static_cast<int64_t>(options.vocab.size()) * 2 + (1 << 20);
  for (const auto& [token, id] : options.vocab) {
    if (id < 0 || id > limit)
      fail(ErrorKind::value, where,
           fmt::format("the id of '{}' must be in [0, {}], got {}", token, limit, id));
    largest = std::max(largest, id);
  }
  return static_cast<size_t>(largest + 1);
}

}  // namespace

BpeModel::Table::Table(size_t pairs) {
  const size_t size = std::bit_ceil(2 * pairs + 2);
  slots_.assign(size, {kEmpty, 0, 0});
  shift_ = 64 - std::countr_zero(size);
}

size_t BpeModel::Table::slot_of(uint64_t pair) const {
  size_t slot = (pair * 0x9E3779B97F4A7C15ULL) >> shift_;
  while (slots_[slot].pair != pair && slots_[slot].pair != kEmpty) slot = (slot + 1) & (slots_.size() - 1);
  return slot;
}

void BpeModel::Table::put(uint64_t pair, int32_t rank, int32_t id) {
  slots_[slot_of(pair)] = {pair, rank, id};
}

bool BpeModel::Table::find(uint64_t pair, Merge& merge) const {
  const auto& slot = slots_[slot_of(pair)];
  if (slot.pair == kEmpty) return false;
  merge = {static_cast<double>(slot.rank), slot.id};
  return true;
}

BpeModel::BpeModel(BpeOptions options, const std::string& where)
    : options_(std::move(options)),
      tokens_(table_size(options_, where)),
      merges_(options_.merges.size()),
      whole_(tokens_.size()) {
  read_vocab(where);
  read_merges(where);
  options_.vocab = {};  // the tables hold all that encoding needs
  options_.merges = {};
}

// The form in which the token is stored: bytes when byte-level; nothing when it is no byte characters.
std::optional<std::string> BpeModel::stored(std::string_view token) const {
  return options_.byte_level ? bytes_of_characters(token) : std::string(token);
}

void BpeModel::read_vocab(const std::string& where) {
  for (const auto& [token, id] : options_.vocab) {
    auto& slot = tokens_[static_cast<size_t>(id)];
    const auto bytes = stored(token);
    slot = bytes ? *bytes : token;
    if (!bytes) other_ids_[token] = static_cast<int32_t>(id);
  }
  for (const auto& [token, id] : options_.vocab) {  // views are taken once the strings have come to rest
    if (other_ids_.count(token) == 0) ids_[tokens_[static_cast<size_t>(id)]] = static_cast<int32_t>(id);
  }
  for (size_t b = 0; b < byte_ids_.size(); ++b) {
    const auto name =
        options_.byte_level ? std::string(1, static_cast<char>(b)) : fmt::format("<0x{:02X}>", b);
    byte_ids_[b] = lookup(name);
    if (byte_ids_[b] < 0 && !options_.byte_level)
      fail(ErrorKind::value, where, "byte_fallback needs the token '" + name + "' in the vocabulary");
  }
  if (options_.unk_token.empty()) return;
  const auto unk = find(options_.unk_token);
  if (!unk) fail(ErrorKind::value, where, "the vocabulary lacks the unk_token '" + options_.unk_token + "'");
  unk_id_ = static_cast<int32_t>(*unk);
}

void BpeModel::read_merges(const std::string& where) {
  for (size_t rank = 0; rank < options_.merges.size(); ++rank) {
    const auto& [left, right] = options_.merges[rank];
    const auto id_of = [&, &left = left, &right = right](const std::string& token) {
      const auto bytes = stored(token);
      const int32_t id = bytes ? lookup(*bytes) : -1;
      if (id < 0)
        fail(ErrorKind::value, where,
             fmt::format("merges[{}] ('{}', '{}') needs the token '{}', which the vocabulary lacks", rank,
                         left, right, token));
      return id;
    };
    merges_.put(pair_of(id_of(left), id_of(right)), static_cast<int32_t>(rank), id_of(left + right));
    merges_fingerprint_.add(left);
    merges_fingerprint_.add(right);
  }
}

int32_t BpeModel::lookup(std::string_view stored_token) const {
  const auto found = ids_.find(stored_token);
  return found == ids_.end() ? -1 : found->second;
}

void BpeModel::encode(std::string_view piece, std::vector<int64_t>& ids) const {
  const int32_t id = lookup(piece);
  if (id < 0) return encode_by_merging(piece, ids);
  auto whole = options_.ignore_merges ? WholeTokens::Answer::yes : whole_.get(id);
  if (whole == WholeTokens::Answer::unknown) {
    std::vector<int64_t> merged;
    encode_by_merging(piece, merged);
    whole_.set(id, merged.size() == 1 && merged[0] == id);
    whole = whole_.get(id);
  }
  if (whole == WholeTokens::Answer::yes)
    ids.push_back(id);
  else
    encode_by_merging(piece, ids);
}

std::vector<Symbol> BpeModel::start_symbols(std::string_view piece) const {
  std::vector<Symbol> symbols;
  symbols.reserve(piece.size());
  const auto put_byte = [&](size_t at) {
    int32_t id = byte_ids_[static_cast<uint8_t>(piece[at])];
    if (id < 0) id = unk_id_;
    const bool fuses = options_.fuse_unk && id == unk_id_ && !symbols.empty() && symbols.back().id == unk_id_;
    if (id >= 0 && !fuses) symbols.push_back({static_cast<uint32_t>(at), 1, id});
  };
  for (size_t pos = 0; pos < piece.size();) {
    const size_t begin = pos;
    if (options_.byte_level) {
      put_byte(pos++);
      continue;
    }
    next_code_point(piece, pos);
    const int32_t id = lookup(piece.substr(begin, pos - begin));
    if (id >= 0) {
      symbols.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(pos - begin), id});
    } else {
      for (size_t at = begin; at < pos; ++at) put_byte(at);
    }
  }
  return symbols;
}

void BpeModel::encode_by_merging(std::string_view piece, std::vector<int64_t>& ids) const {
  auto symbols = start_symbols(piece);
  merge_symbols(symbols, [this](const Symbol& left, const Symbol& right, Merge& merge) {
    return merges_.find(pair_of(left.id, right.id), merge);
  });
  for (const auto& symbol : symbols) ids.push_back(symbol.id);
}

std::string BpeModel::token_bytes(int64_t id) const {
  if (id < 0 || id >= vocab_size()) return "";
  const auto& token = tokens_[static_cast<size_t>(id)];
  if (options_.byte_level) return token;
  const int byte = byte_of_token(token);
  if (byte >= 0) return std::string(1, static_cast<char>(byte));
  return replace_all(token, kSpaceMark, " ");
}

std::optional<int64_t> BpeModel::find(std::string_view token) const {
  if (const auto other = other_ids_.find(std::string(token)); other != other_ids_.end()) return other->second;
  const auto bytes = stored(token);
  const int32_t id = bytes ? lookup(*bytes) : -1;
  return id < 0 ? std::nullopt : std::optional<int64_t>(id);
}

void BpeModel::describe(Fingerprint& fingerprint) const {
  fingerprint.add("bpe");
  for (const auto& token : tokens_) fingerprint.add(token);
  fingerprint.add(static_cast<int64_t>(merges_fingerprint_.value()));
  fingerprint.add(options_.byte_level);
  fingerprint.add(options_.ignore_merges);
  fingerprint.add(options_.fuse_unk);
  fingerprint.add(unk_id_);
}

}  // namespace plaudit
