// When and how fast to call an annotator again, and under which name to remember its answer.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "plaudit/core/call.h"
#include "plaudit/core/checks.h"

namespace plaudit {

struct Backoff {
  double base = 0.5;            // seconds
  double cap = 8;               // seconds
  double retry_after_max = 60;  // a server may ask for at most this
};

// Seconds before retry `attempt` (from 0): what the server asked for if in (0, retry_after_max], else
// min(base 2^attempt, cap) (1 - jitter/4), jitter in [0,1].
double backoff_delay(int64_t attempt, double jitter, std::optional<double> retry_after,
                     const Backoff& backoff = {});

// True for a transport failure (status 0), 408, 409, 429 and >= 500, unless the header x-should-retry (name
// in any case) says exactly "true" or "false".
bool should_retry(int64_t status, const std::map<std::string, std::string>& headers);

// Start times of requests that arrive at `arrival` [N] (ascending) and cost `cost` [N] >= 0, first-in
// first-out, from a token bucket that is full at time 0, refills at `rate` > 0 and holds `burst` > 0. A cost
// above the burst waits until the deficit is refilled and leaves the bucket empty.
Tensor token_bucket_starts(const Tensor& arrival, const Tensor& cost, double rate, double burst);

struct RequestKey {
  std::string canonical;  // RFC 8785: keys sorted by UTF-16 code units, no spaces, shortest numbers
  std::string key;        // SHA-256 of it, hexadecimal
};
// Of the object as it is: take out what must not count (stream, user) first.
RequestKey request_key(const Json& request);

}  // namespace plaudit
