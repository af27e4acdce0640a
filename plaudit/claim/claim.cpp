#include "plaudit/claim/claim.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <set>

#include "plaudit/core/files.h"
#include "plaudit/core/hash.h"
#include "plaudit/core/yaml.h"
#include "plaudit/run/recipe_parameters.h"

namespace plaudit {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> part_keys = {"parameters", "prepare", "stages", "variants"};
const std::vector<std::string> top_keys = {"claim", "title",   "doc",  "seeds", "seconds_per_seed",
                                           "parts", "metrics", "bars", "plots"};

struct ClaimHead {
  std::string claim, title, doc;
  std::vector<int64_t> seeds = {0, 1, 2};
  double seconds_per_seed = 0;
};

struct PlotOptions {
  std::string title, x, y;
  std::vector<std::string> variants;
};

}  // namespace

template <>
void describe(OptionTable<ClaimHead>& t) {
  t.field("claim", &ClaimHead::claim, "number of the system");
  t.field("title", &ClaimHead::title, "what is claimed, in one line");
  t.field("doc", &ClaimHead::doc, "what else should be known");
  t.field("seeds", &ClaimHead::seeds, "seeds that are run by default", at_least(0));
  t.field("seconds_per_seed", &ClaimHead::seconds_per_seed,
          "most processor time of a seed, all variants together; 0: no limit", at_least(0));
}

template <>
void describe(OptionTable<PlotOptions>& t) {
  t.field("title", &PlotOptions::title, "above the plot");
  t.field("x", &PlotOptions::x, "metric along the axis; empty: one bar for each variant");
  t.field("y", &PlotOptions::y, "metric that is shown");
  t.field("variants", &PlotOptions::variants, "which; empty: all that have the metric");
}

namespace {

YAML::Node chosen(const YAML::Node& root, const std::vector<std::string>& keys) {
  YAML::Node out(YAML::NodeType::Map);
  for (const auto& key : keys)
    if (root[key]) out[key] = root[key];
  return out;
}

// The parameters of the claim and of a part.
std::vector<RecipeParameter> parameters_of(const YAML::Node& root, const YAML::Node& part,
                                           const Place& place) {
  const std::vector<std::string> reserved = {"stages"};
  auto out = read_parameters(root["parameters"], Place{place.file, "parameters"}, reserved);
  if (part.is(root)) return out;
  for (auto& parameter : read_parameters(part["parameters"], place.key("parameters"), reserved))
    out.push_back(std::move(parameter));
  return out;
}

class ClaimReader {
 public:
  ClaimReader(std::string text, std::string path, const std::vector<std::string>& changes)
      : text_(std::move(text)), place_{std::move(path), ""}, changes_(changes) {}

  Claim read() {
    const auto root = YAML::Load(text_);
    auto keys = top_keys;
    keys.insert(keys.end(), part_keys.begin(), part_keys.end());
    detail::check_map(root, place_, keys);
    read_head(root);
    if (root["parts"]) {
      if (!root["parts"].IsMap())
        refuse(place_.key("parts"), root["parts"], ErrorKind::type, "must be a map");
      for (const auto& entry : root["parts"]) read_part(entry.first.Scalar());
    } else {
      read_part("");
    }
    check_changes();
    read_metrics(root["metrics"]);
    read_bars(root["bars"]);
    read_plots(root["plots"]);
    return std::move(claim_);
  }

 private:
  void read_head(const YAML::Node& root) {
    const auto head =
        read_options<ClaimHead>(chosen(root, {"claim", "title", "doc", "seeds", "seconds_per_seed"}), place_);
    if (head.claim.empty() || head.seeds.empty())
      refuse(place_, root, ErrorKind::empty, "needs `claim`, the number of the system, and `seeds`");
    claim_.number = head.claim;
    claim_.name = fs::path(place_.file).stem().string();
    claim_.title = head.title;
    claim_.doc = head.doc;
    claim_.path = place_.file;
    claim_.seeds = head.seeds;
    claim_.seconds_per_seed = head.seconds_per_seed;
    std::string changes;
    for (const auto& change : changes_) changes += "\n" + change;
    claim_.digest = hex64(hash64(text_ + changes));
  }

  // A fresh tree for each variant, since parameters are put in place; it keeps line numbers.
  YAML::Node part_of(const YAML::Node& root, const std::string& part) const {
    return part.empty() ? root : root["parts"][part];
  }

  void read_part(const std::string& part) {
    const auto root = YAML::Load(text_);
    const auto place = part.empty() ? place_ : place_.key("parts").key(part);
    const auto node = part_of(root, part);
    if (!part.empty()) detail::check_map(node, place, part_keys);
    const auto variants = node["variants"];
    if (!variants || !variants.IsMap() || variants.size() == 0)
      refuse(place, node, ErrorKind::empty, "needs `variants`, a map of names to values");
    for (const auto& entry : variants) read_variant(part, place, entry.first.Scalar());
  }

  void read_variant(const std::string& part, const Place& place, const std::string& name) {
    const auto root = YAML::Load(text_);
    const auto node = part_of(root, part);
    const auto values_node = node["variants"][name];
    const auto here = place.key("variants").key(name);
    static const std::regex allowed("[A-Za-z0-9][A-Za-z0-9_.+-]*");
    if (!std::regex_match(name, allowed) || claim_.find(name))
      refuse(here, values_node, ErrorKind::value,
             "must be a name of its own without blanks, got '" + name + "'");
    const auto declared = parameters_of(root, node, place);
    const auto values = values_of(declared, values_node, here);

    YAML::Node list(YAML::NodeType::Sequence);
    for (const auto& stage : node["prepare"]) list.push_back(stage);
    const size_t shared = list.size();
    const bool own = values_node.IsMap() && values_node["stages"];
    const auto stages = own ? values_node["stages"] : node["stages"];
    if (!stages || !stages.IsSequence())
      refuse(here, values_node, ErrorKind::empty, "has no `stages`, nor has the claim");
    for (const auto& stage : stages) list.push_back(stage);
    YAML::Node holder(YAML::NodeType::Map);
    holder["stages"] = list;
    replace_parameters(holder, here, declared, values);
    claim_.variants.push_back(planned(name, part, holder["stages"], shared, here));
  }

  ClaimVariant planned(const std::string& name, const std::string& part, const YAML::Node& list,
                       size_t shared, const Place& place) const {
    ClaimVariant variant{name, part, {}, 0, "", {}};
    variant.resolved = plan_stages(list, place, variant.plan);
    check_flow(variant.plan, {});
    check_stages(variant.plan);
    if (shared == 0) return variant;
    YAML::Node first(YAML::NodeType::Sequence);
    for (size_t i = 0; i < shared; ++i) first.push_back(list[i]);
    std::vector<PlannedStage> plan;
    variant.prepare_key = part + plan_stages(first, place, plan).dump();
    variant.prepared = plan.size();
    return variant;
  }

  // Defaults, then the command line, then what the variant sets.
  ParameterValues values_of(const std::vector<RecipeParameter>& declared, const YAML::Node& node,
                            const Place& place) {
    ParameterValues values;
    std::vector<std::string> known = {"stages"};
    for (const auto& parameter : declared) {
      values[parameter.name] = parameter.default_value;
      known.push_back(parameter.name);
      if (const auto change = changed(parameter.name)) values[parameter.name] = YAML::Load(*change);
    }
    if (node.IsNull()) return values;
    detail::check_map(node, place, known);
    for (const auto& entry : node)
      if (entry.first.Scalar() != "stages") values[entry.first.Scalar()] = entry.second;
    return values;
  }

  std::optional<std::string> changed(const std::string& name) {
    known_parameters_.insert(name);
    std::optional<std::string> out;
    for (const auto& change : changes_)
      if (change.rfind(name + "=", 0) == 0) out = change.substr(name.size() + 1);
    return out;
  }

  void check_changes() const {
    for (const auto& change : changes_) {
      const auto name = change.substr(0, change.find('='));
      if (change.find('=') != std::string::npos && known_parameters_.count(name)) continue;
      const std::vector<std::string> known(known_parameters_.begin(), known_parameters_.end());
      fail(ErrorKind::value, place_.file,
           "there is no parameter '" + name + "'" +
               (known.empty() ? "; the claim declares none" : suggestion(name, known)));
    }
  }

  void read_metrics(const YAML::Node& node) {
    if (!node || !node.IsMap())
      refuse(place_.key("metrics"), node ? node : YAML::Node(), ErrorKind::empty,
             "must be a map of metrics and what they are");
    for (const auto& entry : node) claim_.metrics.emplace_back(entry.first.Scalar(), entry.second.Scalar());
  }

  // "reward@50", "regret/2" and "reward@*" are of the metric "reward".
  void check_metric(const std::string& metric, const Place& place, const YAML::Node& node) const {
    const auto base = metric.substr(0, metric.find_first_of("@/"));
    std::vector<std::string> known;
    for (const auto& [name, doc] : claim_.metrics) known.push_back(name);
    if (std::find(known.begin(), known.end(), base) == known.end())
      refuse(place, node, ErrorKind::value, "there is no metric '" + base + "'" + suggestion(base, known));
  }
  void check_variant(const std::string& name, const Place& place, const YAML::Node& node) const {
    if (claim_.find(name)) return;
    std::vector<std::string> known;
    for (const auto& variant : claim_.variants) known.push_back(variant.name);
    refuse(place, node, ErrorKind::value, "there is no variant '" + name + "'" + suggestion(name, known));
  }

  void read_bars(const YAML::Node& list) {
    if (!list || !list.IsSequence() || list.size() == 0)
      refuse(place_.key("bars"), list ? list : YAML::Node(), ErrorKind::empty, "must be a list of bars");
    for (size_t i = 0; i < list.size(); ++i)
      claim_.bars.push_back(read_bar(list[i], place_.key("bars").index(i)));
  }

  ClaimBar read_bar(const YAML::Node& node, const Place& place) const {
    static const std::vector<std::pair<std::string, std::string>> bounds = {
        {"at_least", ">="}, {"at_most", "<="}, {"above", ">"}, {"below", "<"}};
    detail::check_map(
        node, place,
        {"name", "value", "at_least", "at_most", "above", "below", "min_seeds", "max_seeds", "must_miss"});
    if (!node["name"] || !node["value"]) refuse(place, node, ErrorKind::empty, "needs `name` and `value`");
    ClaimBar bar{node["name"].Scalar(), formula(node["value"], place.key("value")), "", 0, 0, 0, {}};
    for (const auto& [key, compare] : bounds) {
      if (!node[key]) continue;
      if (!bar.compare.empty()) refuse(place, node, ErrorKind::value, "has two bounds: write two bars");
      bar.compare = compare;
      bar.bound = detail::read_number(node[key], place.key(key), {});
    }
    if (bar.compare.empty())
      refuse(place, node, ErrorKind::empty, "needs one of at_least, at_most, above, below");
    if (node["min_seeds"])
      bar.min_seeds = detail::read_int(node["min_seeds"], place.key("min_seeds"), at_least(1));
    if (node["max_seeds"])
      bar.max_seeds = detail::read_int(node["max_seeds"], place.key("max_seeds"), at_least(1));
    read_controls(node["must_miss"], place.key("must_miss"), bar);
    return bar;
  }

  ClaimFormula formula(const YAML::Node& node, const Place& place) const {
    try {
      ClaimFormula out(node.Scalar());
      for (const auto& reference : out.references()) {
        check_variant(reference.variant, place, node);
        check_metric(reference.metric, place, node);
      }
      return out;
    } catch (const UserError& error) {
      if (message_of(error).rfind("formula", 0) != 0) throw;
      refuse(place, node, error.kind(), message_of(error));
    }
  }

  void read_controls(const YAML::Node& node, const Place& place, ClaimBar& bar) const {
    if (!node) return;
    const auto add = [&](const YAML::Node& map) {
      if (!map.IsMap()) refuse(place, map, ErrorKind::type, "must be a map of variants");
      Substitution swap;
      for (const auto& entry : map) {
        check_variant(entry.first.Scalar(), place, map);
        check_variant(entry.second.Scalar(), place, map);
        swap[entry.first.Scalar()] = entry.second.Scalar();
      }
      bar.must_miss.push_back(std::move(swap));
    };
    if (!node.IsSequence()) return add(node);
    for (const auto& map : node) add(map);
  }

  void read_plots(const YAML::Node& list) {
    if (!list) {
      claim_.plots.push_back({claim_.title, "", claim_.metrics.front().first, {}});
      return;
    }
    for (size_t i = 0; i < list.size(); ++i) {
      const auto place = place_.key("plots").index(i);
      const auto plot = read_options<PlotOptions>(list[i], place);
      check_metric(plot.y, place.key("y"), list[i]);
      if (!plot.x.empty()) check_metric(plot.x, place.key("x"), list[i]);
      for (const auto& name : plot.variants) check_variant(name, place.key("variants"), list[i]);
      claim_.plots.push_back({plot.title.empty() ? claim_.title : plot.title, plot.x, plot.y, plot.variants});
    }
  }

  std::string text_;
  Place place_;
  const std::vector<std::string>& changes_;
  std::set<std::string> known_parameters_;
  Claim claim_;
};

}  // namespace

const ClaimVariant* Claim::find(const std::string& variant) const {
  const auto found = std::find_if(variants.begin(), variants.end(),
                                  [&](const ClaimVariant& v) { return v.name == variant; });
  return found == variants.end() ? nullptr : &*found;
}

Claim load_claim_text(const std::string& text, const std::string& path,
                      const std::vector<std::string>& changes) {
  return ClaimReader(text, path, changes).read();
}

Claim load_claim(const std::string& path, const std::vector<std::string>& changes) {
  load_yaml(path);  // its errors name file and line
  return load_claim_text(read_file(path), path, changes);
}

}  // namespace plaudit
