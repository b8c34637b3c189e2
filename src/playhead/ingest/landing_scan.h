#pragma once

#include "playhead/base/clock.h"
#include "playhead/base/status.h"
#include "playhead/ingest/stream_tables.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::ingest {

/// What a file looks like from outside.
struct FileStat {
  int64_t bytes = 0;
  int64_t modified_us = 0;
  /// Size, time of the contents and time of the last change of any kind, for comparing: two equal
  /// ones of a name have the same content.
  std::string stamp;
};

/// Follows links. Errors: kNotFound (also of what is no regular file).
Result<FileStat> StatFile(const std::string& path);

/// One file below the landing folder and the stream that takes it.
struct LandingCandidate {
  std::string name;  ///< relative to the landing folder, `/` between parts; links by their own name
  std::string path;
  FileStat stat;
  const IngestStream* stream = nullptr;
  std::optional<int32_t> date_days;  ///< from `_YYYY-MM-DD` in the name
};

/// What is not taken, with its name fit to be printed.
struct LeftAlone {
  std::string name;
  std::string why;
  auto operator<=>(const LeftAlone&) const = default;
};

struct LandingScan {
  std::vector<LandingCandidate> files;  ///< by stream, in name order
  std::vector<LeftAlone> unfinished;    ///< hidden, or named like somebody's unfinished work
  std::vector<LeftAlone> unmatched;     ///< no stream declares it, or it is nothing to be read
  std::vector<LeftAlone> refused;       ///< several streams declare it; a name that is not UTF-8
};

/// Days since 1970 of the last `YYYY-MM-DD` in a file name; none without or for an impossible date.
std::optional<int32_t> DateInName(std::string_view name);

/// The UTC day since 1970-01-01, for files whose names have none.
int32_t Today(const Clock& clock);

/// True if `name` fits a landing pattern: `**/` any folders, none included; `*`, `?` and `[a-z]`
/// within one part; `{a,b}` alternatives; `YYYY-MM-DD` a day of the calendar. Source:
/// docs/formats/project.md.
bool FitsPattern(std::string_view name, std::string_view pattern);

/// Ingestion dates, both included; all of them by default.
struct DateRange {
  int32_t first_days = std::numeric_limits<int32_t>::min();
  int32_t last_days = std::numeric_limits<int32_t>::max();

  bool Contains(int32_t days) const { return days >= first_days && days <= last_days; }
  bool operator==(const DateRange&) const = default;
};

/// Reads `2025-09-09` or `2025-09-01..2025-09-09`. Errors: kInvalidArgument.
Result<DateRange> ParseDateRange(std::string_view text);

/// Lists the landing folder. Hidden names, names that begin with `_`, and `.tmp`, `.part`,
/// `.crdownload` are somebody's unfinished work and left alone, folders with all that is in them.
/// Links to folders are not followed. A missing folder has no files.
/// Files whose ingestion date is not among `dates` are not looked at; those without a date in their
/// name have `arrival_days`.
Result<LandingScan> ScanLanding(const std::string& folder, const std::vector<IngestStream>& streams,
                                DateRange dates = {}, int32_t arrival_days = 0);

}  // namespace playhead::ingest
