#include "plaudit/data/pre_tokenizer.h"

#include <map>

#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/data/pre_tokenizer_steps.h"
#include "plaudit/data/unicode.h"

namespace plaudit {
namespace {

constexpr std::string_view kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

using PreTokenizerStep = PreTokenizer::Step;

PreTokenizerStep pattern_step(std::string_view pattern) {
  return split_step(Regex(pattern, "pre_tokenizer"), SplitBehavior::isolated, false);
}

// The steps behind each name.
const std::map<std::string, std::vector<PreTokenizerStep>>& named_steps() {
  static const std::map<std::string, std::vector<PreTokenizerStep>> steps = {
      {"gpt2", {pattern_step(kGpt2)}},
      {"llama3", {pattern_step(kLlama3)}},
      {"qwen2", {pattern_step(kQwen2)}},
      {"smollm", {digits_step(true), pattern_step(kGpt2)}},
  };
  return steps;
}

// What decides how a pre-tokenizer cuts: its steps in order, without the options that do not matter.
void add_essentials(const JsonView& view, nlohmann::json& steps) {
  const auto& name = view.at("type").text();
  if (name == "Sequence") {
    for (const auto& element : view.at("pretokenizers").list()) add_essentials(element, steps);
  } else if (name == "ByteLevel") {
    const bool prefix = view.flag_or("add_prefix_space", true), regex = view.flag_or("use_regex", true);
    if (prefix || regex) steps.push_back({name, prefix, regex});  // else it only names the alphabet
  } else if (name == "Digits") {
    steps.push_back({name, view.flag_or("individual_digits", false)});
  } else if (name == "Split") {
    steps.push_back(
        {name, view.at("pattern").json(), view.at("behavior").text(), view.flag_or("invert", false)});
  } else {
    steps.push_back(view.json());
  }
}

nlohmann::json essentials(const JsonView& view) {
  auto steps = nlohmann::json::array();
  add_essentials(view, steps);
  return steps;
}

PreTokenizerStep split_from_json(const JsonView& view) {
  const auto behavior = split_behavior(view.at("behavior"));
  const bool invert = view.flag_or("invert", false);
  const auto pattern = view.at("pattern");
  if (const auto plain = pattern.find("String")) {
    if (plain->text().empty()) plain->refuse(ErrorKind::empty, "must not be empty");
    return split_step(plain->text(), behavior, invert);
  }
  const auto source = pattern.at("Regex");
  return split_step(Regex(source.text(), source.where()), behavior, invert);
}

}  // namespace

const std::vector<std::string>& PreTokenizer::names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    for (const auto& [name, steps] : named_steps()) out.push_back(name);
    return out;
  }();
  return names;
}

const PreTokenizer& PreTokenizer::named(const std::string& name) {
  static const std::map<std::string, PreTokenizer> all = [] {
    std::map<std::string, PreTokenizer> out;
    for (const auto& [key, steps] : named_steps()) {
      out[key].steps_ = steps;
      out[key].byte_level_ = true;
    }
    return out;
  }();
  const auto found = all.find(name);
  if (found == all.end())
    fail(ErrorKind::value, "pre_tokenizer", "there is no '" + name + "'" + suggestion(name, names()));
  return found->second;
}

nlohmann::json PreTokenizer::json_of(const std::string& name) {
  using Object = nlohmann::json;
  const auto byte_level = [](bool regex) {
    return Object{
        {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", regex}};
  };
  const auto sequence = [](const Object& first, const Object& second) {
    return Object{{"type", "Sequence"}, {"pretokenizers", Object::array({first, second})}};
  };
  if (name == "gpt2") return byte_level(true);
  if (name == "smollm") return sequence({{"type", "Digits"}, {"individual_digits", true}}, byte_level(true));
  if (name != "llama3" && name != "qwen2") bug("PreTokenizer::json_of", "no JSON for " + name);
  const Object split = {{"type", "Split"},
                        {"pattern", {{"Regex", name == "llama3" ? kLlama3 : kQwen2}}},
                        {"behavior", "Isolated"},
                        {"invert", false}};
  return sequence(split, byte_level(false));
}

std::string PreTokenizer::name_of(const JsonView& view) {
  const auto wanted = essentials(view);
  for (const auto& name : names()) {
    const auto json = json_of(name);
    if (essentials({json, "", name}) == wanted) return name;
  }
  return "";
}

PreTokenizer PreTokenizer::bert() {
  PreTokenizer out;
  out.steps_ = {white_space_step(), punctuation_step(SplitBehavior::isolated)};
  return out;
}

PreTokenizer PreTokenizer::from_json(const JsonView& view) {
  PreTokenizer out;
  out.add(view);
  return out;
}

void PreTokenizer::add(const JsonView& view) {
  const auto type = view.at("type");
  const auto& name = type.text();
  if (name == "Sequence") {
    for (const auto& element : view.at("pretokenizers").list()) add(element);
  } else if (name == "ByteLevel") {
    byte_level_ = true;
    if (view.flag_or("add_prefix_space", true)) steps_.push_back(prefix_space_step());
    if (view.flag_or("use_regex", true)) steps_.push_back(pattern_step(kGpt2));
  } else if (name == "Split") {
    steps_.push_back(split_from_json(view));
  } else if (name == "Digits") {
    steps_.push_back(digits_step(view.flag_or("individual_digits", false)));
  } else if (name == "Punctuation") {
    const auto behavior = view.find("behavior");
    steps_.push_back(punctuation_step(behavior ? split_behavior(*behavior) : SplitBehavior::isolated));
  } else if (name == "Whitespace") {
    steps_.push_back(
        split_step(Regex(R"(\w+|[^\w\s]+)", type.where()), SplitBehavior::removed, /*invert=*/true));
  } else if (name == "WhitespaceSplit") {
    steps_.push_back(white_space_step());
  } else if (name == "BertPreTokenizer") {
    for (const auto& step : bert().steps_) steps_.push_back(step);
  } else if (name == "Metaspace") {
    metaspace_ = true;
    steps_.push_back(metaspace_step(view));
  } else {
    type.refuse(ErrorKind::value,
                "'" + name + "' is not a known pre-tokenizer" +
                    suggestion(name, {"Split", "Digits", "Punctuation", "Whitespace", "WhitespaceSplit",
                                      "ByteLevel", "Metaspace", "BertPreTokenizer", "Sequence"}));
  }
}

void PreTokenizer::split(std::string_view text, bool first, Pieces& out) const {
  if (text.empty()) return;
  if (steps_.empty()) {
    out.views.push_back(text);
    return;
  }
  if (steps_.size() == 1) return steps_.front()(text, first, out);
  Pieces work;
  work.changed.swap(out.changed);  // earlier pieces are views of these strings: they must not move
  work.views.push_back(text);
  std::vector<std::string_view> current;
  for (const auto& step : steps_) {
    current.swap(work.views);
    work.views.clear();
    for (size_t i = 0; i < current.size(); ++i) step(current[i], first && i == 0, work);
  }
  out.views.insert(out.views.end(), work.views.begin(), work.views.end());
  out.changed.swap(work.changed);
}

namespace {

std::vector<std::string> pre_tokenize_op(std::string_view text, const std::string& kind) {
  Check("decode.pre_tokenize").choice("kind", kind, PreTokenizer::names());
  const auto valid = repair_utf8(text);
  Pieces pieces;
  PreTokenizer::named(kind).split(valid, true, pieces);
  return {pieces.views.begin(), pieces.views.end()};
}

}  // namespace

PLAUDIT_FUNCTIONS(decode, m) {
  m.def("pre_tokenize(str text, *, str kind=\"gpt2\") -> str[] pieces", &pre_tokenize_op,
        "Pieces of a text inside which byte-level BPE merges, by a named pattern.", {"90"});
}

}  // namespace plaudit
