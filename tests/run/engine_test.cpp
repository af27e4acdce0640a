// Runs of toy stages: resumed at every point, interrupted and killed, they end with the numbers of an
// undisturbed run.
#include "plaudit/run/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <chrono>
#include <thread>

#include "plaudit/core/files.h"
#include "plaudit/core/interrupt.h"
#include "plaudit/core/rng.h"
#include "plaudit/run/run_folder.h"
#include "tests/run/toy_stages.h"
#include "tests/support/files.h"

extern char** environ;

namespace plaudit {
namespace {

namespace fs = std::filesystem;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using Changes = std::vector<std::string>;

class EngineTest : public ::testing::Test {
 protected:
  EngineTest() { testing::write_bytes(recipe_, toy_recipe); }

  RunResult run(const std::string& name, const Changes& changes = {}) {
    return run_recipe(load_recipe(recipe_, changes), folder_ / name, Distributed::from_environment());
  }
  RunResult resume(const std::string& name) {
    return run_recipe(load_run_recipe(folder_ / name), folder_ / name, Distributed::from_environment());
  }
  std::string refusal(const std::function<void()>& call) {
    try {
      call();
    } catch (const UserError& error) {
      return message_of(error);
    }
    ADD_FAILURE() << "was not refused";
    return "";
  }

  // "stage:step=value" of every line of metrics.jsonl.
  std::vector<std::string> metrics(const std::string& name) const {
    std::vector<std::string> out;
    for (const auto& text : read_text_lines(folder_ / (name + "/metrics.jsonl"))) {
      const auto line = Json::parse(text);
      out.push_back(fmt::format("{}:{}={}", line["stage"].dump(), line["step"].dump(), line["value"].dump()));
    }
    return out;
  }

  testing::TemporaryFolder folder_;
  std::string recipe_ = folder_ / "toy.yaml";
};

TEST_F(EngineTest, FolderHoldsWhatIsPromised) {
  const auto result = run("a");
  const auto at = [&](const std::string& name) { return folder_ / ("a/" + name); };
  EXPECT_EQ(result.folder, folder_ / "a");
  EXPECT_EQ(load_recipe(at("recipe.yaml")).resolved, load_recipe(recipe_).resolved);
  const auto versions = read_json(at("versions.json"));
  for (const char* key : {"plaudit", "libtorch", "compiler", "processor", "threads", "gpu", "started"})
    EXPECT_TRUE(versions.contains(key)) << key;
  EXPECT_EQ(metrics("a").size(), 6u + 3 + 3);
  EXPECT_GT(fs::file_size(at("events.out.tfevents.plaudit")), 12u * 40);
  EXPECT_TRUE(fs::exists(at("stages/02-repeat/2/00-toy_draw/draws/draws.json")));
  EXPECT_EQ(read_json(at("summary.json")), result.summary);
}

TEST_F(EngineTest, SummaryHasItsShape) {
  const auto summary = run("a").summary;
  std::vector<std::string> keys;
  for (const auto& [key, value] : summary.items()) keys.push_back(key);
  EXPECT_EQ(keys, (Changes{"recipe", "metrics", "seconds", "peak_mib", "rejected"}));
  EXPECT_EQ(summary["recipe"], "toy");
  const auto& metrics = summary["metrics"];
  EXPECT_TRUE(metrics["total"]["low"].is_null());
  // Stages of a repeat say which round they were in; the last one is what the end reads.
  EXPECT_EQ(metrics["end/total"]["value"], metrics["round-2/total"]["value"]);
  EXPECT_NE(metrics["round-1/total"]["value"], metrics["total"]["value"]);
  EXPECT_LT(metrics["end/total"]["low"], metrics["end/total"]["high"]);
  EXPECT_EQ(metrics["end/total"]["n"], 3);
  EXPECT_TRUE(summary["rejected"]["negative"].is_number_integer());
  EXPECT_GT(summary["peak_mib"], 10);
  EXPECT_THAT(summary_text(summary), HasSubstr("end/total"));
}

TEST_F(EngineTest, ReportNeedsNoNetwork) {
  run("a");
  const auto html = read_file(folder_ / "a/report.html");
  EXPECT_THAT(html, HasSubstr("Draws numbers and adds them up."));
  EXPECT_THAT(html, HasSubstr("&lt;b&gt;2 &amp; 2&lt;/b&gt;"));
  EXPECT_THAT(html, HasSubstr("<svg"));
  for (const char* outside : {"src=", "href=", "url(", "@import", "<script"})
    EXPECT_EQ(html.find(outside), std::string::npos) << outside;
}

TEST_F(EngineTest, SameSeedSameNumbersOtherSeedOthers) {
  const auto first = run("a").summary["metrics"];
  EXPECT_EQ(run("b").summary["metrics"], first);
  EXPECT_NE(run("c", {"seed=6"}).summary["metrics"], first);
}

TEST_F(EngineTest, ResolvedRecipeRepeatsTheRun) {
  const auto first = run("a", {"count=9"}).summary["metrics"];
  const auto recipe = load_recipe(folder_ / "a/recipe.yaml");
  EXPECT_EQ(run_recipe(recipe, folder_ / "b", Distributed::from_environment()).summary["metrics"], first);
}

TEST_F(EngineTest, AFinishedRunIsNotRepeated) {
  const auto first = run("a").summary["metrics"];
  const auto before = toy_stages_run();
  EXPECT_EQ(resume("a").summary["metrics"], first);
  EXPECT_EQ(toy_stages_run(), before);
}

// The state after stage n, as a kill leaves it: the markers of the later stages are not there.
TEST_F(EngineTest, ResumesAfterEachStage) {
  const auto whole = run("whole");
  const auto report = read_file(folder_ / "whole/report.html");
  const auto stages = load_recipe(recipe_).stages;
  for (size_t done = 0; done < stages.size(); ++done) {
    const auto name = "after-" + std::to_string(done);
    fs::copy(folder_ / "whole", folder_ / name, fs::copy_options::recursive);
    fs::remove(folder_ / (name + "/summary.json"));
    for (size_t i = done; i < stages.size(); ++i)
      fs::remove(folder_ / (name + "/stages/" + stages[i].id + "/done.json"));
    const auto before = toy_stages_run();
    const auto result = resume(name);
    EXPECT_EQ(toy_stages_run() - before, static_cast<int64_t>(stages.size() - done));
    EXPECT_EQ(result.summary["metrics"], whole.summary["metrics"]) << "after " << done << " stages";
    EXPECT_EQ(result.summary["rejected"], whole.summary["rejected"]);
    EXPECT_EQ(metrics(name), metrics("whole"));
    EXPECT_EQ(read_file(folder_ / (name + "/report.html")), report);
  }
}

TEST_F(EngineTest, RandomNumbersOfASectionDoNotDependOnWhoAsksFirst) {
  const auto whole = run("a").summary["metrics"];
  testing::write_bytes(recipe_, "seed: 5\ntoy_tally: {spread: 2}\nstages: [toy_tell]\n");
  EXPECT_EQ(run("b").summary["metrics"]["start"], whole["end/start"]);
}

TEST_F(EngineTest, InterruptedOnceItSavesAndSaysHowToGoOn) {
  const auto whole = run("whole").summary["metrics"];
  try {
    run("a", {"stages.0.toy_draw.interrupt_at=3"});
    ADD_FAILURE() << "was not interrupted";
  } catch (const InterruptedError& error) {
    EXPECT_EQ(std::string(error.what()),
              "stopped in 00-toy_draw; go on with: plaudit run --resume " + (folder_ / "a"));
  }
  EXPECT_FALSE(interrupt_requested());
  EXPECT_FALSE(fs::exists(folder_ / "a/summary.json"));
  EXPECT_EQ(metrics("a").size(), 3u);
  EXPECT_EQ(resume("a").summary["metrics"], whole);
  EXPECT_EQ(metrics("a"), metrics("whole"));
}

TEST_F(EngineTest, AnInterruptAtTheLastStepLosesNothing) {
  EXPECT_THROW(run("a", {"stages.0.toy_draw.interrupt_at=6"}), InterruptedError);
  EXPECT_EQ(resume("a").summary["metrics"], run("b").summary["metrics"]);
}

TEST_F(EngineTest, AMistakeInAStageNamesItAndCanBeMended) {
  EXPECT_EQ(
      refusal([&] { run("a", {"stages.toy_tell.fail_times=1"}); }),
      "toy_tell: cannot tell yet\n  in stage 03-end; once this is mended, go on with: plaudit run --resume " +
          (folder_ / "a"));
  const auto before = toy_stages_run();
  EXPECT_EQ(resume("a").summary["metrics"], run("b").summary["metrics"]);
  EXPECT_EQ(toy_stages_run() - before, 1 + toy_stage_count);
}

TEST_F(EngineTest, AnotherRecipeIsRefusedInTheFolder) {
  run("a");
  EXPECT_THAT(
      refusal([&] { run("a", {"toy_tally.spread=3"}); }),
      HasSubstr("holds a run of another recipe: toy_tally.spread was 2.0, now 3.0. Go on with the old one by "
                "`plaudit run --resume " +
                (folder_ / "a") + "`, or name a new folder"));
  EXPECT_THAT(refusal([&] { run("a", {"count=7"}); }), HasSubstr("stages[0].toy_draw.count was 6, now 7"));
  run("a", {"doc=other words"});  // change nothing
}

TEST_F(EngineTest, FoldersOfOthersAreLeftAlone) {
  testing::write_bytes(folder_ / "a/thesis.txt", "words");
  EXPECT_EQ(refusal([&] { run("a"); }),
            folder_ / "a" + std::string(": holds files, but no run; name a new folder"));
  EXPECT_EQ(refusal([&] { resume("a"); }),
            folder_ / "a" + std::string(": holds no run: there is no recipe.yaml in it"));
  EXPECT_THAT(refusal([&] { run("a/thesis.txt"); }), HasSubstr("is a file; a run needs a folder"));
}

TEST_F(EngineTest, AFolderOfARunThatNeverBeganIsTaken) {
  testing::write_bytes(folder_ / "a/.lock", "");
  testing::write_bytes(folder_ / "a/versions.json", "{\"plau");
  testing::write_bytes(folder_ / "a/recipe.yaml.tmp.7.0", "doc:");
  EXPECT_EQ(run("a").summary["metrics"], run("b").summary["metrics"]);
}

TEST_F(EngineTest, TwoProcessesDoNotShareAFolder) {
  run("a");
  const auto recipe = load_recipe(recipe_);
  const auto ranks = Distributed::from_environment();
  const RunFolder first(recipe, folder_ / "a", *ranks);
  EXPECT_EQ(refusal([&] { resume("a"); }), folder_ / "a" + std::string(": another process runs in it"));
}

// Runs of a process of their own, killed.

class KillTest : public EngineTest {
 protected:
  pid_t start(const std::string& name) {
    std::string program = PLAUDIT_RUN_TOY_CHILD, recipe = recipe_, folder = folder_ / name;
    char* arguments[] = {program.data(), recipe.data(), folder.data(), nullptr};
    pid_t pid = 0;
    EXPECT_EQ(posix_spawn(&pid, program.c_str(), nullptr, nullptr, arguments, environ), 0);
    return pid;
  }
  int wait(pid_t pid) {
    int status = 0;
    waitpid(pid, &status, 0);
    return status;
  }
};

TEST_F(KillTest, BitForBitAfterKillsAtRandomMoments) {
  auto text = std::string(toy_recipe);
  text.replace(text.find("count: 3"), 8, "count: 9, sleep_ms: 8");
  testing::write_bytes(recipe_, text);
  const auto whole = run("whole").summary;
  Rng rng(static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()), "moments");
  int kills = 0;
  // The first kills come while the process starts, the later ones anywhere in the run.
  for (int i = 0; i < 12; ++i) {
    const auto pid = start("killed");
    std::this_thread::sleep_for(std::chrono::microseconds(rng.below(i < 4 ? 150000 : 600000)));
    kill(pid, SIGKILL);
    kills += WIFSIGNALED(wait(pid)) ? 1 : 0;
  }
  EXPECT_GE(kills, 2);
  const int status = wait(start("killed"));
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << kills << " kills";
  const auto summary = read_json(folder_ / "killed/summary.json");
  EXPECT_EQ(summary["metrics"], whole["metrics"]) << kills << " kills";
  EXPECT_EQ(summary["rejected"], whole["rejected"]);
  EXPECT_EQ(metrics("killed"), metrics("whole"));
  EXPECT_EQ(read_file(folder_ / "killed/report.html"), read_file(folder_ / "whole/report.html"));
}

TEST_F(KillTest, CtrlCEndsWith130AndCanGoOn) {
  testing::write_bytes(recipe_,
                       "toy_tally: {}\nstages:\n  - toy_draw: {count: 40, sleep_ms: 20}\n  - toy_tell\n");
  const auto pid = start("a");
  while (!fs::exists(folder_ / "a/stages/00-toy_draw/state.json")) {
    ASSERT_EQ(waitpid(pid, nullptr, WNOHANG), 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_THAT(refusal([&] { resume("a"); }), EndsWith("another process runs in it"));
  kill(pid, SIGINT);
  const int status = wait(pid);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 130);
  const auto steps = metrics("a").size();
  EXPECT_GT(steps, 0u);
  EXPECT_LT(steps, 40u);
  EXPECT_EQ(resume("a").summary["metrics"], run("b").summary["metrics"]);
  EXPECT_EQ(metrics("a"), metrics("b"));
}

}  // namespace
}  // namespace plaudit
