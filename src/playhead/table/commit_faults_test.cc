// A commit that is killed at every step, and one whose store fails at every call: afterwards each
// row is there exactly once, and a second recovery changes nothing.

#include "playhead/storage/faulty_store.h"
#include "playhead/table/epoch_commit.h"
#include "playhead/table/test_lake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

extern char** environ;

namespace playhead::table {
namespace {

using testing::operator+;
using ::testing::IsEmpty;
using testing::Rows;
using testing::TestLake;

const catalog::TableId kMain = TestLake::Main();
const catalog::TableId kDead = TestLake::Dead();

// The commits under test replace a landing file, so that they add and remove files in both tables.
Epoch ChangedLandingFile(TestLake& lake, storage::ObjectStore* store = nullptr) {
  return lake.StageLanding("p3", "a.csv", "22", 8, "11", store);
}

Epoch NextRange(TestLake& lake, storage::ObjectStore* store = nullptr) {
  return lake.Stage("p3", "plays", 20, 60, store);
}

void Prepare(TestLake& lake) {
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.Stage("p1", "plays", 0, 20)).ok());
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.StageLanding("p2", "a.csv", "11", 16)).ok());
}

Rows Before(bool dead) {
  return TestLake::Expected("plays", 0, 20, dead) +
         TestLake::Expected("file:a.csv#11", 0, 16, dead);
}

Rows After(const std::string& kind, bool dead) {
  if (kind == "range") {
    return TestLake::Expected("plays", 0, 60, dead) +
           TestLake::Expected("file:a.csv#11", 0, 16, dead);
  }
  return TestLake::Expected("plays", 0, 20, dead) + TestLake::Expected("file:a.csv#22", 0, 8, dead);
}

Epoch StageKind(TestLake& lake, const std::string& kind, storage::ObjectStore* store = nullptr) {
  return kind == "range" ? NextRange(lake, store) : ChangedLandingFile(lake, store);
}

// Everything below the warehouse's folder but the databases, as name and size.
std::map<std::string, int64_t> Files(TestLake& lake) {
  std::map<std::string, int64_t> files;
  const auto objects = lake.store().List(lake.uri());
  for (const auto& object : *objects) {
    if (object.uri.find("/catalog.db") == std::string::npos) files[object.uri] = object.bytes;
  }
  return files;
}

// Run in a process of its own: commits what the parent asks for, and may be killed on the way.
TEST(CommitChild, DISABLED_Commits) {
  TestLake lake(getenv("PLAYHEAD_TEST_LAKE"));
  const auto outcome = lake.MakeCommitter().Commit(StageKind(lake, getenv("PLAYHEAD_TEST_KIND")));
  ASSERT_TRUE(outcome.ok()) << outcome.error().ToString();
}

TEST(CommitChild, DISABLED_Recovers) {
  TestLake lake(getenv("PLAYHEAD_TEST_LAKE"));
  const auto unfinished = lake.MakeCommitter().Recover();
  ASSERT_TRUE(unfinished.ok()) << unfinished.error().ToString();
  ASSERT_TRUE(unfinished->empty());
}

// True when the child was killed, false when it passed.
bool RunChild(const std::string& test, const std::string& folder, const std::string& kind,
              const std::string& crash_at) {
  std::vector<std::string> environment = {"PLAYHEAD_TEST_LAKE=" + folder,
                                          "PLAYHEAD_TEST_KIND=" + kind,
                                          "PLAYHEAD_CRASH_AT=" + crash_at};
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  std::vector<char*> env;
  for (std::string& entry : environment) env.push_back(entry.data());
  env.push_back(nullptr);
  std::string program = "/proc/self/exe";
  std::string filter = "--gtest_filter=CommitChild.DISABLED_" + test;
  std::string disabled = "--gtest_also_run_disabled_tests";
  std::string brief = "--gtest_brief=1";
  char* const arguments[] = {program.data(), filter.data(), disabled.data(), brief.data(), nullptr};
  pid_t pid = 0;
  EXPECT_EQ(posix_spawn(&pid, program.c_str(), nullptr, nullptr, arguments, env.data()), 0);
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  if (WIFSIGNALED(status)) {
    EXPECT_EQ(WTERMSIG(status), SIGKILL);
    return true;
  }
  EXPECT_EQ(WEXITSTATUS(status), 0);
  return false;
}

class CommitCrash : public ::testing::TestWithParam<std::tuple<const char*, const char*>> {};

TEST_P(CommitCrash, LosesAndDoublesNothing) {
  const auto [kind, point] = GetParam();
  TestLake lake;
  ASSERT_NO_FATAL_FAILURE(Prepare(lake));
  ASSERT_TRUE(RunChild("Commits", lake.root(), kind, point)) << "never reached " << point;
  // Recovery may be killed at the same step; it goes on from there.
  (void)RunChild("Recovers", lake.root(), kind, point);
  ASSERT_TRUE(lake.MakeCommitter().Recover().ok());

  const bool is_committed = lake.LiveRows(kMain) != Before(false);
  for (const bool dead : {false, true}) {
    const auto& id = dead ? kDead : kMain;
    EXPECT_EQ(lake.LiveRows(id), is_committed ? After(kind, dead) : Before(dead));
    EXPECT_EQ(lake.GlobRows(id), lake.LiveRows(id));
  }
  EXPECT_THAT(lake.UnfinishedPlans(), IsEmpty());
  EXPECT_THAT(lake.Staged(), IsEmpty());
  if (std::string(kind) == "landing") {
    EXPECT_EQ(lake.Ledger().front().content_hash, is_committed ? "22" : "11");
  }

  const std::string fingerprint = *lake.catalog().Fingerprint();
  const auto files = Files(lake);
  ASSERT_TRUE(lake.MakeCommitter().Recover().ok());
  EXPECT_EQ(*lake.catalog().Fingerprint(), fingerprint);
  EXPECT_EQ(Files(lake), files);

  // What was discarded is read again.
  ASSERT_TRUE(lake.MakeCommitter().Commit(StageKind(lake, kind)).ok());
  EXPECT_EQ(lake.LiveRows(kMain), After(kind, false));
  EXPECT_EQ(lake.LiveRows(kDead), After(kind, true));
}

INSTANTIATE_TEST_SUITE_P(
    Steps, CommitCrash,
    ::testing::Combine(::testing::Values("range", "landing"),
                       ::testing::Values("commit.before_plan", "commit.after_plan",
                                         "commit.published_one:1", "commit.published_one:2",
                                         "commit.published", "commit.after_objects",
                                         "commit.after_transaction", "commit.after_hint")),
    [](const auto& info) {
      std::string name = std::string(std::get<0>(info.param)) + "_" + std::get<1>(info.param);
      for (char& c : name) {
        if (c == '.' || c == ':') c = '_';
      }
      return name;
    });

struct FaultCase {
  const char* kind;
  storage::FaultKind fault;
};

class CommitFaults : public ::testing::TestWithParam<FaultCase> {};

// The store fails at its n-th call, for every n until a commit meets none; the caller does as
// Committer::Commit says.
TEST_P(CommitFaults, EndInOneCommitAtLast) {
  const FaultCase param = GetParam();
  for (int64_t call = 1;; ++call) {
    SCOPED_TRACE(call);
    TestLake lake;
    ASSERT_NO_FATAL_FAILURE(Prepare(lake));
    const Epoch epoch = StageKind(lake, param.kind);
    storage::FaultyStore faulty(lake.store());
    Committer committer(lake.catalog(), faulty, lake.uri(), lake.clock());
    faulty.Set({.at_call = call, .kind = param.fault});
    auto outcome = committer.Commit(epoch);
    const bool was_hit = faulty.calls() >= call;
    if (!outcome.ok()) {
      EXPECT_EQ(outcome.error().code(), StatusCode::kUnavailable) << outcome.error().ToString();
      if (call % 2 == 0) {
        ASSERT_TRUE(lake.MakeCommitter().Recover().ok());
      }
      // A discarded epoch has lost its staged files.
      outcome = committer.Commit(call % 2 == 0 ? StageKind(lake, param.kind) : epoch);
      ASSERT_TRUE(outcome.ok()) << outcome.error().ToString();
    }
    ASSERT_TRUE(lake.MakeCommitter().Recover().ok());
    for (const bool dead : {false, true}) {
      const auto& id = dead ? kDead : kMain;
      EXPECT_EQ(lake.LiveRows(id), After(param.kind, dead));
      EXPECT_EQ(lake.GlobRows(id), lake.LiveRows(id));
    }
    EXPECT_THAT(lake.UnfinishedPlans(), IsEmpty());
    if (!was_hit) {
      EXPECT_GT(call, 10) << "too few calls to have tested anything";
      break;
    }
    ASSERT_LT(call, 200);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, CommitFaults,
                         ::testing::Values(FaultCase{"range", storage::FaultKind::kFails},
                                           FaultCase{"range", storage::FaultKind::kAnswerLost},
                                           FaultCase{"landing", storage::FaultKind::kFails},
                                           FaultCase{"landing", storage::FaultKind::kAnswerLost}),
                         [](const auto& info) {
                           return std::string(info.param.kind) +
                                  (info.param.fault == storage::FaultKind::kFails ? "_fails"
                                                                                  : "_answer_lost");
                         });

// Recovery itself meets a store that fails at its n-th call.
TEST(RecoveryFaults, RecoveryCanBeRepeatedAfterAnyFailure) {
  for (int64_t call = 1;; ++call) {
    SCOPED_TRACE(call);
    TestLake lake;
    ASSERT_NO_FATAL_FAILURE(Prepare(lake));
    ASSERT_TRUE(RunChild("Commits", lake.root(), "range", "commit.published"));
    storage::FaultyStore faulty(lake.store());
    faulty.Set({.at_call = call});
    (void)Committer(lake.catalog(), faulty, lake.uri(), lake.clock()).Recover().ok();
    const bool was_hit = faulty.calls() >= call;
    ASSERT_TRUE(lake.MakeCommitter().Recover().ok());
    for (const bool dead : {false, true}) {
      const auto& id = dead ? kDead : kMain;
      EXPECT_EQ(lake.LiveRows(id), After("range", dead));
      EXPECT_EQ(lake.GlobRows(id), lake.LiveRows(id));
    }
    if (!was_hit) break;
    ASSERT_LT(call, 200);
  }
}

}  // namespace
}  // namespace playhead::table
