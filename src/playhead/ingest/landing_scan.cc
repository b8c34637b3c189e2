#include "playhead/ingest/landing_scan.h"

#include "playhead/base/civil_date.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace playhead::ingest {
namespace {

namespace fs = std::filesystem;

bool IsUnfinished(std::string_view base_name) {
  static constexpr std::array<std::string_view, 3> kEndings = {".tmp", ".part", ".crdownload"};
  return base_name.empty() || base_name.front() == '.' || base_name.front() == '_' ||
         std::ranges::any_of(kEndings,
                             [&](std::string_view end) { return base_name.ends_with(end); });
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
  if (const size_t open = pattern.find('{'); open != std::string_view::npos) {
    const size_t close = pattern.find('}', open);
    if (close == std::string_view::npos) return false;
    std::string_view choices = pattern.substr(open + 1, close - open - 1);
    while (true) {
      const size_t comma = choices.find(',');
      const std::string expanded = fmt::format("{}{}{}", pattern.substr(0, open),
                                               choices.substr(0, comma), pattern.substr(close + 1));
      if (FitsPattern(name, expanded)) return true;
      if (comma == std::string_view::npos) return false;
      choices.remove_prefix(comma + 1);
    }
  }
  if (pattern.starts_with("**/")) {
    const std::string_view rest = pattern.substr(3);
    if (FitsPattern(name, rest)) return true;
    const size_t slash = name.find('/');
    return slash != std::string_view::npos && FitsPattern(name.substr(slash + 1), pattern);
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
         FitsPattern(name.substr(name_slash + 1), pattern.substr(pattern_slash + 1));
}

Result<LandingScan> ScanLanding(const std::string& folder, const std::vector<IngestStream>& streams,
                                DateRange dates, int32_t arrival_days) {
  LandingScan scan;
  std::error_code error;
  if (!fs::is_directory(folder, error)) return scan;
  fs::recursive_directory_iterator walk(folder, fs::directory_options::skip_permission_denied,
                                        error);
  if (error) {
    return Error(StatusCode::kUnavailable, "cannot list landing folder: path={} why={}", folder,
                 error.message());
  }
  for (; walk != fs::recursive_directory_iterator(); walk.increment(error)) {
    if (error) break;
    const std::string base_name = walk->path().filename().string();
    if (walk->is_directory(error)) {
      if (IsUnfinished(base_name)) walk.disable_recursion_pending();
      continue;
    }
    if (IsUnfinished(base_name) || !walk->is_regular_file(error)) continue;
    LandingCandidate candidate;
    candidate.name = fs::relative(walk->path(), folder, error).generic_string();
    candidate.path = walk->path().string();
    candidate.date_days = DateInName(base_name);
    if (!dates.Contains(candidate.date_days.value_or(arrival_days))) continue;
    std::string takers;
    for (const IngestStream& stream : streams) {
      const bool fits = std::ranges::any_of(
          stream.declaration->landing,
          [&](const std::string& pattern) { return FitsPattern(candidate.name, pattern); });
      if (!fits) continue;
      candidate.stream = &stream;
      takers += (takers.empty() ? "" : ", ") + stream.name;
    }
    if (candidate.stream == nullptr) {
      scan.unmatched.push_back(candidate.name);
    } else if (takers.find(',') != std::string::npos) {
      scan.ambiguous.push_back(
          fmt::format("{} fits the landing patterns of {}", candidate.name, takers));
    } else {
      scan.files.push_back(std::move(candidate));
    }
  }
  std::ranges::sort(scan.files, {}, &LandingCandidate::name);
  std::ranges::sort(scan.unmatched);
  std::ranges::sort(scan.ambiguous);
  return scan;
}

}  // namespace playhead::ingest
