#include "plaudit/objective/sequence_logps.h"

#include <ATen/ATen.h>
#include <fmt/ranges.h>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

// Positions per chunk such that a chunk's temporaries stay within about 4 M numbers.
int64_t chunk_size(const Tensor& logits) {
  const int64_t per_position = std::max<int64_t>(1, logits.numel() / logits.size(-2));
  return std::max<int64_t>(1, (int64_t{1} << 22) / per_position);
}

// log softmax(z)[label] where `counted`, 0 elsewhere. z [...,C,V]; labels, counted [...,C].
Tensor gather_logps(const Check& check, const Tensor& z_raw, const Tensor& labels, const Tensor& counted) {
  // Selected before the arithmetic: NaN logits where nothing counts reach neither value nor gradient.
  const auto z = at::where(counted.unsqueeze(-1), as_real(z_raw), 0.0);
  // NaN and +inf show in the result, -inf beside a finite label would not.
  check.finite("logits", z.detach().amin(-1));
  return z.gather(-1, labels.unsqueeze(-1)).squeeze(-1) - z.logsumexp(-1);
}

// As gather_logps, chunk by chunk; labels that do not count may hold anything.
Tensor token_logps_of(const Check& check, const Tensor& logits, const Tensor& labels, const Tensor& counted) {
  const auto targets = keep_valid(labels, counted);
  Tensor logps;
  if (!readable(logits)) {
    logps = gather_logps(check, logits, targets,
                         counted);  // a compiler or a large device takes the whole at once
  } else {
    const int64_t size = chunk_size(logits);
    const auto z = logits.split(size, -2), t = targets.split(size, -1), c = counted.split(size, -1);
    std::vector<Tensor> parts;
    for (size_t i = 0; i < z.size(); ++i) parts.push_back(gather_logps(check, z[i], t[i], c[i]));
    logps = at::cat(parts, -1);
  }
  return keep_valid(logps, counted);
}

void check_labels(const Check& check, const Tensor& labels, const Tensor& counted, const Tensor& lengths,
                  int64_t vocabulary) {
  if (readable(lengths)) {
    const auto bare = lengths.eq(0);
    if (bare.any().item<bool>())
      check.refuse(ErrorKind::empty, "labels",
                   fmt::format("count no token in sequence {}", bare.to(at::kInt).argmax().item<int64_t>()));
  }
  check.index_range("labels", keep_valid(labels, counted), 0, vocabulary);
}

void check_sizes(const Check& check, const Tensor& logits, int64_t dims, const Tensor& labels) {
  check.not_empty("logits", logits);
  check.not_empty("labels", labels);
  check.dim("logits", logits, dims);
  check.dim("labels", labels, dims - 1);
  check.whole("labels", labels);
  for (int64_t d = 0; d + 1 < dims; ++d) check.same_size("logits", logits, d, "labels", labels, d);
}

}  // namespace

SequenceLogps sequence_logps(const Tensor& logits, const Tensor& labels, const LogpOptions& options) {
  const Check check("preference.sequence_logps");
  check_sizes(check, logits, 3, labels);
  const auto shifted = labels.slice(1, 1).to(at::kLong);
  const auto counted = shifted.ne(options.ignore_index);
  const auto lengths = counted.sum(1);
  check_labels(check, shifted, counted, lengths, logits.size(2));
  const auto token_logps = token_logps_of(check, logits.slice(1, 0, -1), shifted, counted);
  check.finite("logits", token_logps);
  const auto sums = token_logps.sum(1);
  return {options.average ? sums / lengths : sums, lengths, token_logps};
}

PackedLogps packed_sequence_logps(const Tensor& logits, const Tensor& labels, const Tensor& cu_seqlens,
                                  const LogpOptions& options) {
  const Check check("preference.packed_sequence_logps");
  check_sizes(check, logits, 2, labels);
  check.not_empty("cu_seqlens", cu_seqlens);
  check.dim("cu_seqlens", cu_seqlens, 1);
  check.whole("cu_seqlens", cu_seqlens);
  check.that(cu_seqlens.size(0) >= 2, "cu_seqlens", "a list of at least 2 offsets", cu_seqlens.size(0));
  const auto offsets = cu_seqlens.to(at::kLong);
  if (readable(offsets)) {
    const auto last = offsets[-1].item<int64_t>();
    check.that(offsets[0].item<int64_t>() == 0, "cu_seqlens", "0 at its start", offsets[0].item<int64_t>());
    check.that(last == labels.size(0), "cu_seqlens", fmt::format("{} at its end", labels.size(0)), last);
    check.that(
        offsets.diff().gt(0).all().item<bool>(), "cu_seqlens", "strictly increasing",
        fmt::format("[{}]", fmt::join(std::vector<int64_t>(offsets.data_ptr<int64_t>(),
                                                           offsets.data_ptr<int64_t>() + offsets.numel()),
                                      ", ")));
  }
  // Position i predicts label i+1, unless i ends a document.
  const auto position = at::arange(labels.size(0), offsets.options());
  const auto document_of = at::searchsorted(offsets, position, /*out_int32=*/false, /*right=*/true) - 1;
  const auto document = document_of.slice(0, 0, -1);
  const auto shifted = labels.slice(0, 1).to(at::kLong);
  const auto counted = shifted.ne(options.ignore_index).logical_and(document.eq(document_of.slice(0, 1)));
  const auto sum_by_document = [&](const Tensor& x) {
    return at::zeros({offsets.size(0) - 1}, x.options()).index_add(0, document, x);
  };
  const auto lengths = sum_by_document(counted.to(at::kLong));
  check_labels(check, shifted, counted, lengths, logits.size(1));
  const auto token_logps = token_logps_of(check, logits.slice(0, 0, -1), shifted, counted);
  check.finite("logits", token_logps);
  const auto sums = sum_by_document(token_logps);
  return {options.average ? sums / lengths : sums, lengths};
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def(
      "sequence_logps(Tensor logits, Tensor labels, int ignore_index=-100, bool average=False) -> "
      "(Tensor logps, Tensor lengths, Tensor token_logps)",
      [](const Tensor& logits, const Tensor& labels, int64_t ignore_index, bool average) {
        return as_tuple(sequence_logps(logits, labels, {ignore_index, average}));
      },
      "Log-probabilities of padded answers from logits, labels shifted by one.", {"48", "15", "41", "43"});
  m.def(
      "packed_sequence_logps(Tensor logits, Tensor labels, Tensor cu_seqlens, int ignore_index=-100, "
      "bool average=False) -> (Tensor logps, Tensor lengths)",
      [](const Tensor& logits, const Tensor& labels, const Tensor& cu_seqlens, int64_t ignore_index,
         bool average) {
        return as_tuple(packed_sequence_logps(logits, labels, cu_seqlens, {ignore_index, average}));
      },
      "Log-probabilities of answers packed end to end; no label crosses a document.", {"48"});
}

}  // namespace plaudit
