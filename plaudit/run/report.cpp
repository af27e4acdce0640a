#include "plaudit/run/report.h"

#include <fmt/format.h>

#include <cmath>

namespace plaudit::run {
namespace {

constexpr const char* style = R"(
:root{color-scheme:light dark;--fg:#222;--bg:#fff;--soft:#f4f5f7;--line:#dcdfe4}
@media (prefers-color-scheme:dark){:root{--fg:#e6e6e6;--bg:#16181c;--soft:#22252b;--line:#3a3f47}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg);max-width:64rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.7rem}h2{font-size:1.25rem;margin-top:2.2rem;border-bottom:1px solid var(--line)}
table{border-collapse:collapse;margin:1rem 0;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .8rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th{background:var(--soft)}svg{max-width:36rem;width:100%;height:auto;margin:.5rem 0}
.card{background:var(--soft);border-radius:.5rem;padding:.7rem 1rem;margin:.8rem 0}
.card b{display:block}.pair{display:grid;grid-template-columns:1fr 1fr;gap:1rem}
.pair p{margin:.3rem 0;white-space:pre-wrap;overflow-wrap:anywhere}.tag{font-size:.8rem;opacity:.7}
)";

std::string cells(const Json& row, const char* tag) {
  std::string out = "<tr>";
  for (const auto& cell : row) out += fmt::format("<{0}>{1}</{0}>", tag, escape_html(cell));
  return out + "</tr>\n";
}

std::string section_html(const Json& section) {
  const auto kind = section["kind"].get<std::string>();
  if (kind == "heading") return "<h2>" + escape_html(section["text"]) + "</h2>\n";
  if (kind == "paragraph") return "<p>" + escape_html(section["text"]) + "</p>\n";
  if (kind == "plot") return plot_svg(section);
  std::string out;
  if (kind == "table") {
    out = "<table>\n" + cells(section["columns"], "th");
    for (const auto& row : section["rows"]) out += cells(row, "td");
    return out + "</table>\n";
  }
  for (const auto& row : section["rows"])
    out += fmt::format(
        "<div class='card'><b>{}</b><div class='pair'><div><span class='tag'>{}</span><p>{}</p></div>"
        "<div><span class='tag'>{}</span><p>{}</p></div></div></div>\n",
        escape_html(row[0]), escape_html(section["left"]), escape_html(row[1]), escape_html(section["right"]),
        escape_html(row[2]));
  return out;
}

// JSON has no NaN: such points are kept as null and left out of the plot.
Json numbers(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double v : values) list.push_back(std::isfinite(v) ? Json(v) : Json(nullptr));
  return list;
}

}  // namespace

std::string escape_html(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

void Report::heading(const std::string& text) {
  sections_.push_back({{"kind", "heading"}, {"text", text}});
}

void Report::paragraph(const std::string& text) {
  sections_.push_back({{"kind", "paragraph"}, {"text", text}});
}

void Report::table(const std::vector<std::string>& columns,
                   const std::vector<std::vector<std::string>>& rows) {
  sections_.push_back({{"kind", "table"}, {"columns", columns}, {"rows", rows}});
}

void Report::plot(const std::string& title, const std::string& x_label, const std::string& y_label,
                  const std::vector<Series>& series, bool log_x) {
  Json list = Json::array();
  for (const auto& s : series) {
    Series kept{s.name, {}, {}, {}, {}};
    for (size_t i = 0; i < s.x.size(); ++i) {
      if (!std::isfinite(s.x[i]) || !std::isfinite(s.y[i])) continue;
      kept.x.push_back(s.x[i]);
      kept.y.push_back(s.y[i]);
      if (s.low.empty()) continue;
      kept.low.push_back(s.low[i]);
      kept.high.push_back(s.high[i]);
    }
    list.push_back({{"name", kept.name},
                    {"x", numbers(kept.x)},
                    {"y", numbers(kept.y)},
                    {"low", numbers(kept.low)},
                    {"high", numbers(kept.high)}});
  }
  sections_.push_back({{"kind", "plot"},
                       {"title", title},
                       {"x_label", x_label},
                       {"y_label", y_label},
                       {"series", list},
                       {"log_x", log_x}});
}

void Report::samples(const std::string& left, const std::string& right,
                     const std::vector<std::vector<std::string>>& prompt_left_right) {
  sections_.push_back({{"kind", "samples"}, {"left", left}, {"right", right}, {"rows", prompt_left_right}});
}

std::string Report::html(const std::string& title) const {
  std::string out = fmt::format(
      "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'><meta name='viewport' "
      "content='width=device-width'>"
      "<title>{0}</title><style>{1}</style></head><body>\n<h1>{0}</h1>\n",
      escape_html(title), style);
  for (const auto& section : sections_) out += section_html(section);
  return out + "</body></html>\n";
}

}  // namespace plaudit::run
