#include "plaudit/run/context.h"

#include <algorithm>
#include <utility>

#include "plaudit/core/files.h"
#include "plaudit/core/interrupt.h"
#include "plaudit/run/run_state.h"

namespace plaudit {
namespace {

bool declares(const Names& names, const std::string& name) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& n) { return n == name || n == name + "?"; });
}

void check_declared(const PlannedStage& stage, const Names& names, const std::string& name,
                    const char* what) {
  if (!declares(names, name))
    bug("stage " + stage.kind, "does not declare that it " + (what + (" '" + name)) + "'");
}

}  // namespace

std::shared_ptr<void> RunContext::find(const std::string& name, std::type_index type) {
  // A section or a load may ask for what its stage does not read by itself: only the stage's own calls are
  // checked.
  if (impl_->making.empty()) check_declared(*impl_->stage, impl_->stage->bound.reads, name, "reads");
  auto outer = std::exchange(impl_->making, name);
  auto value = impl_->artefacts.find(name, type, *this);
  impl_->making = std::move(outer);
  return value;
}

std::shared_ptr<void> RunContext::find_to_edit(const std::string& name, std::type_index type) {
  check_declared(*impl_->stage, impl_->stage->bound.writes, name, "writes");
  impl_->written.insert(name);
  return find(name, type);
}

void RunContext::store(const std::string& name, std::type_index type, std::shared_ptr<void> value) {
  check_declared(*impl_->stage, impl_->stage->bound.writes, name, "writes");
  impl_->written.insert(name);
  impl_->artefacts.store(name, type, std::move(value));
}

bool RunContext::has(const std::string& name) const {
  check_declared(*impl_->stage, impl_->stage->bound.reads, name, "reads");
  return impl_->artefacts.has(name);
}

const Json& RunContext::recipe() const {
  return impl_->recipe.resolved;
}

const void* RunContext::section_options(const std::string& name, std::type_index type) const {
  const auto found = impl_->recipe.sections.find(name);
  if (found == impl_->recipe.sections.end()) bug("section " + name, "the recipe has none");
  if (found->second.options_type != type) bug("section " + name, "has options of another type");
  return found->second.typed_options.get();
}

at::Device RunContext::device() const {
  return impl_->device;
}

Rng RunContext::rng(std::string_view stream) const {
  // What a section makes must not depend on the stage that happens to ask for it first.
  const auto owner = impl_->making.empty() ? "stage/" + impl_->stage->stream : "section/" + impl_->making;
  const Rng rng(static_cast<uint64_t>(impl_->recipe.seed), owner);
  return stream.empty() ? rng : rng.child(stream);
}

int64_t RunContext::round() const {
  return impl_->stage->round;
}

const std::string& RunContext::id() const {
  return impl_->stage->id;
}

std::string RunContext::folder() const {
  const auto path = impl_->stage_folder();
  create_folder(path);
  return path;
}

std::string RunContext::run_folder() const {
  return impl_->folder;
}

Distributed& RunContext::ranks() const {
  return *impl_->ranks;
}

void RunContext::log(int64_t step, const std::map<std::string, double>& values) {
  if (impl_->metrics) impl_->metrics->log(step, values);
}

void RunContext::progress(int64_t done, int64_t total, const std::string& what) {
  if (!impl_->is_first_rank()) return;
  if (!impl_->progress || impl_->progress->what() != what) {
    impl_->progress.reset();  // the former line ends before the next begins
    impl_->progress = std::make_unique<Progress>(what);
  }
  impl_->progress->update(done, total);
}

std::function<void(int64_t, int64_t)> RunContext::progress_of(const std::string& what) {
  return [this, what](int64_t done, int64_t total) {
    progress(done, total, what);
    throw_if_interrupted();
  };
}

bool RunContext::interrupted() const {
  return interrupt_requested();
}

void RunContext::throw_if_interrupted() const {
  if (interrupted()) throw InterruptedError("stopped in " + id());
}

Summary& RunContext::summary() {
  return impl_->summary;
}

Report& RunContext::report() {
  return impl_->report;
}

}  // namespace plaudit
