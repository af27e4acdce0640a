#include "plaudit/data/normalizer.h"

#include "plaudit/data/regex.h"
#include "plaudit/data/unicode.h"

namespace plaudit {
namespace {

using NormalizerStep = Normalizer::Step;

// The CJK ideographs that BERT treats as words of their own.
bool is_ideograph(char32_t c) {
  return (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2CEAF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

// Calls `put(out, c)` for every code point.
template <class Put>
std::string map_code_points(std::string_view text, Put put) {
  std::string out;
  out.reserve(text.size());
  for (size_t pos = 0; pos < text.size();) put(out, next_code_point(text, pos));
  return out;
}

void put_clean(std::string& out, char32_t c) {
  const bool line = c == '\t' || c == '\n' || c == '\r';
  if (c == 0 || c == 0xFFFD || (!line && is_control_like(c))) return;
  append_utf8(out, is_white_space(c) ? U' ' : c);
}

void put_spaced_ideograph(std::string& out, char32_t c) {
  if (is_ideograph(c)) out += ' ';
  append_utf8(out, c);
  if (is_ideograph(c)) out += ' ';
}

std::string lower(std::string_view text) {
  return map_code_points(text, append_lower);
}

std::string without(bool (*is_dropped)(char32_t), std::string_view text) {
  return map_code_points(text, [&](std::string& out, char32_t c) {
    if (!is_dropped(c)) append_utf8(out, c);
  });
}

NormalizerStep form_step(NormalForm form) {
  return [form](std::string_view text) { return normalize(text, form); };
}

NormalizerStep replace_step(const JsonView& view) {
  const auto pattern = view.at("pattern");
  const auto content = view.at("content").text();
  if (const auto plain = pattern.find("String")) {
    const auto from = plain->text();
    if (from.empty()) plain->refuse(ErrorKind::empty, "must not be empty");
    return [from, content](std::string_view text) { return replace_all(text, from, content); };
  }
  const auto source = pattern.at("Regex");
  const Regex regex(source.text(), source.where());
  return [regex, content](std::string_view text) {
    std::vector<Regex::Match> matches;
    regex.find_all(text, matches);
    std::string out;
    size_t done = 0;
    for (const auto& match : matches) {
      out.append(text.substr(done, match.begin - done)).append(content);
      done = match.end;
    }
    return out.append(text.substr(done));
  };
}

NormalizerStep strip_step(const JsonView& view) {
  const bool left = view.flag_or("strip_left", true), right = view.flag_or("strip_right", true);
  return [left, right](std::string_view text) {
    if (left) text = strip_left(text);
    if (right) text = strip_right(text);
    return std::string(text);
  };
}

NormalizerStep bert_step(const JsonView& view) {
  BertNormalizerOptions options;
  options.clean_text = view.flag_or("clean_text", true);
  options.handle_chinese_chars = view.flag_or("handle_chinese_chars", true);
  options.lowercase = view.flag_or("lowercase", true);
  options.strip_accents = view.flag_or("strip_accents", options.lowercase);
  return [options](std::string_view text) { return bert_normalize(text, options); };
}

NormalizerStep prepend_step(const JsonView& view) {
  const auto prefix = view.at("prepend").text();
  return [prefix](std::string_view text) { return text.empty() ? "" : prefix + std::string(text); };
}

void add_steps(const JsonView& view, std::vector<NormalizerStep>& steps) {
  const auto type = view.at("type");
  const auto& name = type.text();
  if (name == "Sequence") {
    for (const auto& element : view.at("normalizers").list()) add_steps(element, steps);
  } else if (name == "NFC") {
    steps.push_back(form_step(NormalForm::nfc));
  } else if (name == "NFD") {
    steps.push_back(form_step(NormalForm::nfd));
  } else if (name == "NFKC") {
    steps.push_back(form_step(NormalForm::nfkc));
  } else if (name == "NFKD") {
    steps.push_back(form_step(NormalForm::nfkd));
  } else if (name == "Lowercase") {
    steps.push_back(lower);
  } else if (name == "StripAccents") {
    steps.push_back([](std::string_view text) { return without(is_mark, text); });
  } else if (name == "Strip") {
    steps.push_back(strip_step(view));
  } else if (name == "Prepend") {
    steps.push_back(prepend_step(view));
  } else if (name == "Replace") {
    steps.push_back(replace_step(view));
  } else if (name == "BertNormalizer") {
    steps.push_back(bert_step(view));
  } else {
    type.refuse(ErrorKind::value,
                "'" + name + "' is not a known normalizer" +
                    suggestion(name, {"NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Strip",
                                      "Prepend", "Replace", "BertNormalizer", "Sequence"}));
  }
}

}  // namespace

std::string bert_normalize(std::string_view text, const BertNormalizerOptions& options) {
  std::string out(text);
  if (options.clean_text) out = map_code_points(out, put_clean);
  if (options.handle_chinese_chars) out = map_code_points(out, put_spaced_ideograph);
  if (options.strip_accents) out = without(is_nonspacing_mark, normalize(out, NormalForm::nfd));
  if (options.lowercase) out = lower(out);
  return out;
}

Normalizer Normalizer::from_json(const JsonView& view) {
  std::vector<NormalizerStep> steps;
  add_steps(view, steps);
  return Normalizer(std::move(steps));
}

std::string Normalizer::operator()(std::string_view text) const {
  std::string out(text);
  for (const auto& step : steps_) out = step(out);
  return out;
}

Normalizer sentencepiece_normalizer(bool space_prefix) {
  return Normalizer({[space_prefix](std::string_view text) {
    const auto marked = replace_all(text, " ", kSpaceMark);
    return space_prefix && !marked.empty() ? std::string(kSpaceMark) + marked : marked;
  }});
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  out.reserve(text.size());
  size_t done = 0;
  for (size_t hit; (hit = text.find(from, done)) != std::string_view::npos; done = hit + from.size())
    out.append(text.substr(done, hit - done)).append(to);
  return out.append(text.substr(done));
}

}  // namespace plaudit
