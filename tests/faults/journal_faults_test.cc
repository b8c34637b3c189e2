// Kills a collector at every named step of a journal write and fills its disk. After each restart
// nothing acknowledged is lost, nothing is doubled, and a second restart changes nothing.

#include "playhead/base/stop_signal.h"
#include "playhead/base/uuid.h"
#include "playhead/collector/collector.h"
#include "playhead/http/raw_http_client.h"
#include "playhead/log/journal.h"

#include <arrow/api.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace playhead {
namespace {

namespace fs = std::filesystem;
using http::RawHttpClient;

constexpr int kExitSkipped = 77;
constexpr const char* kTopic = "plays";

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// Small enough that some dozen events fill several segments.
log::JournalOptions SmallSegments() {
  log::JournalOptions options{.segment_bytes = 80'000, .checkpoint_bytes = 50'000};
  if (const std::string retention_us = Variable("FAULTS_RETENTION_US"); !retention_us.empty()) {
    options.retention_us = std::stoll(retention_us);
    // No stream needs what is older.
    options.committed = [](const std::string&) { return log::TopicOffsets(); };
  }
  return options;
}

// Not a test of its own: the collector that the tests below start and kill.
TEST(FaultChild, DISABLED_Collector) {
  const StopSignal stop;
  const std::string folder = Variable("FAULTS_FOLDER");
  auto journal = log::Journal::Open(folder + "/journal", SystemClock(), SmallSegments());
  ASSERT_TRUE(journal.ok()) << journal.status().ToString();
  auto schema = std::make_shared<decode::RowSchema>();
  schema->columns = {{.name = "id", .type = arrow::utf8(), .accepted_values = {}}};
  Metrics metrics;
  auto collector = collector::Collector::Start(
      {{.name = kTopic, .topic = kTopic, .schema = schema}}, **journal, SystemClock(), metrics,
      {.listen = "127.0.0.1:0", .readiness_checks = {}});
  ASSERT_TRUE(collector.ok()) << collector.status().ToString();
  std::ofstream(folder + "/port.new") << (*collector)->port();
  fs::rename(folder + "/port.new", folder + "/port");
  stop.Wait();
  (*collector)->Stop();
  (*journal)->Close();
}

// Not a test of its own either: fills a small disk, frees it, and exits 0 when the journal did
// right.
TEST(FaultChild, DISABLED_FullDisk) {
  const std::string folder = Variable("FAULTS_FOLDER");
  if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) _exit(kExitSkipped);
  if (mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=6m") != 0) _exit(kExitSkipped);
  const std::string ballast = folder + "/ballast";
  std::ofstream(ballast) << std::string(3 << 20, 'b');

  auto journal = *log::Journal::Open(folder + "/journal", SystemClock());
  const std::string record(50'000, 'r');
  int64_t acknowledged = 0;
  Status failure;
  while (failure.ok() && acknowledged < 1'000) {
    const auto receipt = journal->Append({.topic = kTopic, .records = {record}});
    if (receipt.ok()) {
      ASSERT_EQ(receipt->first_offset, acknowledged++);
    } else {
      failure = receipt.status();
    }
  }
  ASSERT_EQ(failure.code(), StatusCode::kUnavailable) << failure.ToString();
  EXPECT_NE(failure.message().find("disk is full"), std::string::npos) << failure.ToString();
  EXPECT_FALSE(journal->Health().ok());
  EXPECT_GT(acknowledged, 5);

  fs::remove(ballast);
  for (int i = 0; i < 100 && !journal->Health().ok(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_TRUE(journal->Health().ok()) << "did not recover by itself";
  const auto receipt = journal->Append({.topic = kTopic, .records = {"after"}});
  ASSERT_TRUE(receipt.ok()) << receipt.status().ToString();
  EXPECT_EQ(receipt->first_offset, acknowledged);
  journal.reset();

  journal = *log::Journal::Open(folder + "/journal", SystemClock());
  EXPECT_EQ(*journal->EndOffset(kTopic), acknowledged + 1);
}

class JournalFaults : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override {
    if (child_ > 0) Kill();
    fs::remove_all(folder_);
  }

  void Spawn(const std::string& test, std::map<std::string, std::string> variables = {}) {
    variables["FAULTS_FOLDER"] = folder_;
    fs::remove(folder_ + "/port");
    child_ = fork();
    ASSERT_GE(child_, 0);
    if (child_ > 0) return;
    for (const auto& [name, value] : variables) setenv(name.c_str(), value.c_str(), 1);
    const std::string filter = "--gtest_filter=FaultChild.DISABLED_" + test;
    const int quiet = open("/dev/null", O_WRONLY);
    dup2(quiet, STDOUT_FILENO);
    execl("/proc/self/exe", "journal_faults_test", filter.c_str(),
          "--gtest_also_run_disabled_tests", nullptr);
    _exit(127);
  }

  // The collector's port, or 0 when it ended before it listened.
  int Port() {
    for (int i = 0; i < 3'000; ++i) {
      int port = 0;
      if (std::ifstream(folder_ + "/port") >> port) return port;
      int status = 0;
      if (waitpid(child_, &status, WNOHANG) == child_) {
        EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
        child_ = 0;
        return 0;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << "the collector did not start";
    return 0;
  }

  int Wait() {
    int status = 0;
    waitpid(child_, &status, 0);
    child_ = 0;
    return status;
  }
  void Kill() {
    kill(child_, SIGKILL);
    Wait();
  }

  static std::string Record(int64_t number) {
    return fmt::format(R"({{"id":"{}","filler":"{}"}})", number, std::string(3'000, 'f'));
  }

  // Sends records [first, end), each with a key of its own; returns the first one without an
  // answer. An answer names the record's own number as its offset, or the record was doubled.
  static int64_t SendFrom(int port, int64_t first, int64_t end) {
    if (port == 0) return first;
    RawHttpClient client(port);
    for (int64_t number = first; number < end; ++number) {
      const auto answer = client.Post(fmt::format("/v1/events/{}", kTopic), Record(number),
                                      fmt::format("Idempotency-Key: key-{}\r\n", number));
      if (!answer) return number;
      EXPECT_EQ(answer->status, 200) << answer->body;
      EXPECT_EQ(nlohmann::json::parse(answer->body)["first_offset"], number);
    }
    return end;
  }

  // All records from the first one kept.
  std::pair<int64_t, std::vector<std::string>> Journaled() {
    auto reader = *log::OpenJournalReader(folder_ + "/journal", kTopic);
    const LogPartition partition = reader->Partitions()->at(0);
    const int64_t begin = reader->Bounds(partition)->begin;
    EXPECT_TRUE(reader->Seek(partition, begin).ok());
    std::vector<std::string> records;
    while (true) {
      const auto batch = reader->Read(0, 1 << 20);
      EXPECT_TRUE(batch.ok()) << batch.status().ToString();
      if (!batch.ok() || *batch == nullptr) return {begin, records};
      for (const auto& record : (*batch)->records) records.emplace_back(record.bytes);
    }
  }

  void ExpectExactly(int64_t acknowledged, int64_t sent) {
    const auto [begin, records] = Journaled();
    const int64_t end = begin + static_cast<int64_t>(records.size());
    EXPECT_GE(end, acknowledged);
    EXPECT_LE(end, sent);
    for (size_t i = 0; i < records.size(); ++i) {
      ASSERT_EQ(records[i], Record(begin + static_cast<int64_t>(i)));
    }
  }

  std::map<std::string, std::string> Contents() {
    std::map<std::string, std::string> contents;
    for (const auto& entry : fs::directory_iterator(folder_ + "/journal")) {
      if (entry.path().extension() != ".db") continue;
      std::ifstream file(entry.path(), std::ios::binary);
      contents[entry.path().filename().string()].assign(std::istreambuf_iterator<char>(file), {});
    }
    return contents;
  }

  void Reopen() {
    auto journal = log::Journal::Open(folder_ + "/journal", SystemClock(), SmallSegments());
    ASSERT_TRUE(journal.ok()) << journal.status().ToString();
    (*journal)->Close();
  }

  const std::string folder_ = (fs::temp_directory_path() / NewUuid()).string();
  pid_t child_ = 0;
};

struct Step {
  const char* crash_at;
  const char* retention_us = "";
};

void PrintTo(const Step& step, std::ostream* out) { *out << step.crash_at; }

class KilledAt : public JournalFaults, public testing::WithParamInterface<Step> {};

TEST_P(KilledAt, LosesNothingDoublesNothing) {
  constexpr int64_t kRecords = 120;
  Spawn("Collector", {{"PLAYHEAD_CRASH_AT", GetParam().crash_at},
                      {"FAULTS_RETENTION_US", GetParam().retention_us}});
  const int64_t unanswered = SendFrom(Port(), 0, kRecords);
  ASSERT_LT(unanswered, kRecords) << "the step was never passed";
  if (child_ > 0) {
    const int status = Wait();
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  }

  Reopen();
  ExpectExactly(unanswered, unanswered + 1);
  const auto after_first = Contents();
  Reopen();
  EXPECT_EQ(Contents(), after_first);

  // The client comes back with the request that was not answered.
  Spawn("Collector");
  EXPECT_EQ(SendFrom(Port(), unanswered, kRecords), kRecords);
  kill(child_, SIGTERM);
  const int status = Wait();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  ExpectExactly(kRecords, kRecords);
}

INSTANTIATE_TEST_SUITE_P(
    Steps, KilledAt,
    testing::Values(Step{"journal.before_write:1"}, Step{"journal.before_write:40"},
                    Step{"journal.before_commit:1"}, Step{"journal.before_commit:40"},
                    Step{"journal.after_commit:1"}, Step{"journal.after_commit:40"},
                    Step{"journal.before_ack:1"}, Step{"journal.before_ack:40"},
                    // Three passings each: the journal's first segment, then the next ones.
                    Step{"journal.new_segment:1"}, Step{"journal.new_segment:2"},
                    Step{"journal.new_segment:3"}, Step{"journal.new_segment:4"},
                    Step{"journal.new_segment:5"}, Step{"journal.new_segment:6"},
                    Step{"journal.trim:1", "1"}, Step{"journal.trim:2", "1"},
                    Step{"journal.trim:3", "1"}),
    [](const auto& info) {
      std::string name = info.param.crash_at;
      for (char& c : name) {
        if (!isalnum(static_cast<unsigned char>(c))) c = '_';
      }
      return name;
    });

TEST_F(JournalFaults, KilledAtAnyMomentUnderLoad) {
  constexpr int64_t kRecords = 400;
  int64_t next = 0;
  for (int round = 0; next < kRecords && round < 20; ++round) {
    Spawn("Collector");
    const int port = Port();
    std::jthread killer([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(7 * (round + 1)));
      kill(child_, SIGKILL);
    });
    next = SendFrom(port, next, kRecords);
    killer.join();
    Wait();
    Reopen();
    ExpectExactly(next, next + 1);
  }
  EXPECT_GT(next, 0);
}

TEST_F(JournalFaults, FullDiskIsRefusedAndRecovers) {
  Spawn("FullDisk");
  const int status = Wait();
  ASSERT_TRUE(WIFEXITED(status)) << status;
  if (WEXITSTATUS(status) == kExitSkipped) GTEST_SKIP() << "may not mount a small disk here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace playhead
