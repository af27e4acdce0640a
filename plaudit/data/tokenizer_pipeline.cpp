#include "plaudit/data/tokenizer_pipeline.h"

#include "plaudit/data/unicode.h"

namespace plaudit {

PipelineTokenizer::PipelineTokenizer(TokenizerParts parts)
    : parts_(std::move(parts)), added_(std::move(parts_.added), parts_.token_normalizer) {
  vocab_size_ = parts_.model->vocab_size();
  for (const auto& [id, token] : added_.all()) vocab_size_ = std::max(vocab_size_, id + 1);
  bos_id_ = parts_.bos_id;
  pad_id_ = parts_.pad_id;
  unk_id_ = parts_.unk_id;
  stop_ids_ = parts_.stop_ids;
  add_bos_ = bos_id_ >= 0 && !parts_.prefix.empty() && parts_.prefix.front() == bos_id_;
  add_eos_ = !parts_.suffix.empty();
  strips_leading_space_ = parts_.strips_leading_space;
  chat_template_ = parts_.chat_template;
  source_ = parts_.source;
  fingerprint_ = compute_fingerprint();
}

std::vector<int64_t> PipelineTokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  std::vector<int64_t> ids;
  if (is_valid_utf8(text))
    encode_plain(text, options.parse_special, ids);
  else
    encode_plain(repair_utf8(text), options.parse_special, ids);
  if (!options.add_special) return ids;
  const auto around = static_cast<int64_t>(parts_.prefix.size() + parts_.suffix.size());
  if (parts_.max_length > 0 && static_cast<int64_t>(ids.size()) > parts_.max_length - around)
    ids.resize(static_cast<size_t>(parts_.max_length - around));
  // A sentence encoder's [CLS] ... [SEP] go around whatever the text holds.
  const bool is_bos = add_bos_ || parts_.suffix.empty();
  const bool has_bos = is_bos && ids.size() >= parts_.prefix.size() &&
                       std::equal(parts_.prefix.begin(), parts_.prefix.end(), ids.begin());
  if (!has_bos) ids.insert(ids.begin(), parts_.prefix.begin(), parts_.prefix.end());
  ids.insert(ids.end(), parts_.suffix.begin(), parts_.suffix.end());
  return ids;
}

// Cuts at the tokens that are looked for in raw text, then normalises what lies between them.
void PipelineTokenizer::encode_plain(std::string_view text, bool parse_special,
                                     std::vector<int64_t>& ids) const {
  for (const auto& part : added_.split(text, /*normalized=*/false, parse_special)) {
    const bool first = part.text.data() == text.data();
    if (part.id >= 0)
      ids.push_back(part.id);
    else if (parts_.normalizer.is_identity())
      encode_normalized(part.text, first, parse_special, ids);
    else
      encode_normalized(parts_.normalizer(part.text), first, parse_special, ids);
  }
}

void PipelineTokenizer::encode_normalized(std::string_view text, bool first, bool parse_special,
                                          std::vector<int64_t>& ids) const {
  for (const auto& part : added_.split(text, /*normalized=*/true, parse_special)) {
    if (part.id >= 0) {
      ids.push_back(part.id);
      continue;
    }
    Pieces pieces;
    parts_.pre_tokenizer.split(part.text, first && part.text.data() == text.data(), pieces);
    for (const auto piece : pieces.views) parts_.model->encode(piece, ids);
  }
}

std::string PipelineTokenizer::token_bytes(int64_t id, bool skip_special) const {
  if (const auto* token = added_.find(id)) return skip_special && token->special ? "" : token->content;
  return parts_.model->token_bytes(id);
}

uint64_t PipelineTokenizer::compute_fingerprint() const {
  Fingerprint fingerprint;
  parts_.model->describe(fingerprint);
  for (const auto& [id, token] : added_.all()) {
    fingerprint.add(id);
    fingerprint.add(token.content);
    for (const bool flag : {token.special, token.lstrip, token.rstrip, token.single_word, token.normalized})
      fingerprint.add(flag);
  }
  for (const auto* ids : {&parts_.prefix, &parts_.suffix, &parts_.stop_ids}) {
    fingerprint.add(static_cast<int64_t>(ids->size()));
    for (const int64_t id : *ids) fingerprint.add(id);
  }
  fingerprint.add(bos_id_);
  fingerprint.add(parts_.max_length);
  fingerprint.add(chat_template_);
  fingerprint.add(parts_.cutting);
  return fingerprint.value();
}

}  // namespace plaudit
