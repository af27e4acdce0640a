#include "plaudit/serve/score_protocol.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/data/text.h"

namespace plaudit {
namespace {

const std::vector<std::string> kEndpoints = {"/get_reward",    "/reward", "/classify", "/pooling",
                                             "/v1/embeddings", "/score",  "/v1/score", "/v1/rerank",
                                             "/v2/rerank",     "/rerank", "/predict"};

const Check request_check("verify.score_request");

[[noreturn]] void wrong_type(const std::string& field, const char* expected, const Json& value) {
  request_check.refuse(ErrorKind::type, "body",
                       fmt::format("field '{}' must be {}, got {}", field, expected, excerpt(value.dump())));
}

const Json& field(const Json& body, const std::string& name) {
  const auto found = body.find(name);
  if (found == body.end()) request_check.refuse(ErrorKind::type, "body", "needs the field '" + name + "'");
  return *found;
}

std::vector<std::string> text_list(const Json& value, const std::string& name,
                                   const char* expected = "a list of strings") {
  std::vector<std::string> out;
  if (!value.is_array()) wrong_type(name, expected, value);
  for (const auto& item : value) {
    if (!item.is_string()) wrong_type(name, expected, value);
    out.push_back(item.get<std::string>());
  }
  return out;
}

// A text, or a list of texts.
std::vector<std::string> texts(const Json& value, const std::string& name) {
  if (value.is_string()) return {value.get<std::string>()};
  return text_list(value, name, "a string or a list of strings");
}

void check_not_empty(const std::vector<Json>& items, const std::string& name) {
  if (items.empty()) request_check.refuse(ErrorKind::empty, "body", "field '" + name + "' holds no text");
}

std::vector<Json> single_texts(const Json& body) {
  std::vector<Json> items;
  const std::string name = body.contains("input") || !body.contains("messages") ? "input" : "messages";
  if (name == "messages") {
    if (!body[name].is_array()) wrong_type(name, "a list of messages", body[name]);
    if (!body[name].empty()) items.push_back(Json{{"messages", body[name]}});
  } else {
    for (auto& text : texts(field(body, name), name)) items.push_back(Json{{"text", std::move(text)}});
  }
  check_not_empty(items, name);
  return items;
}

// 1 x N or N x N.
std::vector<Json> pairs(const Json& body) {
  static const std::vector<std::pair<std::string, std::string>> names = {
      {"text_1", "text_2"}, {"queries", "documents"}, {"queries", "items"}, {"data_1", "data_2"}};
  for (const auto& [first, second] : names) {
    if (!body.contains(first) || !body.contains(second)) continue;
    const auto a = texts(body[first], first), b = texts(body[second], second);
    if (a.empty() || b.empty())
      request_check.refuse(ErrorKind::empty, "body",
                           "field '" + (a.empty() ? first : second) + "' holds no text");
    if (a.size() != 1 && a.size() != b.size())
      request_check.refuse(ErrorKind::shape, "body",
                           fmt::format("holds {} texts in '{}' and {} in '{}': expected 1 x N or N x N",
                                       a.size(), first, b.size(), second));
    std::vector<Json> items;
    for (size_t i = 0; i < b.size(); ++i)
      items.push_back(Json{{"first", a[a.size() == 1 ? 0 : i]}, {"second", b[i]}});
    return items;
  }
  request_check.refuse(ErrorKind::type, "body",
                       "needs the fields text_1 and text_2 (or queries and documents)");
}

std::vector<Json> rerank_pairs(const Json& body, const std::string& list) {
  const auto& query = field(body, "query");
  if (!query.is_string()) wrong_type("query", "a string", query);
  const auto& documents = field(body, list);
  if (!documents.is_array()) wrong_type(list, "a list of strings", documents);
  std::vector<Json> items;
  for (const auto& document : documents) {
    const bool object = document.is_object() && document.contains("text") && document["text"].is_string();
    if (!document.is_string() && !object) wrong_type(list, "a list of strings", documents);
    items.push_back(Json{{"first", query}, {"second", object ? document["text"] : document}});
  }
  check_not_empty(items, list);
  return items;
}

// One text [a] or a pair [a, b] of /predict.
Json text_or_pair(const Json& input) {
  if (input.is_string()) return Json{{"text", input}};
  const auto parts = texts(input, "inputs");
  if (parts.size() == 1) return Json{{"text", parts[0]}};
  if (parts.size() == 2) return Json{{"first", parts[0]}, {"second", parts[1]}};
  request_check.refuse(ErrorKind::shape, "body",
                       fmt::format("field 'inputs' must hold texts or pairs, got {} parts", parts.size()));
}

std::vector<Json> predict_inputs(const Json& body) {
  const auto& inputs = field(body, "inputs");
  if (!inputs.is_string() && !inputs.is_array()) wrong_type("inputs", "a string or a list", inputs);
  if (inputs.is_array() && inputs.empty()) check_not_empty({}, "inputs");
  if (inputs.is_string() || inputs[0].is_string()) return {text_or_pair(inputs)};
  std::vector<Json> items;
  for (const auto& input : inputs) {
    if (!input.is_array()) wrong_type("inputs", "a batch of lists", inputs);
    if (input.empty())
      request_check.refuse(ErrorKind::shape, "body", "field 'inputs' must hold texts or pairs, got []");
    items.push_back(text_or_pair(input));
  }
  return items;
}

std::vector<Json> full_texts(const Json& body) {
  const auto query = text_list(field(body, "query"), "query");
  std::vector<Json> items;
  for (const auto& text : query)
    items.push_back(Json{{"text", text}, {"prompt", nullptr}, {"label", nullptr}});
  for (const auto& [list, name] : {std::pair{"prompts", "prompt"}, {"labels", "label"}}) {
    if (!body.contains(list) || body[list].is_null()) continue;
    if (!body[list].is_array()) wrong_type(list, "a list", body[list]);
    if (body[list].size() != query.size())
      request_check.refuse(
          ErrorKind::shape, "body",
          fmt::format("holds {} texts in 'query' and {} in '{}'", query.size(), body[list].size(), list));
    for (size_t i = 0; i < items.size(); ++i) {
      const auto& value = body[list][i];
      if (name == std::string_view("prompt") && !value.is_string() && !value.is_array() && !value.is_null())
        wrong_type(list, "a list of strings or messages", body[list]);
      items[i][name] = value;
    }
  }
  return items;
}

std::vector<Json> prompt_and_response(const Json& body) {
  const auto& prompt = field(body, "prompt");
  const auto& response = field(body, "response");
  if (!prompt.is_string() && !prompt.is_array()) wrong_type("prompt", "a string or messages", prompt);
  if (!response.is_string()) wrong_type("response", "a string", response);
  return {Json{{"prompt", prompt}, {"response", response}, {"label", body.value("label", Json())}}};
}

double sigmoid(double x) {
  return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
}

bool flag(const Json& options, const char* name, bool fallback) {
  const auto found = options.find(name);
  return found != options.end() && found->is_boolean() ? found->get<bool>() : fallback;
}

// {"object": "list", "model", "data": [..]}.
template <class Entry>
Json list_reply(const std::vector<double>& scores, const Json& options, Entry entry) {
  Json data = Json::array();
  for (size_t i = 0; i < scores.size(); ++i) data.push_back(entry(i, scores[i]));
  return Json{{"object", "list"}, {"model", options.value("model", Json("m"))}, {"data", std::move(data)}};
}

// Indices by score from high to low, ties by index.
std::vector<size_t> ranked(const std::vector<double>& scores) {
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  return order;
}

Json tei_rerank(const std::vector<double>& scores, const Json& options) {
  const bool raw = flag(options, "raw_scores", false), with_text = flag(options, "return_text", false);
  Json reply = Json::array();
  for (const auto i : ranked(scores)) {
    reply.push_back(Json{{"index", i}, {"score", raw ? scores[i] : sigmoid(scores[i])}});
    if (with_text && options.contains("texts") && i < options["texts"].size())
      reply.back()["text"] = options["texts"][i];
  }
  return reply;
}

Json cohere_rerank(const std::vector<double>& scores, const Json& options) {
  Json results = Json::array();
  const auto& top = options.value("top_n", Json());
  const auto most = top.is_number_integer() && top.get<int64_t>() >= 0 ? top.get<size_t>() : scores.size();
  for (const auto i : ranked(scores)) {
    if (results.size() >= most) break;
    Json entry = {{"index", i}};
    if (options.contains("documents") && i < options["documents"].size()) {
      const auto& document = options["documents"][i];
      entry["document"] = document.is_object() ? document : Json{{"text", document}};
    }
    entry["relevance_score"] = sigmoid(scores[i]);
    results.push_back(std::move(entry));
  }
  return Json{{"model", options.value("model", Json("m"))}, {"results", std::move(results)}};
}

Json predict_reply(const Check& check, const std::vector<double>& scores, const Json& options) {
  if (flag(options, "single", false) && scores.size() != 1)
    check.refuse(ErrorKind::shape, "scores",
                 fmt::format("hold {} numbers for a single input", scores.size()));
  Json reply = Json::array();
  for (const double score : scores) {
    const Json entry = {{"score", flag(options, "raw_scores", false) ? score : sigmoid(score)},
                        {"label", "LABEL_0"}};
    if (flag(options, "single", false)) {
      reply.push_back(entry);
    } else {
      reply.push_back(Json::array({entry}));
    }
  }
  return reply;
}

}  // namespace

std::vector<Json> score_request(const std::string& endpoint, const Json& body) {
  request_check.choice("endpoint", endpoint, kEndpoints);
  if (!body.is_object())
    request_check.refuse(ErrorKind::type, "body", "must be an object, got " + excerpt(body.dump()));
  if (endpoint == "/get_reward") return full_texts(body);
  if (endpoint == "/reward") return prompt_and_response(body);
  if (endpoint == "/score" || endpoint == "/v1/score") return pairs(body);
  if (endpoint == "/predict") return predict_inputs(body);
  if (endpoint == "/rerank" && body.contains("texts")) return rerank_pairs(body, "texts");
  if (endpoint.ends_with("/rerank")) return rerank_pairs(body, "documents");
  return single_texts(body);
}

Json score_response(const std::string& endpoint, const std::vector<double>& scores, const Json& options) {
  const Check check("verify.score_response");
  check.choice("endpoint", endpoint, kEndpoints);
  if (!options.is_object()) check.refuse(ErrorKind::type, "options", "must be an object");
  for (const double score : scores) {
    if (!std::isfinite(score)) check.refuse(ErrorKind::nan, "scores", "hold NaN or infinity");
  }
  if (endpoint == "/get_reward")
    return Json{{"rewards", scores}, {"scores", scores}, {"extra_logs", Json::object()}};
  if (scores.empty()) check.refuse(ErrorKind::empty, "scores", "are empty");
  for (const char* list : {"documents", "texts"}) {
    if (options.contains(list) && options[list].is_array() && options[list].size() != scores.size())
      check.refuse(ErrorKind::shape, "scores",
                   fmt::format("hold {} numbers for {} {}", scores.size(), options[list].size(), list));
  }
  if (endpoint == "/reward") {
    if (scores.size() != 1)
      check.refuse(ErrorKind::shape, "scores", fmt::format("must be one number, got {}", scores.size()));
    return scores[0];
  }
  if (endpoint == "/predict") return predict_reply(check, scores, options);
  if (endpoint == "/rerank" && !options.contains("documents")) return tei_rerank(scores, options);
  if (endpoint.ends_with("/rerank")) return cohere_rerank(scores, options);
  const bool activation = flag(options, "use_activation", true) && flag(options, "activation", true);
  const auto probability = [&](double score) { return activation ? sigmoid(score) : score; };
  if (endpoint == "/classify") {
    return list_reply(scores, options, [&](size_t i, double score) {
      return Json{{"index", i},
                  {"label", "LABEL_0"},
                  {"probs", Json::array({probability(score)})},
                  {"num_classes", 1}};
    });
  }
  if (endpoint == "/pooling") {
    return list_reply(scores, options, [](size_t i, double score) {
      return Json{{"index", i}, {"object", "pooling"}, {"data", Json::array({score})}};
    });
  }
  if (endpoint == "/v1/embeddings") {
    return list_reply(scores, options, [](size_t i, double score) {
      return Json{{"object", "embedding"}, {"index", i}, {"embedding", Json::array({score})}};
    });
  }
  return list_reply(scores, options, [&](size_t i, double score) {
    return Json{{"index", i}, {"object", "score"}, {"score", probability(score)}};
  });
}

namespace {

Json parsed(std::string_view function, std::string_view argument, const std::string& text) {
  auto json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded())
    Check(function).refuse(ErrorKind::type, argument, "must be JSON, got " + excerpt(text));
  return json;
}

}  // namespace

PLAUDIT_FUNCTIONS(verify, m) {
  m.def("score_request(str endpoint, str body) -> (str items)",
        [](const std::string& endpoint, const std::string& body) {
          return Json(score_request(endpoint, parsed("verify.score_request", "body", body))).dump();
        },
        "The items that a request for scores holds.", {"91"});
  m.def("score_response(str endpoint, float[] scores, str options='{}') -> (str body)",
        [](const std::string& endpoint, at::ArrayRef<double> scores, const std::string& options) {
          return score_response(endpoint, scores.vec(), parsed("verify.score_response", "options", options))
              .dump();
        },
        "The reply that a trainer expects for its scores.", {"91"});
}

}  // namespace plaudit
