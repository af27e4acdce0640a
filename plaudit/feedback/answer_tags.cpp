#include "plaudit/feedback/answer_tags.h"

#include <ATen/ATen.h>

#include <charconv>
#include <vector>

#include "plaudit/core/call.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/data/normalizer.h"
#include "plaudit/data/text.h"
#include "plaudit/data/unicode.h"

namespace plaudit {
namespace {

constexpr std::string_view kThink = "<think>", kThinkEnd = "</think>";
constexpr std::string_view kAnswer = "<answer>", kAnswerEnd = "</answer>";

// What follows the first <answer>, to its end tag or, when `open_end`, to the end of the text.
std::optional<std::string_view> answer_block(std::string_view text, bool open_end) {
  const auto start = text.find(kAnswer);
  if (start == std::string_view::npos) return std::nullopt;
  const auto body = text.substr(start + kAnswer.size());
  const auto end = body.find(kAnswerEnd);
  if (end == std::string_view::npos && !open_end) return std::nullopt;
  return body.substr(0, end);
}

// Appends the detection to the columns; false when it is not one.
bool read_detection(const Json& item, std::vector<double>& boxes, std::vector<double>& confidence) {
  if (!item.is_object() || !item.contains("Position") || !item.contains("Confidence")) return false;
  const auto& position = item["Position"];
  if (!position.is_array() || position.size() != 4 || !item["Confidence"].is_number()) return false;
  for (const auto& x : position) {
    if (!x.is_number()) return false;
    boxes.push_back(x.get<double>());
  }
  confidence.push_back(item["Confidence"].get<double>());
  return true;
}

// A cursor that reads "( 12 , 34 )".
class PointReader {
 public:
  explicit PointReader(std::string_view text) : rest_(text) {}

  bool symbol(char c) {
    rest_ = strip_left(rest_);
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool number(double& value) {
    rest_ = strip_left(rest_);
    if (rest_.empty() || rest_[0] < '0' || rest_[0] > '9') return false;
    const auto end = rest_.find_first_not_of("0123456789");
    const auto digits = rest_.substr(0, end);
    if (std::from_chars(digits.data(), digits.data() + digits.size(), value).ec != std::errc{}) return false;
    rest_.remove_prefix(digits.size());
    return true;
  }

  bool point(double* xy) {
    return symbol('(') && number(xy[0]) && symbol(',') && number(xy[1]) && symbol(')');
  }

 private:
  std::string_view rest_;
};

}  // namespace

double think_answer_format(std::string_view text) {
  if (!text.starts_with(kThink) || !text.ends_with(kAnswerEnd)) return 0;
  // Any </think> will do that is followed by an <answer> with room for the final tag.
  for (auto at = text.find(kThinkEnd, kThink.size()); at != std::string_view::npos;
       at = text.find(kThinkEnd, at + 1)) {
    const auto rest = strip_left(text.substr(at + kThinkEnd.size()));
    if (rest.starts_with(kAnswer) && rest.size() >= kAnswer.size() + kAnswerEnd.size()) return 1;
  }
  return 0;
}

std::optional<std::string> extract_answer(std::string_view text) {
  const auto block = answer_block(text, /*open_end=*/false);
  if (!block) return std::nullopt;
  return std::string(strip(*block));
}

ParsedBoxes parse_boxes(std::string_view text) {
  const auto block = answer_block(text, /*open_end=*/true);
  if (!block) return {};
  std::string list(*block);
  list = replace_all(list, "[[", "[");
  list = replace_all(list, "]]", "]");
  list = replace_all(list, "\n", "");
  list = strip(list);
  if (!list.ends_with(']')) {
    const auto cut = list.rfind("},");
    if (cut == std::string::npos) return {};
    list = list.substr(0, cut) + "}]";
  }
  list = replace_all(list, "'", "\"");
  const auto items = Json::parse(list, nullptr, /*allow_exceptions=*/false);
  if (!items.is_array()) return {};
  std::vector<double> boxes, confidence;
  for (const auto& item : items) {
    if (!read_detection(item, boxes, confidence)) return {};
  }
  return {at::tensor(boxes, at::kDouble).view({-1, 4}), at::tensor(confidence, at::kDouble)};
}

std::optional<Tensor> parse_point_box(std::string_view text) {
  const auto block = answer_block(text, /*open_end=*/false);
  if (!block) return std::nullopt;
  for (auto at = block->find('('); at != std::string_view::npos; at = block->find('(', at + 1)) {
    PointReader reader(block->substr(at));
    std::vector<double> box(4);
    if (reader.point(&box[0]) && reader.symbol(',') && reader.point(&box[2]))
      return at::tensor(box, at::kDouble) / 1000;
  }
  return std::nullopt;
}

PLAUDIT_FUNCTIONS(verify, m) {
  m.def("think_answer_format(str text) -> (float match)",
        [](const std::string& text) { return think_answer_format(text); },
        "1 when the text is a think block followed by an answer block and nothing else.", {"54"});
  m.def("extract_answer(str text) -> (str? answer)",
        [](const std::string& text) { return extract_answer(text); },
        "The text of the first answer block, or none.", {"54"});
  m.def("parse_boxes(str text) -> (Tensor? boxes, Tensor? confidence)",
        [](const std::string& text) { return as_tuple(parse_boxes(text)); },
        "The detections that an answer block lists, or none.", {"54"});
  m.def("parse_point_box(str text) -> (Tensor? box)",
        [](const std::string& text) { return parse_point_box(text); },
        "The box (x1,y1),(x2,y2) of an answer block in thousandths, or none.", {"54"});
}

}  // namespace plaudit
