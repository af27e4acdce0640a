// What turns one piece of normalised text into token ids. Models are immutable and thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plaudit/data/fingerprint.h"

namespace plaudit {

class SubwordModel {
 public:
  virtual ~SubwordModel() = default;

  // Appends the ids of one piece.
  virtual void encode(std::string_view piece, std::vector<int64_t>& ids) const = 0;
  // The bytes that a token writes; "" for an id that the model does not have.
  virtual std::string token_bytes(int64_t id) const = 0;
  // The id of a token as the vocabulary writes it.
  virtual std::optional<int64_t> find(std::string_view token) const = 0;
  // One more than the largest id.
  virtual int64_t vocab_size() const = 0;
  // Adds all that decides about the ids.
  virtual void describe(Fingerprint& fingerprint) const = 0;
};

// Remembers, for every token, whether its own text encodes to that token alone. Most pieces of ordinary text
// are such tokens, and need no merging from their second appearance on.
class WholeTokens {
 public:
  enum class Answer : uint8_t { unknown, yes, no };

  explicit WholeTokens(size_t size) : answers_(size) {}
  Answer get(int64_t id) const { return answers_[static_cast<size_t>(id)].load(std::memory_order_relaxed); }
  void set(int64_t id, bool whole) {
    answers_[static_cast<size_t>(id)].store(whole ? Answer::yes : Answer::no, std::memory_order_relaxed);
  }

 private:
  std::vector<std::atomic<Answer>> answers_;  // each value is a pure function of the model: races are benign
};

}  // namespace plaudit
