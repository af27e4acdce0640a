#include "plaudit/run/records_artefact.h"

#include "plaudit/data/jsonl.h"
#include "plaudit/data/reader.h"
#include "plaudit/run/artefact.h"

namespace plaudit {
namespace {

template <class Record>
void save(const std::vector<Record>& records, const std::string& folder) {
  write_records(folder + "/records.jsonl", records);
}

// What a run wrote itself is taken as it is: nothing may be left out, dialogues stay as they are.
template <class Record>
std::vector<Record> load(const std::string& folder,
                         Records<Record> (*read)(const std::string&, const ReadOptions&)) {
  ReadOptions options;
  options.max_rejected = 0;
  options.dialogues = "text";
  return read(folder + "/records.jsonl", options).records;
}

PreferencePairs load_pairs(const std::string& folder) {
  return load(folder, &read_preference_pairs);
}
RankedLists load_lists(const std::string& folder) {
  return load(folder, &read_ranked_lists);
}
UnpairedFeedbacks load_feedback(const std::string& folder) {
  return load(folder, &read_unpaired_feedback);
}
Demonstrations load_demonstrations(const std::string& folder) {
  return load(folder, &read_demonstrations);
}

PLAUDIT_ARTEFACT(PreferencePairs, "preference pairs", &save<PreferencePair>, &load_pairs);
PLAUDIT_ARTEFACT(RankedLists, "ranked lists", &save<RankedList>, &load_lists);
PLAUDIT_ARTEFACT(UnpairedFeedbacks, "unpaired feedback", &save<UnpairedFeedback>, &load_feedback);
PLAUDIT_ARTEFACT(Demonstrations, "demonstrations", &save<Demonstration>, &load_demonstrations);

}  // namespace
}  // namespace plaudit
