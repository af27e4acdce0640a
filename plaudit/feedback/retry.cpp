#include "plaudit/feedback/retry.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/sha256.h"
#include "plaudit/core/tensors.h"
#include "plaudit/data/text.h"
#include "plaudit/data/unicode.h"

namespace plaudit {
namespace {

// The UTF-16 code units of `text`, by which keys are ordered.
std::u16string utf16(const std::string& text) {
  const auto valid = repair_utf8(text);
  std::u16string units;
  for (size_t pos = 0; pos < valid.size();) {
    const auto c = next_code_point(valid, pos);
    if (c < 0x10000) {
      units.push_back(static_cast<char16_t>(c));
    } else {
      units.push_back(static_cast<char16_t>(0xD800 + ((c - 0x10000) >> 10)));
      units.push_back(static_cast<char16_t>(0xDC00 + ((c - 0x10000) & 0x3FF)));
    }
  }
  return units;
}

// The shortest digits that give x back, written as ECMAScript does: plain between 1e-6 and 1e21.
std::string shortest(double x) {
  if (x == 0) return "0";
  char buffer[64];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, std::abs(x), std::chars_format::scientific).ptr;
  const std::string text(buffer, end);
  const auto e = text.find('e');
  const int exponent = std::stoi(text.substr(e + 1));
  std::string digits = text.substr(0, e);
  std::erase(digits, '.');
  const auto count = static_cast<int>(digits.size());
  std::string out;
  if (exponent >= 21 || exponent < -6) {
    out = digits.substr(0, 1) + (count > 1 ? "." + digits.substr(1) : "") + "e" + (exponent < 0 ? "-" : "+") +
          std::to_string(std::abs(exponent));
  } else if (exponent < 0) {
    out = "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
  } else if (count <= exponent + 1) {
    out = digits + std::string(static_cast<size_t>(exponent + 1 - count), '0');
  } else {
    out = digits.substr(0, static_cast<size_t>(exponent) + 1) + "." +
          digits.substr(static_cast<size_t>(exponent) + 1);
  }
  return x < 0 ? "-" + out : out;
}

void canonicalize(const Json& value, std::string& out) {
  if (value.is_object()) {
    std::vector<std::pair<std::u16string, const std::string*>> keys;
    for (auto entry = value.begin(); entry != value.end(); ++entry)
      keys.emplace_back(utf16(entry.key()), &entry.key());
    std::sort(keys.begin(), keys.end());
    out += '{';
    for (const auto& [units, key] : keys) {
      if (out.back() != '{') out += ',';
      out += Json(*key).dump() + ':';
      canonicalize(value.at(*key), out);
    }
    out += '}';
  } else if (value.is_array()) {
    out += '[';
    for (const auto& item : value) {
      if (out.back() != '[') out += ',';
      canonicalize(item, out);
    }
    out += ']';
  } else {
    out += value.is_number_float() ? shortest(value.get<double>()) : value.dump();
  }
}

std::string lower_ascii(std::string text) {
  for (auto& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return text;
}

}  // namespace

double backoff_delay(int64_t attempt, double jitter, std::optional<double> retry_after,
                     const Backoff& backoff) {
  const Check check("verify.backoff_delay");
  check.that(attempt >= 0, "attempt", ">= 0", attempt);
  check.that(jitter >= 0 && jitter <= 1, "jitter", "in [0, 1]", jitter);
  check.that(backoff.base > 0, "base", "> 0", backoff.base);
  check.that(backoff.cap > 0, "cap", "> 0", backoff.cap);
  if (retry_after && *retry_after > 0 && *retry_after <= backoff.retry_after_max) return *retry_after;
  const auto exponent = static_cast<int>(std::min<int64_t>(attempt, 1000));
  return std::min(std::ldexp(backoff.base, exponent), backoff.cap) * (1 - 0.25 * jitter);
}

bool should_retry(int64_t status, const std::map<std::string, std::string>& headers) {
  for (const auto& [name, value] : headers) {
    if (lower_ascii(name) != "x-should-retry") continue;
    if (value == "true") return true;
    if (value == "false") return false;
  }
  return status == 0 || status == 408 || status == 409 || status == 429 || status >= 500;
}

Tensor token_bucket_starts(const Tensor& arrival, const Tensor& cost, double rate, double burst) {
  const Check check("filter.token_bucket");
  check.not_empty("arrival", arrival);
  check.dim("arrival", arrival, 1);
  check.same_shape("arrival", arrival, "cost", cost);
  check.finite("arrival", arrival);
  check.finite("cost", cost);
  check.that(rate > 0, "rate", "> 0", rate);
  check.that(burst > 0, "burst", "> 0", burst);
  check.range("cost", cost, 0, INFINITY);
  if (arrival.slice(0, 1).lt(arrival.slice(0, 0, -1)).any().item<bool>())
    check.refuse(ErrorKind::value, "arrival", "must ascend");
  const auto times = on_cpu_f64(arrival), costs = on_cpu_f64(cost);
  std::vector<double> starts;
  double tokens = burst, clock = 0;  // tokens at time `clock`
  for (int64_t i = 0; i < times.numel(); ++i) {
    const double now = std::max(times.const_data_ptr<double>()[i], clock),
                 need = costs.const_data_ptr<double>()[i];
    tokens = std::min(burst, tokens + (now - clock) * rate);
    clock = now;
    if (tokens < need) {
      clock += (need - tokens) / rate;
      tokens = 0;
    } else {
      tokens -= need;
    }
    starts.push_back(clock);
  }
  return at::tensor(starts, at::kDouble);
}

RequestKey request_key(const Json& request) {
  RequestKey result;
  canonicalize(request, result.canonical);
  Sha256 digest;
  digest.update(result.canonical.data(), result.canonical.size());
  result.key = digest.hex();
  return result;
}

namespace {

Json parsed(std::string_view function, std::string_view argument, const std::string& text) {
  auto json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object())
    Check(function).refuse(ErrorKind::type, argument, "must be an object, got " + excerpt(text));
  return json;
}

}  // namespace

PLAUDIT_FUNCTIONS(verify, m) {
  m.def(
      "backoff_delay(int attempt, float jitter, float? retry_after=None, float base=0.5, float cap=8., float "
      "retry_after_max=60.) -> (float seconds)",
      [](int64_t attempt, double jitter, std::optional<double> retry_after, double base, double cap,
         double most) {
        return backoff_delay(attempt, jitter, retry_after, {base, cap, most});
      },
      "Seconds to wait before the next try.", {"91"});
  m.def("should_retry(int status, str headers='{}') -> (bool retry)",
        [](int64_t status, const std::string& headers) {
          std::map<std::string, std::string> values;
          const auto json = parsed("verify.should_retry", "headers", headers);
          for (const auto& [name, value] : json.items()) {
            if (value.is_string()) values[name] = value.get<std::string>();
          }
          return should_retry(status, values);
        },
        "Whether a failed request may be sent again.", {"91"});
  m.def("request_key(str request) -> (str canonical, str key)",
        [](const std::string& request) {
          return as_tuple(request_key(parsed("verify.request_key", "request", request)));
        },
        "Canonical JSON of a request and its SHA-256.", {"91"});
}

PLAUDIT_FUNCTIONS(filter, m) {
  m.def("token_bucket(Tensor arrival, Tensor cost, float rate, float burst) -> (Tensor start)",
        &token_bucket_starts, "When rate-limited requests start.", {"91"});
}

}  // namespace plaudit
