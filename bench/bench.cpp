#include "bench/bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace plaudit::bench {
namespace {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto half = values.size() / 2;
  return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double median_rate(const std::vector<Measurement>& side) {
  std::vector<double> rates;
  for (const auto& m : side) rates.push_back(m.rate);
  return median(rates);
}

double peak(const std::vector<Measurement>& side) {
  double most = 0;
  for (const auto& m : side) most = std::max(most, m.peak_mib);
  return most;
}

// Ours over theirs, round by round.
std::vector<double> ratios(const JobResult& job) {
  std::vector<double> out;
  for (size_t i = 0; i < std::min(job.ours.size(), job.theirs.size()); ++i)
    out.push_back(job.ours[i].rate / job.theirs[i].rate);
  return out;
}

Json job_json(const JobResult& job) {
  Json out = {{"job", job.job},
              {"precision", job.precision},
              {"unit", job.unit},
              {"peer", nullptr},
              {"peer_version", nullptr},
              {"ours", median_rate(job.ours)},
              {"theirs", nullptr},
              {"ratio", nullptr},
              {"peak_mib", {peak(job.ours), nullptr}},
              {"share_of_limit", nullptr},
              {"same_work", Json::object()}};
  if (job.share_of_limit) out["share_of_limit"] = *job.share_of_limit;
  out["same_work"]["ours"] = job.ours.front().same_work;
  if (job.theirs.empty()) return out;
  const auto r = ratios(job);
  out["peer"] = job.peer;
  out["peer_version"] = job.theirs.front().version;
  out["theirs"] = median_rate(job.theirs);
  out["ratio"] = {{"median", median(r)},
                  {"min", *std::min_element(r.begin(), r.end())},
                  {"max", *std::max_element(r.begin(), r.end())}};
  out["peak_mib"][1] = peak(job.theirs);
  out["same_work"]["theirs"] = job.theirs.front().same_work;
  return out;
}

}  // namespace

Json to_json(const BenchReport& report) {
  Json jobs = Json::array();
  for (const auto& job : report.jobs) jobs.push_back(job_json(job));
  return {{"machine", to_json(report.machine)}, {"limits", report.limits}, {"jobs", jobs}};
}

void print(const BenchReport& report) {
  const auto& m = report.machine;
  fmt::print("{}, {} cores, {} threads, {:.0f} GiB, torch {}, {}{}\n", m.processor, m.cores, m.threads,
             m.memory_gib, m.torch, m.blas, m.bf16_native ? ", native bf16" : "");
  for (const auto& [name, value] : report.limits.items())
    fmt::print("  {:<28} {:>8.1f}\n", name, value.get<double>());
  if (report.jobs.empty()) return;
  fmt::print("\n{:<22} {:<5} {:>10} {:<10} {:>10} {:>18} {:>10} {:>10}\n", "job", "prec", "ours", "unit",
             "peer", "ratio (min-max)", "our MiB", "peer MiB");
  for (const auto& job : report.jobs) {
    const bool peer = !job.theirs.empty();
    const auto r = ratios(job);
    const auto ratio =
        peer ? fmt::format("{:.2f} ({:.2f}-{:.2f})", median(r), *std::min_element(r.begin(), r.end()),
                           *std::max_element(r.begin(), r.end()))
        : job.share_of_limit ? fmt::format("{:.0f} % of limit", 100 * *job.share_of_limit)
                             : "-";
    fmt::print("{:<22} {:<5} {:>10.1f} {:<10} {:>10} {:>18} {:>10.0f} {:>10}\n", job.job, job.precision,
               median_rate(job.ours), job.unit, peer ? fmt::format("{:.1f}", median_rate(job.theirs)) : "-",
               ratio, peak(job.ours), peer ? fmt::format("{:.0f}", peak(job.theirs)) : "-");
  }
}

BenchReport begin_report() {
  BenchReport report{machine(), Json::object(), {}};
  report.limits["gemm f32 2048, GFLOP/s"] = gemm_gflops(at::kFloat, 2048, 2048, 2048);
  report.limits["gemm bf16 2048, GFLOP/s"] = gemm_gflops(at::kBFloat16, 2048, 2048, 2048);
  report.limits["memory read, GB/s"] = memory_read_gbs();
  return report;
}

}  // namespace plaudit::bench
