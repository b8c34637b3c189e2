// The rules of the repository that a compiler does not see: the one-way include order between the
// folders of src/playhead, each library's headers in the folder that owns it, and no source file
// outside the build.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace playhead {
namespace {

namespace fs = std::filesystem;

// A folder includes folders of a smaller level only; folders of one level are strangers.
const std::map<std::string, int, std::less<>>& FolderLevels() {
  static const std::map<std::string, int, std::less<>> kLevels = {
      {"base", 0},   {"storage", 1},  {"http", 1},    {"decode", 1},  {"project", 1}, {"log", 1},
      {"sim", 1},    {"columnar", 2}, {"iceberg", 2}, {"catalog", 3}, {"table", 4},   {"sql", 4},
      {"ingest", 5}, {"model", 6},    {"server", 7},  {"config", 8},  {"cli", 9},
  };
  return kLevels;
}

struct LibraryRule {
  std::string_view header_prefix;
  std::set<std::string, std::less<>> owners;
};

// Standard headers and Arrow's columns are everybody's. In a .cc nlohmann-json is too, and fmt,
// which base/status.h has in its interface.
const std::vector<LibraryRule>& LibraryRules() {
  static const std::vector<LibraryRule> kRules = {
      {"fmt/", {"base"}},
      {"absl/", {"decode"}},
      {"spdlog/", {"base"}},
      {"sqlite3.h", {"base"}},
      {"prometheus/", {"base"}},
      {"xxhash.h", {"base"}},
      {"arrow/filesystem/", {"storage"}},
      {"simdjson.h", {"decode"}},
      {"yaml-cpp/", {"project"}},
      {"librdkafka/", {"log"}},
      {"libpq", {"catalog"}},
      {"parquet/", {"columnar", "table"}},
      {"duckdb", {"sql"}},
      {"boost/", {"server"}},
      {"curl/", {"http"}},
      {"CLI/", {"config", "cli"}},
      {"histedit.h", {"cli"}},
  };
  return kRules;
}

struct Include {
  std::string path;
  bool quoted = false;
};

std::string_view WithoutLeading(std::string_view text, std::string_view spaces = " \t") {
  const size_t start = text.find_first_not_of(spaces);
  return start == std::string_view::npos ? std::string_view() : text.substr(start);
}

std::optional<Include> ParseInclude(std::string_view line) {
  line = WithoutLeading(line);
  if (!line.starts_with('#')) return std::nullopt;
  line = WithoutLeading(line.substr(1));
  if (!line.starts_with("include")) return std::nullopt;
  line = WithoutLeading(line.substr(std::string_view("include").size()));
  if (!line.starts_with('"') && !line.starts_with('<')) return std::nullopt;
  const bool quoted = line.front() == '"';
  const size_t end = line.find(quoted ? '"' : '>', 1);
  if (end == std::string_view::npos) return std::nullopt;
  return Include{std::string(line.substr(1, end - 1)), quoted};
}

/// Says what is wrong with `include` in a file of `folder`, or nothing.
std::optional<std::string> Complaint(std::string_view folder, bool is_header,
                                     const Include& include) {
  const auto own = FolderLevels().find(folder);
  if (own == FolderLevels().end()) return "the folder is not in the table of tidy_test.cc";
  if (include.path.starts_with("playhead/")) {
    const std::string rest = include.path.substr(std::string_view("playhead/").size());
    const std::string target = rest.substr(0, rest.find('/'));
    const auto other = FolderLevels().find(target);
    if (other == FolderLevels().end()) return "there is no folder '" + target + "'";
    if (target != folder && other->second >= own->second) {
      return "'" + std::string(folder) + "' (" + std::to_string(own->second) +
             ") may not include '" + target + "' (" + std::to_string(other->second) + ")";
    }
    return std::nullopt;
  }
  if (include.quoted) return "our own headers are included as \"playhead/<folder>/<file>.h\"";
  if (include.path.starts_with("nlohmann/") && is_header) {
    return "nlohmann-json belongs in .cc files";
  }
  if (include.path.starts_with("fmt/") && !is_header) return std::nullopt;
  for (const LibraryRule& rule : LibraryRules()) {
    if (!include.path.starts_with(rule.header_prefix) || rule.owners.contains(folder)) continue;
    std::string owners;
    for (const std::string& owner : rule.owners) owners += (owners.empty() ? "" : ", ") + owner;
    return "'" + std::string(rule.header_prefix) + "' belongs to " + owners;
  }
  return std::nullopt;
}

/// A header that others see; a *_testing.h is part of the tests beside it.
bool IsInterface(const fs::path& file) {
  return file.extension() == ".h" && !file.stem().string().ends_with("_testing");
}

std::vector<fs::path> SourceFiles(const fs::path& root) {
  std::vector<fs::path> files;
  if (!fs::exists(root)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const auto suffix = entry.path().extension();
    if (entry.is_regular_file() && (suffix == ".h" || suffix == ".cc")) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string ReadFile(const fs::path& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

const fs::path kRoot = PLAYHEAD_SOURCE_DIR;
const fs::path kSource = kRoot / "src" / "playhead";

TEST(Tidy, IncludesGoOneWay) {
  const auto files = SourceFiles(kSource);
  ASSERT_FALSE(files.empty());
  for (const fs::path& file : files) {
    const std::string folder = fs::relative(file, kSource).begin()->string();
    std::ifstream stream(file);
    std::string line;
    for (int number = 1; std::getline(stream, line); ++number) {
      const auto include = ParseInclude(line);
      if (!include) continue;
      const auto complaint = Complaint(folder, IsInterface(file), *include);
      if (!complaint) continue;
      ADD_FAILURE() << fs::relative(file, kRoot).string() << ":" << number << ": " << line << "\n  "
                    << *complaint;
    }
  }
}

TEST(Tidy, RefusesWrongIncludes) {
  const auto refused = [](std::string_view folder, std::string path, bool is_header = false,
                          bool quoted = true) {
    return Complaint(folder, is_header, Include{std::move(path), quoted}).has_value();
  };
  EXPECT_TRUE(refused("base", "playhead/storage/object_store.h"));
  EXPECT_TRUE(refused("decode", "playhead/storage/object_store.h"));
  EXPECT_TRUE(refused("table", "playhead/sql/database.h"));
  EXPECT_TRUE(refused("nowhere", "playhead/base/status.h"));
  EXPECT_TRUE(refused("table", "playhead/util/strings.h"));
  EXPECT_TRUE(refused("table", "partitioned_writer.h"));
  EXPECT_TRUE(refused("ingest", "duckdb.hpp", false, false));
  EXPECT_TRUE(refused("table", "nlohmann/json.hpp", true, false));
  EXPECT_TRUE(refused("table", "fmt/format.h", true, false));
  EXPECT_FALSE(refused("table", "fmt/format.h", false, false));
  EXPECT_FALSE(refused("table", "nlohmann/json.hpp", false, false));
  EXPECT_FALSE(refused("table", "parquet/arrow/writer.h", false, false));
  EXPECT_FALSE(refused("table", "playhead/iceberg/types.h"));
  EXPECT_FALSE(refused("table", "playhead/table/partitioned_writer.h"));
  EXPECT_FALSE(refused("http", "playhead/base/status.h"));
  EXPECT_FALSE(refused("model", "arrow/api.h", true, false));
}

TEST(Tidy, ReadsIncludeLines) {
  EXPECT_EQ(ParseInclude("#include <string>")->path, "string");
  EXPECT_TRUE(ParseInclude("  #  include \"playhead/base/ids.h\"")->quoted);
  EXPECT_FALSE(ParseInclude("// #include <string>").has_value());
}

TEST(Tidy, EverySourceFileIsBuilt) {
  const fs::path database = fs::path(PLAYHEAD_BINARY_DIR) / "compile_commands.json";
  const std::string commands = ReadFile(database);
  ASSERT_FALSE(commands.empty()) << database;
  for (const char* folder : {"src", "tests", "fuzz", "bench", "cmake"}) {
    for (const fs::path& file : SourceFiles(kRoot / folder)) {
      if (file.extension() != ".cc") continue;
      // The driver of the fuzzers is built with each of them, so not before there is one.
      if (file.filename() == "replay_main.cc" && SourceFiles(kRoot / folder).size() == 1) continue;
      EXPECT_NE(commands.find("\"file\": \"" + file.string() + "\""), std::string::npos)
          << fs::relative(file, kRoot).string() << " is in no target";
    }
  }
}

TEST(Tidy, EveryScriptIsATestOrUsedByOne) {
  std::vector<fs::path> scripts;
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / "tests")) {
    const auto suffix = entry.path().extension();
    if (suffix == ".py" || suffix == ".sh") scripts.push_back(entry.path());
  }
  for (const fs::path& script : scripts) {
    const std::string stem = script.stem().string();
    if (stem.ends_with("_test")) continue;
    const bool used = std::any_of(scripts.begin(), scripts.end(), [&](const fs::path& other) {
      return other != script && ReadFile(other).find(stem) != std::string::npos;
    });
    EXPECT_TRUE(used) << fs::relative(script, kRoot).string()
                      << " never runs: name it *_test or use it in a test";
  }
}

TEST(Tidy, EveryFolderIsInTheTable) {
  for (const auto& entry : fs::directory_iterator(kSource)) {
    EXPECT_TRUE(FolderLevels().contains(entry.path().filename().string())) << entry.path();
  }
}

TEST(Tidy, FilesStayReadable) {
  constexpr int kLinesMax = 1000;
  for (const fs::path& file : SourceFiles(kSource)) {
    std::ifstream stream(file);
    int lines = 0;
    for (std::string line; std::getline(stream, line);) ++lines;
    EXPECT_LE(lines, kLinesMax) << fs::relative(file, kRoot).string() << " holds two concepts";
  }
}

}  // namespace
}  // namespace playhead
