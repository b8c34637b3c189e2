// Seeds of the commit core's simulation: nothing is lost or doubled, whatever goes wrong, and each
// fault that was once there is found again when its mend is taken out.

#include "commit_simulation.h"

#include "playhead/base/logging.h"
#include "playhead/table/epoch_commit.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace playhead::table::simulation {
namespace {

// Without optimisation, as in the preset that looks for memory errors, a seed takes a quarter of a
// second; `./dev test` runs the others in the release (scripts/faults.sh).
#ifdef __OPTIMIZE__
constexpr uint64_t kSeeds = 10'000;
#else
constexpr uint64_t kSeeds = 60;
#endif
constexpr uint64_t kSeedsToFindAFault = 2'000;

/// To look at one seed: PLAYHEAD_SIMULATION_FIRST_SEED and _SEEDS are that seed.
uint64_t FirstSeed();

// Blocks of some hundred kilobytes come and go with each compressed file; the default gives each
// back to the kernel at once.
const bool kKeepsMemory =
    mallopt(M_MMAP_THRESHOLD, 64 << 20) == 1 && mallopt(M_TRIM_THRESHOLD, 512 << 20) == 1;

/// Seeds from the first one on, on all cores; stops at the first problem if `stops`.
Tally RunSeeds(uint64_t seeds, WithoutMend without, bool stops) {
  logging::SetLevel(logging::Level::kOff);
  std::atomic<uint64_t> next = FirstSeed();
  std::mutex mutex;
  Tally all;
  const auto run = [&] {
    Tally mine;
    for (uint64_t seed = next++; seed <= seeds; seed = next++) {
      mine.Add(Simulation(seed, without).Run());
      if (!stops || mine.is_clean()) continue;
      next = seeds + 1;
      break;
    }
    const std::lock_guard lock(mutex);
    all.Add(mine);
  };
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < std::max(1U, std::thread::hardware_concurrency()); ++i) {
      threads.emplace_back(run);
    }
  }
  logging::SetLevel(logging::Level::kInfo);
  return all;
}

uint64_t Wanted() {
  const char* given = getenv("PLAYHEAD_SIMULATION_SEEDS");
  return given == nullptr ? kSeeds : std::strtoull(given, nullptr, 10);
}

uint64_t FirstSeed() {
  const char* given = getenv("PLAYHEAD_SIMULATION_FIRST_SEED");
  return given == nullptr ? 1 : std::strtoull(given, nullptr, 10);
}

TEST(CommitSimulation, LosesAndDoublesNothing) {
  const auto started = std::chrono::steady_clock::now();
  const Tally tally = RunSeeds(Wanted(), WithoutMend::kNone, /*stops=*/false);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  std::printf(
      "| seeds | seeds/s | commits | abandoned | catalog faults | store faults | crashes | "
      "sleeps | foreign commits | lost | doubled | files missing | files stray | left over | "
      "stuck |\n|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n"
      "| %ld | %.0f | %ld | %ld | %ld | %ld | %ld | %ld | %ld | %ld | %ld | %ld | %ld | %ld | "
      "%ld |\n",
      tally.seeds, static_cast<double>(tally.seeds) / seconds, tally.commits, tally.abandoned,
      tally.catalog_faults, tally.store_faults, tally.crashes, tally.sleeps, tally.foreign_commits,
      tally.lost, tally.doubled, tally.missing_files, tally.stray_files, tally.left_over,
      tally.stuck);
  EXPECT_TRUE(tally.is_clean()) << tally.first_problem;
  EXPECT_GT(tally.commits, tally.seeds * 4) << "too little was committed to have tested anything";
  EXPECT_GT(tally.catalog_faults, tally.seeds);
  EXPECT_GT(tally.store_faults, tally.seeds);
}

struct Mend {
  WithoutMend without;
  const char* name;
};

class CommitSimulationFinds : public testing::TestWithParam<Mend> {};

TEST_P(CommitSimulationFinds, TheFaultOnceItsMendIsTakenOut) {
  const Tally tally = RunSeeds(kSeedsToFindAFault, GetParam().without, /*stops=*/true);
  EXPECT_FALSE(tally.is_clean());
  const std::string problem =
      tally.first_problem.substr(0, tally.first_problem.find(": last failure"));
  std::printf("| %s | %ld | %s |\n", GetParam().name, tally.seeds, problem.c_str());
}

INSTANTIATE_TEST_SUITE_P(Mends, CommitSimulationFinds,
                         testing::Values(Mend{WithoutMend::kUnknownCommit, "UnknownCommit"},
                                         Mend{WithoutMend::kLedgerGuard, "LedgerGuard"},
                                         Mend{WithoutMend::kTakeOver, "TakeOver"},
                                         Mend{WithoutMend::kPlanInNames, "PlanInNames"}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace playhead::table::simulation
