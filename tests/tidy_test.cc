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

const fs::path kRoot = PLAYHEAD_SOURCE_DIR;
const fs::path kSource = kRoot / "src" / "playhead";

std::string ReadFile(const fs::path& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

using Names = std::set<std::string, std::less<>>;
using FolderDeps = std::map<std::string, Names, std::less<>>;

/// Each folder's DEPS, from the lines `playhead_folder(NAME DEPS … LIBS …)` of a CMakeLists.txt.
FolderDeps ParseFolders(const std::string& cmake) {
  constexpr std::string_view kCall = "playhead_folder(";
  FolderDeps folders;
  for (size_t at = cmake.find(kCall); at != std::string::npos; at = cmake.find(kCall, at)) {
    at += kCall.size();
    std::istringstream words(cmake.substr(at, cmake.find(')', at) - at));
    std::string folder;
    words >> folder;
    Names& deps = folders[folder];
    bool is_dep = false;
    for (std::string word; words >> word;) {
      const bool is_keyword =
          word == "DEPS" || word == "LIBS" || word == "PCH" || word == "EXECUTABLE";
      if (is_keyword) is_dep = word == "DEPS";
      if (!is_keyword && is_dep) deps.insert(word);
    }
  }
  return folders;
}

const FolderDeps& Folders() {
  static const FolderDeps kFolders = ParseFolders(ReadFile(kRoot / "CMakeLists.txt"));
  return kFolders;
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
      {"boost/", {"http"}},
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

/// Who may include what: a folder of src/playhead its DEPS, bench, fuzz and tests every folder.
std::optional<std::string> FolderComplaint(std::string_view folder, const std::string& target) {
  if (!Folders().contains(target)) return "there is no folder '" + target + "'";
  const auto own = Folders().find(folder);
  if (own == Folders().end() || target == folder || own->second.contains(target)) {
    return std::nullopt;
  }
  return "'" + target + "' is not among the DEPS of '" + std::string(folder) + "'";
}

/// Says what is wrong with `include` in a file of `folder`, or nothing.
std::optional<std::string> Complaint(std::string_view folder, bool is_header,
                                     const Include& include) {
  if (include.path.starts_with("playhead/")) {
    const std::string rest = include.path.substr(std::string_view("playhead/").size());
    return FolderComplaint(folder, rest.substr(0, rest.find('/')));
  }
  if (!Folders().contains(folder)) return std::nullopt;
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

void CheckIncludes(const fs::path& file, const std::string& folder) {
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

TEST(Tidy, IncludesFollowTheDepsOfCMake) {
  const auto files = SourceFiles(kSource);
  ASSERT_FALSE(files.empty());
  for (const fs::path& file : files) {
    CheckIncludes(file, fs::relative(file, kSource).begin()->string());
  }
  for (const char* folder : {"bench", "fuzz", "tests"}) {
    for (const fs::path& file : SourceFiles(kRoot / folder)) CheckIncludes(file, folder);
  }
}

TEST(Tidy, DepsGoOneWay) {
  ASSERT_FALSE(Folders().empty());
  // CMake refuses a folder that is not declared yet, so no folder can be its own dependency.
  for (const auto& [folder, deps] : Folders()) {
    for (const std::string& dep : deps) {
      ASSERT_TRUE(Folders().contains(dep)) << folder << " depends on " << dep;
      EXPECT_FALSE(Folders().at(dep).contains(folder)) << folder << " and " << dep;
    }
  }
}

TEST(Tidy, EveryDepIsIncluded) {
  for (const auto& [folder, deps] : Folders()) {
    std::string text;
    for (const fs::path& file : SourceFiles(kSource / folder)) text += ReadFile(file);
    for (const std::string& dep : deps) {
      EXPECT_NE(text.find("#include \"playhead/" + dep + "/"), std::string::npos)
          << folder << " does not use " << dep;
    }
  }
}

/// The folders of docs/architecture.md, with what it says that they stand on:
/// "**`table`** on storage, decode: splits …".
FolderDeps DocumentedFolders(const std::string& text) {
  FolderDeps folders;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const size_t end = line.find("`**");
    if (!line.starts_with("**`") || end == std::string::npos) continue;
    Names& deps = folders[line.substr(3, end - 3)];
    const size_t on = line.find(" on ", end);
    const size_t colon = line.find(':', end);
    if (on != end + 3 || colon == std::string::npos) continue;
    std::istringstream words(line.substr(on + 4, colon - on - 4));
    for (std::string word; words >> word;) deps.insert(word.substr(0, word.find(',')));
  }
  return folders;
}

TEST(Tidy, TheArchitectureIsThatOfCMake) {
  const FolderDeps documented = DocumentedFolders(ReadFile(kRoot / "docs" / "architecture.md"));
  for (const auto& [folder, deps] : Folders()) {
    ASSERT_TRUE(documented.contains(folder)) << folder;
    Names others = deps;
    others.erase("base");
    EXPECT_EQ(documented.at(folder), others) << folder;
  }
  EXPECT_EQ(documented.size(), Folders().size());
}

TEST(Tidy, ReadsTheFoldersOfCMake) {
  const FolderDeps folders = ParseFolders(
      "playhead_folder(base LIBS fmt::fmt\n sqlite)\nplayhead_folder(table DEPS base\n  storage "
      "LIBS "
      "Arrow PCH arrow)\n");
  EXPECT_EQ(folders.at("base"), Names());
  EXPECT_EQ(folders.at("table"), (Names{"base", "storage"}));
}

TEST(Tidy, RefusesWrongIncludes) {
  const auto refused = [](std::string_view folder, std::string path, bool is_header = false,
                          bool quoted = true) {
    return Complaint(folder, is_header, Include{std::move(path), quoted}).has_value();
  };
  EXPECT_TRUE(refused("base", "playhead/storage/object_store.h"));
  EXPECT_TRUE(refused("decode", "playhead/storage/object_store.h"));
  EXPECT_TRUE(refused("table", "playhead/sql/database.h"));
  EXPECT_TRUE(refused("columnar", "playhead/storage/object_store.h"));
  EXPECT_TRUE(refused("bench", "playhead/util/strings.h"));
  EXPECT_FALSE(refused("bench", "playhead/table/plan.h"));
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

TEST(Tidy, EveryFolderIsDeclared) {
  for (const auto& entry : fs::directory_iterator(kSource)) {
    EXPECT_TRUE(Folders().contains(entry.path().filename().string())) << entry.path();
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
