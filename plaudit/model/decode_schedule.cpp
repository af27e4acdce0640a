#include "plaudit/model/decode_schedule.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <list>

#include "plaudit/core/parallel.h"
#include "plaudit/model/sampling.h"

namespace plaudit::decode {
namespace {

// Prompt tokens that one pass takes beside the answers in flight: enough to keep the processor busy, few
// enough that answers do not wait.
constexpr int64_t kPromptTokens = 256;
// Rows of logits computed at once: bounds the memory at rows * vocabulary floats.
constexpr int64_t kLogitRows = 32;

// A prompt whose answers have not all been started.
struct OpenPrompt {
  int64_t index = 0;
  int64_t sequence = 0;
  int64_t fed = 0;                 // tokens in the cache
  int64_t started = 0;             // answers
  std::vector<float> logits = {};  // after its last token; empty until then
  std::vector<float> hidden = {};  // with steering
};

struct Answer {
  int64_t prompt = 0, sample = 0;
  int64_t sequence = 0;
  Rng rng;
  std::string text = {};  // so far; kept only when there are stop strings to look for
  std::unique_ptr<StreamDecoder> stream = {};
  Completion result = {};
  bool ended = false;
};

// A token as it was drawn, and what the model alone says of it.
struct Token : Draw {
  float base_logp = 0;
};

class Run {
 public:
  Run(const Decoder& decoder, const std::vector<std::vector<int64_t>>& prompts,
      const SamplingOptions& options, const std::vector<Rng>& streams, const GenerateCallbacks& callbacks)
      : decoder_(decoder),
        prompts_(prompts),
        options_(options),
        filter_{options.temperature, options.top_k, options.top_p, options.min_p},
        streams_(streams),
        callbacks_(callbacks),
        session_(decoder.model->session()),
        results_(prompts.size(), std::vector<Completion>(static_cast<size_t>(options.per_prompt))),
        samplers_(static_cast<size_t>(at::get_num_threads())),
        steered_(decoder.steering ? samplers_.size() : 0) {}

  std::vector<std::vector<Completion>> finish() {
    const OwnWorkers workers;
    while (true) {
      open_prompts();
      if (open_.empty() && live_.empty()) return std::move(results_);
      pass();
      start_answers();
    }
  }

 private:
  int64_t total() const { return static_cast<int64_t>(prompts_.size()) * options_.per_prompt; }

  // Opens prompts while the answers in flight and those about to start leave a place free.
  void open_prompts() {
    auto taken = static_cast<int64_t>(live_.size());
    for (const auto& prompt : open_) taken += options_.per_prompt - prompt.started;
    for (; taken < options_.batch && next_ < static_cast<int64_t>(prompts_.size());
         taken += options_.per_prompt)
      open_.push_back({.index = next_++, .sequence = session_->open()});
  }

  // One forward pass of everything that has tokens to feed.
  void pass() {
    std::vector<Feed> feeds;
    for (const auto& answer : live_) feeds.push_back({answer.sequence, {answer.result.ids.back()}, true});
    std::vector<OpenPrompt*> complete;
    int64_t budget = kPromptTokens;
    for (auto& prompt : open_) {
      const auto& ids = prompts_[static_cast<size_t>(prompt.index)];
      const auto length = static_cast<int64_t>(ids.size());
      const auto n = std::min(budget, length - prompt.fed);
      if (n == 0) continue;
      feeds.push_back({prompt.sequence, {ids.begin() + prompt.fed, ids.begin() + prompt.fed + n}, false});
      prompt.fed += n;
      budget -= n;
      if (prompt.fed < length) continue;
      feeds.back().wants_logits = true;
      complete.push_back(&prompt);
    }
    if (!feeds.empty()) use_logits(session_->forward(feeds), complete);
  }

  // Rows: the answers in flight, then prompts that are complete now.
  void use_logits(int64_t rows, const std::vector<OpenPrompt*>& complete) {
    const auto answers = static_cast<int64_t>(live_.size());
    std::vector<Token> draws(live_.size());
    logits_.resize(static_cast<size_t>(std::min(rows, kLogitRows) * decoder_.vocab));
    if (decoder_.steering) hidden_.resize(static_cast<size_t>(std::min(rows, kLogitRows) * decoder_.hidden));
    for (int64_t first = 0; first < rows; first += kLogitRows) {
      const auto count = std::min(kLogitRows, rows - first);
      session_->logits(first, count, logits_.data());
      if (decoder_.steering) session_->hidden(first, count, hidden_.data());
      parallel_for(0, count, 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          const float* row = logits_.data() + i * decoder_.vocab;
          const float* hidden = decoder_.steering ? hidden_.data() + i * decoder_.hidden : nullptr;
          if (first + i < answers) {
            draws[first + i] = draw(row, hidden, live_[first + i].rng);
            continue;
          }
          auto& prompt = *complete[first + i - answers];
          prompt.logits.assign(row, row + decoder_.vocab);
          if (hidden) prompt.hidden.assign(hidden, hidden + decoder_.hidden);
        }
      });
    }
    for (int64_t i = 0; i < answers; ++i) accept(live_[i], draws[i]);
    remove_ended();
  }

  // Starts answers of complete prompts, in order, while there are places.
  void start_answers() {
    for (auto prompt = open_.begin(); prompt != open_.end();) {
      while (!prompt->logits.empty() && prompt->started < options_.per_prompt &&
             static_cast<int64_t>(live_.size()) < options_.batch)
        start(*prompt);
      if (prompt->started < options_.per_prompt) {
        ++prompt;
        continue;
      }
      session_->close(prompt->sequence);
      prompt = open_.erase(prompt);
    }
  }

  void start(OpenPrompt& prompt) {
    const auto sample = prompt.started++;
    Answer answer{.prompt = prompt.index,
                  .sample = sample,
                  .sequence = session_->fork(prompt.sequence),
                  .rng = streams_[static_cast<size_t>(prompt.index)].child(sample)};
    if (!options_.stop.empty()) answer.stream = std::make_unique<StreamDecoder>(decoder_.tokenizer);
    const auto first = draw(prompt.logits.data(), prompt.hidden.data(), answer.rng);
    live_.push_back(std::move(answer));
    accept(live_.back(), first);
    remove_ended();
  }

  // The next token of one answer; steered logits are a copy, since the answers to a prompt share their first.
  Token draw(const float* logits, const float* hidden, Rng& rng) {
    const auto thread = static_cast<size_t>(at::get_thread_num());
    auto& sampler = samplers_[thread];
    if (!decoder_.steering) return {sampler.draw(logits, decoder_.vocab, filter_, rng)};
    auto& steered = steered_[thread];
    steered.assign(logits, logits + decoder_.vocab);
    decoder_.steering->steer(hidden, decoder_.hidden, steered.data(), decoder_.vocab);
    const auto drawn = sampler.draw(steered.data(), decoder_.vocab, filter_, rng);
    return {drawn, token_logp(logits, decoder_.vocab, drawn.id)};
  }

  // Adds a token to an answer and ends the answer when it is the last one.
  void accept(Answer& answer, const Token& token) {
    auto& result = answer.result;
    result.ids.push_back(token.id);
    result.logps.push_back(token.logp);
    if (decoder_.steering) result.base_logps.push_back(token.base_logp);
    if (callbacks_.on_token) callbacks_.on_token(answer.prompt, answer.sample, token.id);
    const auto room = decoder_.context - static_cast<int64_t>(prompts_[answer.prompt].size());
    if (!options_.ignore_stop && (is_stop(token.id) || completes_stop_string(answer, token.id)))
      result.finish = "stop";
    else if (static_cast<int64_t>(result.ids.size()) >= std::min(options_.max_new_tokens, room))
      result.finish = "length";
    else
      return;
    end(answer);
  }

  bool is_stop(int64_t id) const {
    return std::find(decoder_.stop_ids.begin(), decoder_.stop_ids.end(), id) != decoder_.stop_ids.end();
  }

  bool completes_stop_string(Answer& answer, int64_t id) const {
    if (!answer.stream) return false;
    answer.text += answer.stream->push(id);
    return std::any_of(options_.stop.begin(), options_.stop.end(),
                       [&](const auto& stop) { return answer.text.find(stop) != std::string::npos; });
  }

  void end(Answer& answer) {
    auto& result = answer.result;
    if (decoder_.tokenizer) {
      auto ids = result.ids;
      if (is_stop(ids.back()) && !options_.ignore_stop) ids.pop_back();
      result.text = decoder_.tokenizer->decode(ids, /*skip_special=*/true);
      for (const auto& stop : options_.stop) result.text = result.text.substr(0, result.text.find(stop));
    }
    session_->close(answer.sequence);
    answer.ended = true;
    results_[answer.prompt][answer.sample] = std::move(result);
    ++done_;
    if (callbacks_.on_done) callbacks_.on_done(done_, total());
  }

  void remove_ended() {
    std::erase_if(live_, [](const Answer& answer) { return answer.ended; });
  }

  const Decoder& decoder_;
  const std::vector<std::vector<int64_t>>& prompts_;
  const SamplingOptions& options_;
  SamplingFilter filter_;
  const std::vector<Rng>& streams_;
  const GenerateCallbacks& callbacks_;
  std::unique_ptr<Session> session_;
  std::vector<std::vector<Completion>> results_;
  std::vector<TokenSampler> samplers_;  // per thread
  std::vector<float> logits_, hidden_;
  std::vector<std::vector<float>> steered_;  // per thread
  std::list<OpenPrompt> open_;
  std::vector<Answer> live_;
  int64_t next_ = 0, done_ = 0;
};

}  // namespace

std::vector<std::vector<Completion>> run_decoding(const Decoder& decoder,
                                                  const std::vector<std::vector<int64_t>>& prompts,
                                                  const SamplingOptions& options,
                                                  const std::vector<Rng>& streams,
                                                  const GenerateCallbacks& callbacks) {
  return Run(decoder, prompts, options, streams, callbacks).finish();
}

}  // namespace plaudit::decode
