#include "plaudit/data/tokenizer_json.h"

#include <fmt/format.h>

#include "plaudit/data/bpe.h"
#include "plaudit/data/normalizer.h"
#include "plaudit/data/tokenizer_pipeline.h"
#include "plaudit/data/tokenizer_settings.h"
#include "plaudit/data/wordpiece.h"

namespace plaudit {
namespace {

using Ids = std::vector<int64_t>;

// Options that change the result and that no supported model uses.
void refuse_bpe_options(const JsonView& model) {
  for (const std::string key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!model.text_or(key, "").empty()) model.at(key).refuse(ErrorKind::value, "is not supported");
  }
  const auto dropout = model.find("dropout");
  if (dropout && dropout->json() != 0.0)
    dropout->refuse(ErrorKind::value, "must be null: encoding is not random");
}

std::unique_ptr<const SubwordModel> read_bpe(const JsonView& model, const PreTokenizer& pre_tokenizer) {
  refuse_bpe_options(model);
  BpeOptions options;
  options.vocab = read_vocab(model.at("vocab"));
  for (const auto& merge : model.at("merges").list()) options.merges.push_back(read_merge(merge));
  options.byte_level = pre_tokenizer.is_byte_level();
  options.ignore_merges = model.flag_or("ignore_merges", false);
  options.fuse_unk = model.flag_or("fuse_unk", false);
  if (options.byte_level)
    options.unk_token = model.text_or("unk_token", "");
  else if (!model.flag_or("byte_fallback", false))
    model.refuse(ErrorKind::value, "needs a ByteLevel pre-tokenizer or byte_fallback: true");
  return std::make_unique<BpeModel>(std::move(options), model.where());
}

std::unique_ptr<const SubwordModel> read_wordpiece(const JsonView& model) {
  WordPieceOptions options;
  options.vocab = read_vocab(model.at("vocab"));
  options.unk_token = model.text_or("unk_token", options.unk_token);
  options.continuing_prefix = model.text_or("continuing_subword_prefix", options.continuing_prefix);
  options.max_characters = model.integer_or("max_input_chars_per_word", options.max_characters);
  return std::make_unique<WordPieceModel>(std::move(options), model.where());
}

std::unique_ptr<const SubwordModel> read_model(const JsonView& model, const PreTokenizer& pre_tokenizer) {
  const auto type = model.find("type");
  // Old files leave the type out: those with merges are BPE.
  const std::string name = type ? type->text() : model.find("merges") ? "BPE" : "WordPiece";
  if (name == "BPE") return read_bpe(model, pre_tokenizer);
  if (name == "WordPiece") return read_wordpiece(model);
  model.at("type").refuse(ErrorKind::value,
                          "'" + name + "' is not supported" + suggestion(name, {"BPE", "WordPiece"}));
}

// Whether the normaliser turns spaces into U+2581 (a model that was converted from SentencePiece).
bool writes_space_marks(const JsonView& file) {
  const auto normalizer = file.find("normalizer");
  return normalizer && normalizer->json().dump(-1, ' ', false).find(kSpaceMark) != std::string::npos;
}

// The ids that a post-processor puts around one text.
void add_post_processor(const JsonView& view, Ids& before, Ids& behind) {
  const auto type = view.at("type");
  const auto& name = type.text();
  if (name == "Sequence") {
    for (const auto& element : view.at("processors").list()) add_post_processor(element, before, behind);
  } else if (name == "TemplateProcessing") {
    const auto special = view.at("special_tokens");
    bool first = true;
    for (const auto& element : view.at("single").list()) {
      if (element.find("Sequence")) {
        first = false;
        continue;
      }
      const auto ids = special.at(element.at("SpecialToken").at("id").text()).at("ids");
      for (const auto& id : ids.list()) (first ? before : behind).push_back(id.integer());
    }
  } else if (name == "BertProcessing" || name == "RobertaProcessing") {
    const auto id_of = [&](const std::string& key) {
      const auto pair = view.at(key).list();
      if (pair.size() != 2) view.at(key).refuse(ErrorKind::value, "must be [token, id]");
      return pair[1].integer();
    };
    before.push_back(id_of("cls"));
    behind.push_back(id_of("sep"));
  } else if (name != "ByteLevel") {  // which only changes offsets
    type.refuse(ErrorKind::value, "'" + name + "' is not a known post-processor" +
                                      suggestion(name, {"TemplateProcessing", "BertProcessing",
                                                        "RobertaProcessing", "ByteLevel", "Sequence"}));
  }
}

// Whether the decoder drops a space at the start of the text.
bool strips_leading_space(const JsonView& decoder) {
  const auto name = decoder.at("type").text();
  if (name == "WordPiece") return true;
  if (name == "Metaspace") return decoder.text_or("prepend_scheme", "always") != "never";
  if (name == "Strip") return decoder.integer_or("start", 0) > 0;
  if (name != "Sequence") return false;
  for (const auto& element : decoder.at("decoders").list()) {
    if (strips_leading_space(element)) return true;
  }
  return false;
}

}  // namespace

std::vector<std::pair<std::string, int64_t>> read_vocab(const JsonView& view) {
  std::vector<std::pair<std::string, int64_t>> out;
  for (const auto& [token, id] : view.members()) out.emplace_back(token, id.integer());
  if (out.empty()) view.refuse(ErrorKind::empty, "must not be empty");
  return out;
}

// "a b" or ["a", "b"].
std::pair<std::string, std::string> read_merge(const JsonView& view) {
  if (view.is_list()) {
    const auto parts = view.list();
    if (parts.size() != 2) view.refuse(ErrorKind::value, "must hold two tokens");
    return {parts[0].text(), parts[1].text()};
  }
  const auto& line = view.text();
  const auto space = line.find(' ');
  const bool two = space != std::string::npos && space > 0 && space + 1 < line.size() &&
                   line.find(' ', space + 1) == std::string::npos;
  if (!two) view.refuse(ErrorKind::value, "must be two tokens with a space in between, got '" + line + "'");
  return {line.substr(0, space), line.substr(space + 1)};
}

std::vector<AddedToken> read_added_tokens(const JsonView& file) {
  const bool space_marks = writes_space_marks(file);
  std::vector<AddedToken> out;
  const auto list = file.find("added_tokens");
  if (!list) return out;
  for (const auto& view : list->list()) {
    AddedToken token;
    token.id = view.at("id").integer();
    if (token.id < 0 || token.id > INT32_MAX)
      view.at("id").refuse(ErrorKind::value, fmt::format("must be in [0, 2^31), got {}", token.id));
    token.content = view.at("content").text();
    token.special = view.flag_or("special", false);
    token.lstrip = view.flag_or("lstrip", false);
    token.rstrip = view.flag_or("rstrip", false);
    token.single_word = view.flag_or("single_word", false);
    // In SentencePiece the user's own tokens are looked for after spaces have been replaced; otherwise the
    // runs of spaces of Gemma's vocabulary would never be found.
    const bool space_run =
        space_marks && !token.special && token.content.find(kSpaceMark) != std::string::npos;
    if (space_run) token.content = replace_all(token.content, kSpaceMark, " ");
    token.normalized = space_run || view.flag_or("normalized", !token.special);
    out.push_back(std::move(token));
  }
  return out;
}

std::pair<Ids, Ids> read_post_processor(const JsonView& post_processor) {
  std::pair<Ids, Ids> out;
  add_post_processor(post_processor, out.first, out.second);
  return out;
}

std::shared_ptr<const Tokenizer> load_tokenizer_json(const std::string& path) {
  const auto json = JsonFile::read(path);
  const auto file = json.view();
  TokenizerParts parts;
  if (const auto view = file.find("normalizer")) {
    parts.normalizer = parts.token_normalizer = Normalizer::from_json(*view);
    parts.cutting += view->json().dump();
  }
  if (const auto view = file.find("pre_tokenizer")) {
    parts.pre_tokenizer = PreTokenizer::from_json(*view);
    parts.cutting += view->json().dump();
  }
  parts.model = read_model(file.at("model"), parts.pre_tokenizer);
  parts.added = read_added_tokens(file);
  if (const auto view = file.find("decoder")) parts.strips_leading_space = strips_leading_space(*view);
  if (const auto view = file.find("post_processor"))
    std::tie(parts.prefix, parts.suffix) = read_post_processor(*view);
  read_model_settings(path, parts);
  parts.source = path;
  return std::make_shared<PipelineTokenizer>(std::move(parts));
}

}  // namespace plaudit
