// The loop that every reader shares: look at the first records, choose a form, convert, count what does not
// fit.
#pragma once

#include <utility>

#include "plaudit/core/errors.h"
#include "plaudit/data/reader_row.h"
#include "plaudit/data/record_stream.h"

namespace plaudit {

// One way to write a record of kind T.
template <class T>
struct Form {
  std::vector<std::string> needs;  // roles whose columns the file must have
  // Appends what the row gives to the records; throws BadRecord.
  void (*convert)(Row& row, Records<T>& out);
  // Where the columns alone do not tell: whether the first row that has them is of this form.
  bool (*fits)(Row& row) = nullptr;
};

namespace detail {

// The records before the form is chosen: enough that optional columns show up.
constexpr size_t records_ahead = 64;

// All keys of the records that are objects, in the order of their first appearance.
std::vector<std::string> columns_of(const std::vector<RawRecord>& records);

// A record that is a text alone stands for {"text": ...}.
void wrap_text(RawRecord& record);

// Counts and lists a record that does not fit.
void reject(ReadReport& report, int64_t line, const std::string& reason, const std::string& detail);

// Throws when nothing is left or too much was rejected.
void check_share(const ReadReport& report, double max_rejected);

// Throws when no record of `first` is an object: the file holds something else.
void check_objects(const std::string& file, const std::vector<RawRecord>& first);

template <class T>
class RecordReader {
 public:
  RecordReader(const std::string& path, const ReadOptions& options, const std::vector<Form<T>>& forms)
      : path_(path), options_(options), forms_(forms), columns_(options.columns, {}) {
    out_.report.file = path;
  }

  Records<T> read() {
    for_each_record(path_, [&](RawRecord record) { return take(std::move(record)); });
    if (!form_) start();
    check_share(out_.report, options_.max_rejected);
    return std::move(out_);
  }

 private:
  bool take(RawRecord record) {
    if (options_.limit && seen_ == *options_.limit) return false;
    ++seen_;
    wrap_text(record);
    if (form_) {
      convert(record);
    } else {
      ahead_.push_back(std::move(record));
      if (ahead_.size() == records_ahead) start();
    }
    return true;
  }

  void start() {
    check_objects(path_, ahead_);
    columns_ = ColumnMap(options_.columns, columns_of(ahead_));
    columns_.check_named(path_, options_.columns);
    form_ = &choose();
    for (const auto& role : form_->needs)
      out_.report.form += (out_.report.form.empty() ? "" : ", ") + columns_.of(role);
    for (const auto& record : ahead_) convert(record);
    ahead_.clear();
  }

  size_t missing(const Form<T>& form) const {
    size_t count = 0;
    for (const auto& role : form.needs) count += columns_.has(role) ? 0 : 1;
    return count;
  }

  bool fits(const Form<T>& form) {
    if (missing(form) > 0) return false;
    if (!form.fits) return true;
    for (const auto& record : ahead_) {
      if (!record.value.is_object()) continue;
      Row row(record.value, columns_, options_);
      bool whole = true;
      for (const auto& role : form.needs) whole = whole && row.has(role);
      if (whole) return form.fits(row);
    }
    return false;
  }

  const Form<T>& choose() {
    for (const auto& form : forms_) {
      if (fits(form)) return form;
    }
    // Ask for what the nearest form lacks.
    const Form<T>* near = nullptr;
    for (const auto& form : forms_) {
      if (missing(form) > 0 && (!near || missing(form) < missing(*near))) near = &form;
    }
    if (near) {
      for (const auto& role : near->needs) {
        if (!columns_.has(role)) columns_.refuse_missing(path_, role);
      }
    }
    fail(ErrorKind::value, path_, "has no record of a known form; docs/data.md shows them");
  }

  void convert(const RawRecord& record) {
    auto& report = out_.report;
    ++report.read;
    const size_t before = out_.records.size();
    try {
      if (!record.problem.empty()) throw BadRecord{"not valid JSON", record.problem};
      if (!record.value.is_object()) throw BadRecord{"not a JSON object", record.value.type_name()};
      Row row(record.value, columns_, options_);
      form_->convert(row, out_);
      ++report.kept;
    } catch (const BadRecord& bad) {
      out_.records.resize(before);
      reject(report, record.line, bad.reason, bad.detail);
    }
    report.items = static_cast<int64_t>(out_.records.size());
  }

  const std::string& path_;
  const ReadOptions& options_;
  const std::vector<Form<T>>& forms_;
  ColumnMap columns_;
  std::vector<RawRecord> ahead_;
  const Form<T>* form_ = nullptr;
  int64_t seen_ = 0;
  Records<T> out_;
};

}  // namespace detail

template <class T>
Records<T> read_records(const std::string& path, const ReadOptions& options,
                        const std::vector<Form<T>>& forms) {
  return detail::RecordReader<T>(path, options, forms).read();
}

// Shared by the kinds: the preference pair of a row that has chosen and rejected, with or without a prompt.
PreferencePair pair_of(Row& row);
// True when chosen holds a whole conversation, so that no prompt is needed.
bool holds_conversation(Row& row);
// The list of a row that has completions.
RankedList list_of(Row& row);

}  // namespace plaudit
