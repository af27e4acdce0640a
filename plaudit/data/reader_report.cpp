#include <fmt/format.h>

#include <algorithm>

#include "plaudit/data/reader_loop.h"

namespace plaudit {
namespace {

std::string place_of(const Rejection& rejection) {
  return fmt::format("line {}: {}{}", rejection.line, rejection.reason,
                     rejection.detail.empty() ? "" : " (" + rejection.detail + ")");
}

// "4 the answer is empty (first on line 12), 1 not valid JSON (first on line 90)", most frequent first.
std::string counts_text(const ReadReport& report) {
  std::vector<std::pair<int64_t, std::string>> sorted;
  for (const auto& [reason, count] : report.counts) sorted.emplace_back(-count, reason);
  std::sort(sorted.begin(), sorted.end());
  std::string text;
  for (const auto& [count, reason] : sorted) {
    const auto first =
        std::find_if(report.rejected.begin(), report.rejected.end(),
                     [&reason = reason](const auto& rejection) { return rejection.reason == reason; });
    text += fmt::format("{}{} {} (first on line {})", text.empty() ? "" : ", ", -count, reason, first->line);
  }
  return text;
}

std::string first_places(const ReadReport& report) {
  constexpr size_t shown = 5;
  std::string text;
  for (size_t i = 0; i < std::min(shown, report.rejected.size()); ++i)
    text += "\n  " + place_of(report.rejected[i]);
  if (report.rejected.size() > shown) text += fmt::format("\n  and {} more", report.rejected.size() - shown);
  return text;
}

}  // namespace

std::string summary(const ReadReport& report) {
  std::string text = fmt::format("{}: {} of {} records kept", report.file, report.kept, report.read);
  if (!report.rejected.empty())
    text += fmt::format(", {} rejected: {}", report.rejected.size(), counts_text(report));
  if (report.items != report.kept) text += fmt::format("; {} items", report.items);
  if (report.ties > 0) text += fmt::format("; {} tied pairs left out", report.ties);
  return text;
}

Json json_of(const ReadReport& report) {
  Json rejected = Json::array();
  for (const auto& r : report.rejected)
    rejected.push_back({{"line", r.line}, {"reason", r.reason}, {"detail", r.detail}});
  Json counts = Json::object();
  for (const auto& [reason, count] : report.counts) counts[reason] = count;
  return {{"file", report.file},   {"form", report.form}, {"read", report.read},  {"kept", report.kept},
          {"items", report.items}, {"ties", report.ties}, {"rejected", rejected}, {"counts", counts}};
}

namespace detail {

std::vector<std::string> columns_of(const std::vector<RawRecord>& records) {
  std::vector<std::string> columns;
  for (const auto& record : records) {
    if (!record.value.is_object()) continue;
    for (const auto& [key, value] : record.value.items()) {
      if (std::find(columns.begin(), columns.end(), key) == columns.end()) columns.push_back(key);
    }
  }
  return columns;
}

void wrap_text(RawRecord& record) {
  if (record.value.is_string()) record.value = Json{{"text", record.value.get<std::string>()}};
}

void reject(ReadReport& report, int64_t line, const std::string& reason, const std::string& detail) {
  report.rejected.push_back({line, reason, detail});
  ++report.counts[reason];
}

void check_share(const ReadReport& report, double max_rejected) {
  const auto bad = static_cast<double>(report.rejected.size()), all = static_cast<double>(report.read);
  if (bad > max_rejected * all)
    fail(ErrorKind::value, report.file,
         fmt::format("{} of {} records cannot be used ({:.3g} %, max_rejected allows {:.3g} %): {}{}",
                     report.rejected.size(), report.read, 100 * bad / all, 100 * max_rejected,
                     counts_text(report), first_places(report)));
  if (report.kept == 0)
    fail(ErrorKind::empty, report.file, "has no record that can be used" + first_places(report));
}

void check_objects(const std::string& file, const std::vector<RawRecord>& first) {
  if (first.empty()) fail(ErrorKind::empty, file, "holds no records");
  for (const auto& record : first) {
    if (record.value.is_object()) return;
  }
  const auto& problem = first.front().problem;
  fail(ErrorKind::type, file,
       fmt::format("holds no JSON objects, neither as lines nor as a list; line {}: {}", first.front().line,
                   problem.empty() ? std::string("a ") + first.front().value.type_name() : problem));
}

}  // namespace detail
}  // namespace plaudit
