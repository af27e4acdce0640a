#include "plaudit/claim/claim_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "plaudit/core/errors.h"

namespace plaudit {
namespace {

namespace fs = std::filesystem;

// "48" of claims/48-dpo.yaml, "" when a file is none.
std::string number_of(const fs::path& path) {
  const auto stem = path.stem().string();
  const auto digits = stem.find_first_not_of("0123456789");
  return path.extension() == ".yaml" && digits != 0 ? stem.substr(0, digits) : "";
}

std::vector<std::string> split_commas(const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const auto& name : names) {
    size_t begin = 0;
    while (begin <= name.size()) {
      const auto end = std::min(name.find(',', begin), name.size());
      if (end > begin) out.push_back(name.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  return out;
}

// Numbers are so short that each is near every other: a swap of the digits counts as nearest, then one other
// digit.
[[noreturn]] void refuse_name(const std::string& name, const std::vector<ClaimFile>& files) {
  std::vector<std::string> known = {"all"}, swapped;
  for (const auto& file : files) {
    known.push_back(file.number);
    const std::string reversed(file.number.rbegin(), file.number.rend());
    if (name.size() == 2 && name == reversed) swapped.push_back(file.number);
  }
  const auto hint = swapped.empty() ? suggestion(name, known) : ", did you mean '" + swapped.front() + "'?";
  fail(ErrorKind::value, "claim",
       fmt::format("there is no claim '{}'{} There are: {}", name, hint, fmt::join(known, ", ")));
}

}  // namespace

std::vector<ClaimFile> claim_files(const std::string& folder) {
  std::vector<ClaimFile> out;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (const auto number = number_of(entry.path()); !number.empty())
      out.push_back({number, entry.path().string()});
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return out;
}

std::vector<ClaimFile> choose_claims(const std::string& folder, const std::vector<std::string>& names) {
  const auto files = claim_files(folder);
  if (files.empty())
    fail(ErrorKind::io, folder, "holds no claims; run in the folder of plaudit, or name --claims");
  std::vector<ClaimFile> out;
  const auto add = [&](const ClaimFile& file) {
    if (std::none_of(out.begin(), out.end(), [&](const auto& f) { return f.path == file.path; }))
      out.push_back(file);
  };
  for (const auto& name : split_commas(names)) {
    if (name == "all") {
      for (const auto& file : files) add(file);
      continue;
    }
    if (fs::path(name).extension() == ".yaml") {
      add({number_of(name), name});
      continue;
    }
    const auto found = std::find_if(files.begin(), files.end(), [&](const auto& file) {
      return file.number == name || fs::path(file.path).stem() == name;
    });
    if (found == files.end()) refuse_name(name, files);
    add(*found);
  }
  return out;
}

}  // namespace plaudit
