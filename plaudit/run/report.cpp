#include "plaudit/run/report.h"

#include <fmt/format.h>

#include <charconv>

#include "plaudit/core/errors.h"
#include "plaudit/run/html.h"

namespace plaudit {
namespace {

constexpr const char* page_style = R"(
:root{color-scheme:light dark;--ink:#1f2328;--soft:#59636e;--rule:#d1d9e0;--paper:#fff;--card:#f6f8fa}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa4af;--rule:#3a424b;--paper:#15191e;--card:#1d232a}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:52rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.7rem;line-height:1.2}h2{font-size:1.2rem;margin-top:2.2rem}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem;margin:1rem 0}
th,td{padding:.35rem .8rem;border-bottom:1px solid var(--rule);text-align:left;vertical-align:top}
th{color:var(--soft);font-weight:600}.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
img{display:block;max-width:100%;margin:1rem 0;border-radius:8px}
svg.plot{width:100%;height:auto;margin:1rem 0;border:1px solid var(--rule);border-radius:8px}
.sample{border:1px solid var(--rule);border-radius:8px;margin:1rem 0;overflow:hidden}
.sample>p{margin:0;padding:.6rem .9rem;background:var(--card);font-weight:600;white-space:pre-wrap;overflow-wrap:anywhere}
.sides{display:grid;grid-template-columns:1fr 1fr}.sides>div{padding:.6rem .9rem;white-space:pre-wrap;overflow-wrap:anywhere}
.sides>div+div{border-left:1px solid var(--rule)}.sides b,.sides i{display:block;font-size:.8rem;color:var(--soft);font-style:normal}
@media(max-width:38rem){.sides{grid-template-columns:1fr}.sides>div+div{border-left:0;border-top:1px solid var(--rule)}}
)";

// "0.25", "-3", "12 %", "[0.1, 0.2]": what is read down a column.
bool is_number(const std::string& cell) {
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc{}) return !cell.empty() && cell.front() == '[' && cell.back() == ']';
  const std::string_view rest(end, static_cast<size_t>(cell.data() + cell.size() - end));
  return rest.empty() || rest == "%" || rest == " %";
}

std::string row_html(const std::vector<std::string>& cells, const char* tag) {
  std::string out = "<tr>";
  for (const auto& cell : cells)
    out +=
        fmt::format("<{}{}>{}</{}>", tag, is_number(cell) ? " class=\"number\"" : "", escape_html(cell), tag);
  return out + "</tr>\n";
}

std::string table_html(const Json& block) {
  std::string out = "<div class=\"wide\"><table>\n<thead>" +
                    row_html(block.at("header").get<std::vector<std::string>>(), "th") +
                    "</thead>\n<tbody>\n";
  for (const auto& row : block.at("rows")) out += row_html(row.get<std::vector<std::string>>(), "td");
  return out + "</tbody></table></div>\n";
}

std::string side_html(const char* name, const Json& text, const Json& note) {
  return fmt::format("<div><b>{}</b>{}<i>{}</i></div>", name, escape_html(text.get<std::string>()),
                     escape_html(note.get<std::string>()));
}

std::string samples_html(const Json& block) {
  std::string out;
  for (const auto& s : block.at("samples"))
    out += fmt::format("<div class=\"sample\"><p>{}</p><div class=\"sides\">{}{}</div></div>\n",
                       escape_html(s.at(0).get<std::string>()), side_html("before", s.at(1), s.at(2)),
                       side_html("after", s.at(3), s.at(4)));
  return out;
}

std::string block_html(const Json& block) {
  const auto kind = block.at("kind").get<std::string>();
  if (kind == "heading") return "<h2>" + escape_html(block.at("text").get<std::string>()) + "</h2>\n";
  if (kind == "paragraph") return "<p>" + escape_html(block.at("text").get<std::string>()) + "</p>\n";
  if (kind == "table") return table_html(block);
  if (kind == "samples") return samples_html(block);
  if (kind == "picture")
    return fmt::format("<img src=\"{}\" alt=\"{}\">\n", escape_html(block.at("file").get<std::string>()),
                       escape_html(block.at("text").get<std::string>()));
  if (kind == "svg")
    return "<figure style=\"margin:0\">" + block.at("svg").get<std::string>() + "</figure>\n";
  bug("report", "there is no block '" + kind + "'");
}

}  // namespace

Report::Report(std::string title) : title_(std::move(title)) {}

void Report::heading(const std::string& text) {
  blocks_.push_back({{"kind", "heading"}, {"text", text}});
}

void Report::paragraph(const std::string& text) {
  blocks_.push_back({{"kind", "paragraph"}, {"text", text}});
}

void Report::table(const std::vector<std::string>& header,
                   const std::vector<std::vector<std::string>>& rows) {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].size() != header.size())
      fail(ErrorKind::shape, "report.table",
           fmt::format("row {} has {} cells, the header has {}", i, rows[i].size(), header.size()));
  }
  blocks_.push_back({{"kind", "table"}, {"header", header}, {"rows", rows}});
}

void Report::line_plot(const PlotAxes& axes, const std::vector<Series>& series) {
  blocks_.push_back({{"kind", "svg"}, {"svg", line_plot_svg(axes, series)}});
}

void Report::bar_plot(const PlotAxes& axes, const std::vector<Bar>& bars) {
  blocks_.push_back({{"kind", "svg"}, {"svg", bar_plot_svg(axes, bars)}});
}

void Report::samples(const std::vector<Sample>& samples) {
  Json list = Json::array();
  for (const auto& s : samples)
    list.push_back(Json::array({s.prompt, s.before, s.before_note, s.after, s.after_note}));
  blocks_.push_back({{"kind", "samples"}, {"samples", list}});
}

void Report::picture(const std::string& file, const std::string& text) {
  blocks_.push_back({{"kind", "picture"}, {"file", file}, {"text", text}});
}

void Report::append(const Report& other) {
  for (const auto& block : other.blocks_) blocks_.push_back(block);
}

bool Report::empty() const {
  return blocks_.empty();
}

std::string Report::html() const {
  const auto title = escape_html(title_);
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      "content=\"width=device-width, "
      "initial-scale=1\">\n<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n"
      "<h1>{}</h1>\n",
      title, page_style, title);
  for (const auto& block : blocks_) out += block_html(block);
  return out + "</body>\n</html>\n";
}

Json Report::json() const {
  return {{"title", title_}, {"blocks", blocks_}};
}

Report Report::from_json(const Json& json) {
  Report report(json.at("title").get<std::string>());
  report.blocks_ = json.at("blocks");
  return report;
}

}  // namespace plaudit
