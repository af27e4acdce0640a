#include "plaudit/data/pre_tokenizer_steps.h"

#include "plaudit/data/normalizer.h"
#include "plaudit/data/unicode.h"

namespace plaudit {
namespace {

using PreTokenizerStep = PreTokenizer::Step;
using Matches = std::vector<Regex::Match>;

struct Part {
  size_t begin, end;
  bool matches;
};

// Matches and the gaps between them, in order; every byte belongs to one part.
std::vector<Part> parts_of(size_t size, const Matches& matches, bool invert) {
  std::vector<Part> parts;
  size_t done = 0;
  for (const auto& match : matches) {
    if (match.begin > done) parts.push_back({done, match.begin, invert});
    parts.push_back({match.begin, match.end, !invert});
    done = match.end;
  }
  if (done < size) parts.push_back({done, size, invert});
  return parts;
}

// Whether the part at `i` belongs to the same piece as the one before it.
bool joins_previous(const std::vector<Part>& parts, size_t i, SplitBehavior behavior) {
  if (i == 0) return false;
  const bool now = parts[i].matches, before = parts[i - 1].matches;
  switch (behavior) {
    case SplitBehavior::merged_with_previous:
      return now && !before;
    case SplitBehavior::merged_with_next:
      return before && !now;
    case SplitBehavior::contiguous:
      return now == before;
    default:
      return false;
  }
}

void emit(std::string_view text, const Matches& matches, SplitBehavior behavior, bool invert, Pieces& out) {
  const auto parts = parts_of(text.size(), matches, invert);
  for (size_t i = 0; i < parts.size(); ++i) {
    if (behavior == SplitBehavior::removed && parts[i].matches) continue;
    const auto piece = text.substr(parts[i].begin, parts[i].end - parts[i].begin);
    if (joins_previous(parts, i, behavior)) {
      auto& last = out.views.back();
      last = {last.data(), last.size() + piece.size()};
    } else {
      out.views.push_back(piece);
    }
  }
}

// Splits at the single characters that have a property.
PreTokenizerStep character_step(bool (*matches)(char32_t), SplitBehavior behavior) {
  return [=](std::string_view text, bool, Pieces& out) {
    Matches found;
    for (size_t pos = 0; pos < text.size();) {
      const size_t begin = pos;
      if (matches(next_code_point(text, pos))) found.push_back({begin, pos});
    }
    if (found.empty())
      out.views.push_back(text);
    else
      emit(text, found, behavior, false, out);
  };
}

bool is_bert_punctuation(char32_t c) {
  return is_ascii_punctuation(c) || is_punctuation(c);
}

}  // namespace

SplitBehavior split_behavior(const JsonView& view) {
  static const std::vector<std::string> names = {"Removed", "Isolated", "MergedWithPrevious",
                                                 "MergedWithNext", "Contiguous"};
  const auto& name = view.text();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    view.refuse(ErrorKind::value, "must be a known behavior, got '" + name + "'" + suggestion(name, names));
  constexpr SplitBehavior values[] = {SplitBehavior::removed, SplitBehavior::isolated,
                                      SplitBehavior::merged_with_previous, SplitBehavior::merged_with_next,
                                      SplitBehavior::contiguous};
  return values[found - names.begin()];
}

PreTokenizerStep split_step(Regex pattern, SplitBehavior behavior, bool invert) {
  return [=](std::string_view text, bool, Pieces& out) {
    thread_local Matches matches;  // its room is kept from call to call
    pattern.find_all(text, matches);
    emit(text, matches, behavior, invert, out);
  };
}

PreTokenizerStep split_step(std::string plain, SplitBehavior behavior, bool invert) {
  return [=](std::string_view text, bool, Pieces& out) {
    Matches matches;
    for (size_t at = 0; (at = text.find(plain, at)) != std::string_view::npos; at += plain.size())
      matches.push_back({at, at + plain.size()});
    emit(text, matches, behavior, invert, out);
  };
}

PreTokenizerStep digits_step(bool individual) {
  return character_step(is_number, individual ? SplitBehavior::isolated : SplitBehavior::contiguous);
}

PreTokenizerStep punctuation_step(SplitBehavior behavior) {
  return character_step(is_bert_punctuation, behavior);
}

PreTokenizerStep white_space_step() {
  return character_step(is_white_space, SplitBehavior::removed);
}

PreTokenizerStep prefix_space_step() {
  return [](std::string_view text, bool, Pieces& out) {
    if (text.front() == ' ') {
      out.views.push_back(text);
    } else {
      out.views.push_back(out.changed.emplace_back(" " + std::string(text)));
    }
  };
}

PreTokenizerStep metaspace_step(const JsonView& view) {
  const auto mark = view.at("replacement").text();
  const auto scheme = view.text_or("prepend_scheme", "always");
  if (scheme != "always" && scheme != "first" && scheme != "never")
    view.at("prepend_scheme")
        .refuse(ErrorKind::value, "must be one of always, first, never, got '" + scheme + "'");
  if (mark != kSpaceMark)
    view.at("replacement").refuse(ErrorKind::value, "must be U+2581, got '" + mark + "'");
  const bool split = view.flag_or("split", true);
  return [=](std::string_view piece, bool first, Pieces& out) {
    auto& text = out.changed.emplace_back(replace_all(piece, " ", mark));
    const bool prepend = scheme == "always" || (scheme == "first" && first);
    if (prepend && text.compare(0, mark.size(), mark) != 0) text.insert(0, mark);
    if (!split) {
      out.views.push_back(text);
      return;
    }
    Matches matches;
    for (size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += mark.size())
      matches.push_back({at, at + mark.size()});
    emit(text, matches, SplitBehavior::merged_with_next, false, out);
  };
}

}  // namespace plaudit
