#pragma once

#include "playhead/sim/simulator.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace playhead::sim {

using Made = std::vector<std::pair<std::string, std::string>>;  ///< stream and record

/// A simulator whose options are known to be right.
inline std::unique_ptr<Simulator> MustMake(std::string_view project, const SimOptions& options) {
  auto simulator = MakeSimulator(project, options);
  EXPECT_TRUE(simulator.ok()) << simulator.status().ToString();
  return std::move(simulator).value();
}

/// The answer of that name in a truth file.
inline nlohmann::json AnswerOf(const nlohmann::json& truth, const std::string& name) {
  for (const nlohmann::json& answer : truth["answers"]) {
    if (answer["name"] == name) return answer;
  }
  ADD_FAILURE() << "no answer " << name;
  return {};
}

/// "2021-12-06T19:30:19.099" and an offset of "Z" or "+0100".
inline int64_t Milliseconds(const std::string& time) {
  std::tm tm{};
  EXPECT_NE(strptime(time.c_str(), "%Y-%m-%dT%H:%M:%S", &tm), nullptr) << time;
  const std::string offset = time.substr(23);
  EXPECT_TRUE(offset == "Z" || offset == "+0100") << time;
  return timegm(&tm) * 1000 + std::stoi(time.substr(20, 3)) - (offset == "Z" ? 0 : 3'600'000);
}

inline std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

using Row = std::vector<std::string>;

/// Lines of a CSV file without line breaks in its fields.
inline std::vector<Row> ReadCsv(const std::filesystem::path& path) {
  std::vector<Row> rows;
  std::istringstream lines(ReadFile(path));
  for (std::string line; std::getline(lines, line);) {
    Row row(1);
    bool is_quoted = false;
    for (const char c : line) {
      if (c == '"') {
        is_quoted = !is_quoted;
      } else if (c == ',' && !is_quoted) {
        row.emplace_back();
      } else {
        row.back().push_back(c);
      }
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

/// A test with a folder of its own.
class FolderTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(testing::TempDir()) /
              (std::string(test->test_suite_name()) + "." + test->name());
    std::filesystem::remove_all(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::map<std::string, std::string> Contents() const {
    std::map<std::string, std::string> contents;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
      if (!entry.is_regular_file()) continue;
      contents[std::filesystem::relative(entry.path(), folder_)] = ReadFile(entry.path());
    }
    return contents;
  }

  std::filesystem::path folder_;
};

/// Calls Generate() for `chunk` records at a time until the end.
inline Made GenerateAll(Simulator& simulator, int64_t chunk, std::string_view stream = "") {
  Made made;
  const Sink sink = [&](std::string_view name, std::string_view record) {
    made.emplace_back(name, record);
    return OkStatus();
  };
  for (;;) {
    const Result<int64_t> count = simulator.Generate(stream, chunk, sink);
    EXPECT_TRUE(count.ok()) << count.status().ToString();
    if (!count.ok() || *count == 0) return made;
    EXPECT_LE(*count, chunk);
  }
}

}  // namespace playhead::sim
