// Reads data files: preference pairs, unpaired feedback, ranked lists, demonstrations, prompts.
//
// Files are JSON lines or a JSON array (plain or gzip) or Parquet (data/record_stream.h); docs/data.md shows
// every accepted form. The form is found from the columns of the first records. A record that does not fit is
// never repaired: it is left out, counted and listed with its line and the reason, and more than
// `max_rejected` of them stop the reading.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plaudit/core/options.h"
#include "plaudit/data/records.h"

namespace plaudit {

// What the file calls each column; "-" for a column that is to be taken as absent.
struct ColumnNames {
  std::string prompt = "prompt";            // also found as: instruction
  std::string chosen = "chosen";            // the better answer
  std::string rejected = "rejected";        // the worse answer
  std::string completion = "completion";    // the answer, where there is one
  std::string completions = "completions";  // the answers, where there are several
  std::string scores = "scores";            // one number per completion
  std::string response = "response";        // the text inside an element of completions
  std::string score = "score";  // the number inside an element of completions; also: overall_score
  std::string label = "label";  // unpaired: desirable or not; pairs: probability that chosen is better
  std::string weight = "weight";
  std::string margin = "margin";
  std::string messages = "messages";  // a whole conversation; also: conversations
  std::string text = "text";
  std::string instruction = "instruction", input = "input", output = "output";
};

struct ReadOptions {
  ColumnNames columns = {};
  double max_rejected = 0.05;         // share of bad records above which reading stops, in [0,1]
  std::optional<int64_t> limit = {};  // read only this many records
  std::string pairs = "best-worst";   // pairs from a ranked list: best-worst, adjacent, all
  std::string dialogues = "chat";     // "\n\nHuman:" dialogues become chat messages; or "text": stay text
  std::string plain_prompts =
      "text";                  // a prompt of plain text stays text; or "chat": becomes one user message
  std::string turns = "last";  // demonstrations of a conversation: its "last" answer, or "all"
};
template <>
void describe(OptionTable<ColumnNames>& table);
template <>
void describe(OptionTable<ReadOptions>& table);

struct Rejection {
  int64_t line = 0;    // line of the file, or row of a Parquet file
  std::string reason;  // one of a few, counted: "the answer is empty"
  std::string detail;  // what was there; may be ""
};

struct ReadReport {
  std::string file;
  std::string form;   // "prompt, chosen, rejected"
  int64_t read = 0;   // records in the file
  int64_t kept = 0;   // records that fit; one may give several pairs or demonstrations
  int64_t items = 0;  // pairs, lists, ... that came of them
  int64_t ties = 0;   // pairs of a ranked list that were left out because their scores are equal
  std::vector<Rejection> rejected;
  std::map<std::string, int64_t> counts;  // rejections by reason
};

Json json_of(const ReadReport& report);

// One line: "pairs.jsonl: 1494 of 1500 records kept, 6 rejected: 2 the answer is empty (first on line 827),
// ..."
std::string summary(const ReadReport& report);

template <class T>
struct Records {
  std::vector<T> records;
  ReadReport report;
};

// UserErrors: the file is missing or damaged (io); no record at all, or none that fits (empty); a wanted
// column is missing, with the nearest that exists (value); more than max_rejected bad records, with the first
// reasons (value).
Records<PreferencePair> read_preference_pairs(const std::string& path, const ReadOptions& options = {});
Records<UnpairedFeedback> read_unpaired_feedback(const std::string& path, const ReadOptions& options = {});
Records<RankedList> read_ranked_lists(const std::string& path, const ReadOptions& options = {});
Records<Demonstration> read_demonstrations(const std::string& path, const ReadOptions& options = {});
Records<PromptRecord> read_prompts(const std::string& path, const ReadOptions& options = {});

// The kinds above by name: "pairs", "unpaired", "ranked", "demonstrations", "prompts".
const std::vector<std::string>& record_kinds();

// The most specific kind whose columns the file has; "" when it fits none.
std::string guess_kind(const std::string& path, const ReadOptions& options = {});

}  // namespace plaudit
