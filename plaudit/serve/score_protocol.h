// How RLHF trainers ask for scores over HTTP, and what they expect back, endpoint by endpoint.
//
// Endpoints: /get_reward (OpenRLHF), /reward (slime), /classify and /pooling (vLLM, verl), /v1/embeddings
// (SGLang, verl), /score and /v1/score (vLLM), /v1/rerank, /v2/rerank (Cohere, Jina), /rerank (TEI when the
// body has "texts", else Cohere), /predict (TEI). Field names follow those programs' own clients.
#pragma once

#include <string>
#include <vector>

#include "plaudit/core/call.h"

namespace plaudit {

// The items to score, one JSON object each: {"text"}, a pair {"first", "second"}, or {"prompt", "response",
// "label"}. Errors: a missing field or a wrong JSON type (type), lists of unequal length or an input that is
// no text or pair (shape), nothing to score (empty; /get_reward answers an empty list), an unknown endpoint
// (value).
std::vector<Json> score_request(const std::string& endpoint, const Json& body);

// The reply for one raw score per item. `options`: model (default "m"); use_activation or activation (false:
// raw scores, for /classify and /score); documents, texts, top_n, return_text, raw_scores (rerank, /predict);
// single (the request was one text). Probabilities are sigmoids.
Json score_response(const std::string& endpoint, const std::vector<double>& scores, const Json& options);

}  // namespace plaudit
