#include "playhead/ingest/landing_scan.h"

#include "playhead/base/civil_date.h"
#include "playhead/decode/json_index.h"

#include <fmt/format.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <tuple>
#include <utility>

namespace playhead::ingest {
namespace {

namespace fs = std::filesystem;

/// Why a name looks like unfinished work; empty when it does not.
std::string_view UnfinishedWhy(std::string_view base_name) {
  if (base_name.front() == '.') return "hidden: its name begins with .";
  if (base_name.front() == '_') return "its name begins with _";
  for (const std::string_view end : {".tmp", ".part", ".crdownload"}) {
    if (base_name.ends_with(end)) return "unfinished by its ending";
  }
  return {};
}

/// One part between slashes; `YYYY-MM-DD` in the pattern stands for a day of the calendar.
bool PartFits(const std::string& name, std::string pattern) {
  constexpr std::string_view kDate = "YYYY-MM-DD";
  if (const size_t at = pattern.find(kDate); at != std::string::npos) {
    pattern.replace(at, kDate.size(), "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]");
    if (!DateInName(name)) return false;
  }
  return fnmatch(pattern.c_str(), name.c_str(), FNM_PERIOD) == 0;
}

/// `a.{b,c}` → `a.b`, `a.c`; nothing fits an opening brace that is not closed.
std::vector<std::string> Alternatives(std::string_view pattern) {
  const size_t open = pattern.find('{');
  if (open == std::string_view::npos) return {std::string(pattern)};
  const size_t close = pattern.find('}', open);
  if (close == std::string_view::npos) return {};
  std::vector<std::string> choices;
  std::string_view words = pattern.substr(open + 1, close - open - 1);
  while (true) {
    const size_t comma = words.find(',');
    for (std::string& choice :
         Alternatives(fmt::format("{}{}{}", pattern.substr(0, open), words.substr(0, comma),
                                  pattern.substr(close + 1)))) {
      choices.push_back(std::move(choice));
    }
    if (comma == std::string_view::npos) return choices;
    words.remove_prefix(comma + 1);
  }
}

/// A pattern without alternatives.
bool FitsChoice(std::string_view name, std::string_view pattern) {
  if (pattern.starts_with("**/")) {
    const std::string_view rest = pattern.substr(3);
    if (FitsChoice(name, rest)) return true;
    const size_t slash = name.find('/');
    return slash != std::string_view::npos && FitsChoice(name.substr(slash + 1), pattern);
  }
  const size_t name_slash = name.find('/');
  const size_t pattern_slash = pattern.find('/');
  if ((name_slash == std::string_view::npos) != (pattern_slash == std::string_view::npos)) {
    return false;
  }
  if (!PartFits(std::string(name.substr(0, name_slash)),
                std::string(pattern.substr(0, pattern_slash)))) {
    return false;
  }
  return name_slash == std::string_view::npos ||
         FitsChoice(name.substr(name_slash + 1), pattern.substr(pattern_slash + 1));
}

/// Control characters and what is not UTF-8 as `\x0a`.
std::string PrintableName(std::string_view name) {
  const bool is_utf8 = decode::IsUtf8(name);
  std::string text;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F || (byte >= 0x80 && !is_utf8)) {
      text += fmt::format("\\x{:02x}", byte);
    } else {
      text += c;
    }
  }
  return text;
}

}  // namespace

std::optional<int32_t> DateInName(std::string_view name) {
  constexpr size_t kDaySize = 10;
  if (name.size() < kDaySize) return {};
  for (size_t at = name.size() - kDaySize + 1; at-- > 0;) {
    if (const auto day = ParseDay(name.substr(at, kDaySize))) return day;
  }
  return {};
}

Result<DateRange> ParseDateRange(std::string_view text) {
  const size_t dots = text.find("..");
  const std::optional<int32_t> first = ParseDay(text.substr(0, dots));
  const std::optional<int32_t> last =
      dots == std::string_view::npos ? first : ParseDay(text.substr(dots + 2));
  if (!first || !last || *first > *last) {
    return Error(StatusCode::kInvalidArgument,
                 "ingestion_date: got '{}', expected a day (2025-09-09) or two with the earlier "
                 "one first (2025-09-01..2025-09-09)",
                 text);
  }
  return DateRange{.first_days = *first, .last_days = *last};
}

int32_t Today(const Clock& clock) {
  constexpr int64_t kMicrosPerDay = 86'400'000'000LL;
  return static_cast<int32_t>(clock.NowMicros() / kMicrosPerDay);
}

bool FitsPattern(std::string_view name, std::string_view pattern) {
  const std::vector<std::string> choices = Alternatives(pattern);
  return std::ranges::any_of(choices,
                             [&](const std::string& choice) { return FitsChoice(name, choice); });
}

Result<FileStat> StatFile(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) {
    return Error(StatusCode::kNotFound, "cannot read file: path={} why={}", path, strerror(errno));
  }
  if (!S_ISREG(info.st_mode)) {
    return Error(StatusCode::kNotFound, "not a regular file: path={}", path);
  }
  return FileStat{
      .bytes = info.st_size,
      .modified_us = info.st_mtim.tv_sec * 1'000'000LL + info.st_mtim.tv_nsec / 1000,
      .stamp = fmt::format("{} {}.{:09} {}.{:09}", info.st_size, info.st_mtim.tv_sec,
                           info.st_mtim.tv_nsec, info.st_ctim.tv_sec, info.st_ctim.tv_nsec)};
}

namespace {

/// Walks the folder and sorts what is in it.
class Scanner {
 public:
  Scanner(const std::vector<IngestStream>& streams, DateRange dates, int32_t arrival_days)
      : dates_(dates), arrival_days_(arrival_days) {
    for (const IngestStream& stream : streams) {
      for (const std::string& pattern : stream.declaration->landing) {
        for (std::string& choice : Alternatives(pattern)) {
          patterns_.push_back({.stream = &stream, .text = std::move(choice)});
        }
      }
    }
  }

  /// `prefix` is the folder's name with a slash, empty for the landing folder itself.
  void Walk(const std::string& folder, const std::string& prefix) {
    std::error_code error;
    for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
         entry.increment(error)) {
      const std::string base_name = entry->path().filename().string();
      Add(*entry, base_name, prefix + base_name);
    }
    if (error) Leave(found_.unmatched, prefix, "the folder cannot be read: " + error.message());
  }

  LandingScan Finish() {
    std::ranges::sort(found_.files, {}, [](const LandingCandidate& file) {
      return std::tie(file.stream->name, file.name);
    });
    for (auto* list : {&found_.unfinished, &found_.unmatched, &found_.refused}) {
      std::ranges::sort(*list);
    }
    return std::move(found_);
  }

 private:
  struct Pattern {
    const IngestStream* stream;
    std::string text;
  };

  static void Leave(std::vector<LeftAlone>& list, const std::string& name, std::string why) {
    list.push_back({.name = PrintableName(name), .why = std::move(why)});
  }

  void Add(const fs::directory_entry& entry, const std::string& base_name,
           const std::string& name) {
    std::error_code error;
    if (const std::string_view why = UnfinishedWhy(base_name); !why.empty()) {
      Leave(found_.unfinished, name, std::string(why));
    } else if (!entry.is_directory(error)) {
      AddFile(entry, base_name, name);
    } else if (entry.is_symlink(error)) {
      Leave(found_.unmatched, name, "a link to a folder");
    } else {
      Walk(entry.path().string(), name + "/");
    }
  }

  void AddFile(const fs::directory_entry& entry, const std::string& base_name,
               const std::string& name) {
    LandingCandidate file{.name = name, .path = entry.path().string()};
    file.date_days = DateInName(base_name);
    if (!dates_.Contains(file.date_days.value_or(arrival_days_))) return;
    std::string takers;
    for (const Pattern& pattern : patterns_) {
      if (pattern.stream == file.stream || !FitsPattern(name, pattern.text)) continue;
      file.stream = pattern.stream;
      takers += (takers.empty() ? "" : ", ") + pattern.stream->name;
    }
    if (file.stream == nullptr) return Leave(found_.unmatched, name, "no table declares it");
    if (!decode::IsUtf8(name)) return Leave(found_.refused, name, "its name is not UTF-8");
    if (takers.find(',') != std::string::npos) {
      return Leave(found_.refused, name, "it fits the landing patterns of " + takers);
    }
    Result<FileStat> stat = StatFile(file.path);
    if (!stat.ok()) {
      // Taken away meanwhile, unless it is a link that leads nowhere, a pipe or the like.
      std::error_code error;
      if (fs::symlink_status(entry.path(), error).type() == fs::file_type::not_found) return;
      return Leave(found_.unmatched, name, "not a regular file");
    }
    file.stat = *std::move(stat);
    found_.files.push_back(std::move(file));
  }

  const DateRange dates_;
  const int32_t arrival_days_;
  std::vector<Pattern> patterns_;
  LandingScan found_;
};

}  // namespace

Result<LandingScan> ScanLanding(const std::string& folder, const std::vector<IngestStream>& streams,
                                DateRange dates, int32_t arrival_days) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) return LandingScan();
  if (fs::directory_iterator(folder, error); error) {
    return Error(StatusCode::kUnavailable, "cannot list landing folder: path={} why={}", folder,
                 error.message());
  }
  Scanner scanner(streams, dates, arrival_days);
  scanner.Walk(folder, "");
  return scanner.Finish();
}

}  // namespace playhead::ingest
