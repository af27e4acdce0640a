#include "bench/bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace plaudit::bench {
double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto half = values.size() / 2;
  return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

namespace {

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

// Whether both sides report the same numbers, to 1e-3.
bool equal_work(const Json& ours, const Json& theirs) {
  for (const auto& [key, value] : ours.items()) {
    if (!theirs.contains(key)) return false;
    const double a = value.get<double>(), b = theirs.at(key).get<double>();
    if (std::abs(a - b) > 1e-3 * std::max(1.0, std::abs(b))) return false;
  }
  return true;
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
  out["same_work"]["equal"] = equal_work(job.ours.front().same_work, job.theirs.front().same_work);
  return out;
}

}  // namespace

Json to_json(const BenchReport& report) {
  Json jobs = Json::array();
  for (const auto& job : report.jobs) jobs.push_back(job_json(job));
  return {{"machine", to_json(report.machine)}, {"limits", report.limits}, {"jobs", jobs}};
}

namespace {

void print_job(const JobResult& job) {
  const bool peer = !job.theirs.empty();
  std::string ratio = "-", theirs = "-", peer_mib = "-", memory = "-", same = "-";
  if (peer) {
    const auto r = ratios(job);
    ratio = fmt::format("{:.2f} ({:.2f}-{:.2f})", median(r), *std::min_element(r.begin(), r.end()),
                        *std::max_element(r.begin(), r.end()));
    theirs = fmt::format("{:.1f}", median_rate(job.theirs));
    peer_mib = fmt::format("{:.0f}", peak(job.theirs));
    memory = fmt::format("{:.0f} %", 100 * peak(job.ours) / peak(job.theirs));
    same = equal_work(job.ours.front().same_work, job.theirs.front().same_work) ? "yes" : "no";
  }
  const auto limit = job.share_of_limit ? fmt::format("{:.0f} %", 100 * *job.share_of_limit) : "-";
  const auto our_mib = peak(job.ours) > 0 ? fmt::format("{:.0f}", peak(job.ours)) : "-";
  fmt::print("{:<26} {:<5} {:>9.1f} {:>9} {:<9} {:>18} {:>8} {:>8} {:>8} {:>8} {:>6}\n", job.job,
             job.precision, median_rate(job.ours), theirs, job.unit, ratio, limit, our_mib, peer_mib, memory,
             same);
}

// What shows that both sides did the same work, where that is more than its size.
void print_same_work(const JobResult& job) {
  if (job.theirs.empty() || !job.ours.front().same_work.contains("first_loss")) return;
  fmt::print("  {} {}: ours {}, {} {}\n", job.job, job.precision, job.ours.front().same_work.dump(), job.peer,
             job.theirs.front().same_work.dump());
}

}  // namespace

void print(const BenchReport& report) {
  const auto& m = report.machine;
  fmt::print("{}, {} cores, {} threads, {:.0f} GiB, torch {}, {}{}\n", m.processor, m.cores, m.threads,
             m.memory_gib, m.torch, m.blas, m.bf16_native ? ", native bf16" : "");
  for (const auto& [name, value] : report.limits.items())
    fmt::print("  {:<28} {:>8.1f}\n", name, value.get<double>());
  if (report.jobs.empty()) return;
  fmt::print("\n{:<26} {:<5} {:>9} {:>9} {:<9} {:>18} {:>8} {:>8} {:>8} {:>8} {:>6}\n", "job", "prec", "ours",
             "peer", "unit", "ratio (min-max)", "of limit", "our MiB", "peer MiB", "memory", "same");
  for (const auto& job : report.jobs) print_job(job);
  std::set<std::string> peers;
  for (const auto& job : report.jobs) {
    print_same_work(job);
    if (!job.theirs.empty() && !job.theirs.front().version.empty()) peers.insert(job.theirs.front().version);
  }
  for (const auto& version : peers) fmt::print("  peer: {}\n", version);
}

BenchReport begin_report() {
  BenchReport report{machine(), Json::object(), {}};
  report.limits["gemm f32 2048, GFLOP/s"] = gemm_gflops(at::kFloat, 2048, 2048, 2048);
  report.limits["gemm bf16 2048, GFLOP/s"] = gemm_gflops(at::kBFloat16, 2048, 2048, 2048);
  report.limits["memory read, GB/s"] = memory_read_gbs();
  return report;
}

}  // namespace plaudit::bench
