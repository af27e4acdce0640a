// Byte-pair encoding (Sennrich et al. 2016; byte-level: Radford et al. 2019).
//
// A piece starts as single bytes (byte-level) or characters; the neighbouring pair with the lowest merge
// rank merges, the leftmost on ties, until no pair of the list is left.
#pragma once

#include <array>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "plaudit/data/merge.h"
#include "plaudit/data/subword_model.h"

namespace plaudit {

struct BpeOptions {
  // Tokens and merges as the file writes them (byte-level: in GPT-2's byte characters).
  std::vector<std::pair<std::string, int64_t>> vocab;
  std::vector<std::pair<std::string, std::string>> merges;  // by rank
  bool byte_level = true;      // else characters, with tokens <0x00> to <0xFF> for those that are unknown
  bool ignore_merges = false;  // a whole piece that is in the vocabulary is one token
  bool fuse_unk = false;       // neighbouring unknown bytes become one unknown token
  // Stands for a byte that the vocabulary lacks; without it such a byte is dropped, as the `tokenizers`
  // library does (the tokenizer of SmolLM2 lacks six control characters).
  std::string unk_token;
};

class BpeModel : public SubwordModel {
 public:
  // UserError when a merge names a token that the vocabulary lacks; `where` starts the message.
  BpeModel(BpeOptions options, const std::string& where);

  void encode(std::string_view piece, std::vector<int64_t>& ids) const override;
  std::string token_bytes(int64_t id) const override;
  std::optional<int64_t> find(std::string_view token) const override;
  int64_t vocab_size() const override { return static_cast<int64_t>(tokens_.size()); }
  void describe(Fingerprint& fingerprint) const override;

 private:
  // The merges, from a pair of ids: open addressing, at most half full.
  class Table {
   public:
    explicit Table(size_t pairs);
    void put(uint64_t pair, int32_t rank, int32_t id);
    bool find(uint64_t pair, Merge& merge) const;

   private:
    struct Slot {
      uint64_t pair;
      int32_t rank, id;
    };
    size_t slot_of(uint64_t pair) const;
    std::vector<Slot> slots_;
    int shift_;
  };

  void read_vocab(const std::string& where);
  void read_merges(const std::string& where);
  std::optional<std::string> stored(std::string_view token) const;
  int32_t lookup(std::string_view stored_token) const;
  void encode_by_merging(std::string_view piece, std::vector<int64_t>& ids) const;
  std::vector<Symbol> start_symbols(std::string_view piece) const;

  BpeOptions options_;
  // Tokens as bytes (byte-level) or characters; those that are no byte characters as they are.
  std::vector<std::string> tokens_;
  std::unordered_map<std::string_view, int32_t> ids_;   // of tokens that pieces can become
  std::unordered_map<std::string, int32_t> other_ids_;  // byte-level: of tokens that are no byte characters
  std::array<int32_t, 256> byte_ids_;                   // -1 where the vocabulary lacks the byte
  int32_t unk_id_ = -1;
  Table merges_;
  Fingerprint merges_fingerprint_;
  mutable WholeTokens whole_;
};

}  // namespace plaudit
