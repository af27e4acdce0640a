#include "plaudit/claim/claim_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plaudit/core/files.h"
#include "plaudit/run/plot.h"
#include "plaudit/run/plot_text.h"

namespace plaudit {
namespace {

struct Spread {
  double mean = 0, low = 0, high = 0;
};

// Over seeds, of element i of each seed's list.
Spread spread(const std::vector<std::vector<double>>& values, size_t i) {
  Spread out{0, INFINITY, -INFINITY};
  for (const auto& seed : values) {
    out.mean += seed[i] / static_cast<double>(values.size());
    out.low = std::min(out.low, seed[i]);
    out.high = std::max(out.high, seed[i]);
  }
  return out;
}

std::vector<std::vector<double>> values_of(const ClaimRun& run, const std::string& variant,
                                           const std::string& metric) {
  std::vector<std::vector<double>> out;
  for (const auto& result : run.variants.at(variant)) out.push_back(result.values(metric));
  return out;
}

bool complete(const std::vector<std::vector<double>>& values) {
  return std::all_of(values.begin(), values.end(),
                     [&](const auto& seed) { return !seed.empty() && seed.size() == values.front().size(); });
}

using Row = std::vector<std::string>;

std::string cell(const std::vector<std::vector<double>>& values) {
  if (!complete(values)) return "";
  const auto s = spread(values, 0);
  return values.size() == 1 ? fmt::format("{:.4g}", s.mean)
                            : fmt::format("{:.3g} ({:.3g} to {:.3g})", s.mean, s.low, s.high);
}

// The header first. Metrics that no variant measured under their plain name are left out.
std::vector<Row> metric_rows(const Claim& claim, const ClaimRun& run) {
  std::vector<std::string> metrics;
  for (const auto& [name, doc] : claim.metrics) {
    const bool any =
        std::any_of(claim.variants.begin(), claim.variants.end(),
                    [&, &metric = name](const auto& v) { return complete(values_of(run, v.name, metric)); });
    if (any) metrics.push_back(name);
  }
  std::vector<Row> rows = {{"variant"}};
  rows[0].insert(rows[0].end(), metrics.begin(), metrics.end());
  for (const auto& variant : claim.variants) {
    Row row = {variant.name};
    for (const auto& metric : metrics) row.push_back(cell(values_of(run, variant.name, metric)));
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string values_text(const BarResult& bar) {
  if (bar.values.size() == 1 || bar.values.size() > 12) return "";
  std::string out;
  for (const double value : bar.values) out += fmt::format("{}{:.4g}", out.empty() ? "" : ", ", value);
  return out;
}

std::vector<Row> bar_rows(const std::vector<BarResult>& bars) {
  std::vector<Row> rows = {{"verdict", "bar", "measured", "bound", "all values"}};
  for (const auto& bar : bars)
    rows.push_back({bar.pass ? "PASS" : "FAIL", bar.name, fmt::format("{:.4g}", bar.value),
                    fmt::format("{} {:.4g}", bar.compare, bar.bound), values_text(bar)});
  return rows;
}

std::string aligned(const std::vector<Row>& rows) {
  std::vector<size_t> widths(rows[0].size(), 0);
  for (const auto& row : rows)
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  std::string out;
  for (const auto& row : rows) {
    std::string line = " ";
    for (size_t i = 0; i < row.size(); ++i) line += fmt::format(" {:<{}} ", row[i], widths[i]);
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return out;
}

std::string markdown(const std::vector<Row>& rows) {
  std::string out;
  for (size_t r = 0; r < rows.size(); ++r) {
    for (auto text : rows[r]) {
      for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.replace(at, 1, "\\|");
      out += "| " + text + " ";
    }
    out += "|\n";
    if (r > 0) continue;
    for (size_t i = 0; i < rows[r].size(); ++i) out += "| --- ";
    out += "|\n";
  }
  return out;
}

std::string seeds_text(const ClaimRun& run) {
  std::string out;
  for (const auto seed : run.seeds) out += fmt::format("{}{}", out.empty() ? "" : ", ", seed);
  return out;
}

std::string doc_of(const Claim& claim, const std::string& metric) {
  const auto base = metric.substr(0, metric.find_first_of("@/"));
  for (const auto& [name, doc] : claim.metrics)
    if (name == base) return doc;
  return base;
}

std::string bar_plot(const Claim& claim, const ClaimRun& run, const ClaimPlot& plot,
                     const std::vector<std::string>& names) {
  std::vector<Bar> bars;
  for (const auto& name : names) {
    const auto values = values_of(run, name, plot.y);
    if (!complete(values)) continue;
    const auto s = spread(values, 0);
    if (std::isfinite(s.mean)) bars.push_back({name, s.mean, s.low, s.high});
  }
  return bar_plot_svg({plot.title, doc_of(claim, plot.y), "", false}, bars);
}

std::string line_plot(const Claim& claim, const ClaimRun& run, const ClaimPlot& plot,
                      const std::vector<std::string>& names) {
  std::vector<Series> series;
  for (const auto& name : names) {
    const auto x = values_of(run, name, plot.x), y = values_of(run, name, plot.y);
    if (!complete(x) || !complete(y) || x[0].size() != y[0].size()) continue;
    Series line{name, {}, {}, {}, {}};
    for (size_t i = 0; i < x[0].size(); ++i) {
      const auto s = spread(y, i);
      line.x.push_back(spread(x, i).mean);
      line.y.push_back(s.mean);
      line.low.push_back(s.low);
      line.high.push_back(s.high);
    }
    series.push_back(std::move(line));
  }
  return line_plot_svg({plot.title, doc_of(claim, plot.x), doc_of(claim, plot.y), false}, series);
}

}  // namespace

Json claim_json(const Claim& claim, const ClaimRun& run, const std::vector<BarResult>& bars) {
  const auto number = [](double x) { return std::isfinite(x) ? Json(x) : Json(fmt::format("{}", x)); };
  Json out = {{"claim", claim.number}, {"title", claim.title}, {"seeds", run.seeds}, {"bars", Json::array()}};
  for (const auto& bar : bars) {
    Json values = Json::array();
    for (const double value : bar.values) values.push_back(number(value));
    out["bars"].push_back({{"name", bar.name},
                           {"value", number(bar.value)},
                           {"bound", bar.bound},
                           {"compare", bar.compare},
                           {"pass", bar.pass},
                           {"control", bar.control},
                           {"values", values}});
  }
  out["variants"] = Json::object();
  for (const auto& variant : claim.variants) {
    Json metrics = Json::object();
    const auto& results = run.variants.at(variant.name);
    for (const auto& [name, first] : results.front().metrics) {
      const auto values = values_of(run, variant.name, name);
      if (!complete(values)) continue;
      const auto s = spread(values, 0);
      Json list = Json::array();
      for (const auto& seed : values) list.push_back(number(seed[0]));
      metrics[name] = {
          {"mean", number(s.mean)}, {"low", number(s.low)}, {"high", number(s.high)}, {"values", list}};
    }
    out["variants"][variant.name] = metrics;
  }
  out["seconds"] = run.seconds;
  out["cpu_seconds"] = run.cpu_seconds;
  out["verdict"] = all_pass(bars) ? "pass" : "fail";
  return out;
}

std::string claim_text(const Claim& claim, const ClaimRun& run, const std::vector<BarResult>& bars) {
  return fmt::format(
      "claim {}: {}\nseeds {}; mean (lowest to highest) over seeds\n\n{}\n{}\nclaim {}: {} in {:.1f} s\n",
      claim.number, claim.title, seeds_text(run), aligned(metric_rows(claim, run)), aligned(bar_rows(bars)),
      claim.number, all_pass(bars) ? "PASS" : "FAIL", run.seconds);
}

std::string claim_markdown(const Claim& claim, const ClaimRun& run, const std::vector<BarResult>& bars) {
  return fmt::format(
      "# Claim {}: {}\n\n{}{}Seeds {}; mean (lowest to highest) over seeds.\n\n{}\n{}\nVerdict: {}\n",
      claim.number, claim.title, claim.doc, claim.doc.empty() ? "" : "\n\n", seeds_text(run),
      markdown(metric_rows(claim, run)), markdown(bar_rows(bars)), all_pass(bars) ? "PASS" : "FAIL");
}

std::vector<std::string> claim_plots(const Claim& claim, const ClaimRun& run) {
  std::vector<std::string> out;
  for (const auto& plot : claim.plots) {
    auto names = plot.variants;
    if (names.empty())
      for (const auto& variant : claim.variants) names.push_back(variant.name);
    out.push_back(plot.x.empty() ? bar_plot(claim, run, plot, names) : line_plot(claim, run, plot, names));
  }
  return out;
}

void write_claim_report(const std::string& folder, const Claim& claim, const ClaimRun& run,
                        const std::vector<BarResult>& bars) {
  create_folder(folder);
  write_json(folder + "/result.json", claim_json(claim, run, bars));
  write_file_atomic(folder + "/table.txt", claim_text(claim, run, bars));
  write_file_atomic(folder + "/table.md", claim_markdown(claim, run, bars));
  const auto plots = claim_plots(claim, run);
  for (size_t i = 0; i < plots.size(); ++i)
    write_file_atomic(fmt::format("{}/plot-{}.svg", folder, i + 1), plots[i]);
}

}  // namespace plaudit
