#pragma once

#include "playhead/base/status.h"
#include "playhead/ingest/stream_tables.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::ingest {

/// One file below the landing folder and the stream that takes it.
struct LandingCandidate {
  std::string name;  ///< relative to the landing folder, `/` between parts
  std::string path;
  const IngestStream* stream = nullptr;
  std::optional<int32_t> date_days;  ///< from `_YYYY-MM-DD` in the name
};

struct LandingScan {
  std::vector<LandingCandidate> files;  ///< in name order
  std::vector<std::string> unmatched;   ///< names that no stream declares
  std::vector<std::string> ambiguous;   ///< what several streams declare, in words; refused
};

/// Days since 1970 of the last `YYYY-MM-DD` in a file name; none without or for an impossible date.
std::optional<int32_t> DateInName(std::string_view name);

/// True if `name` fits a landing pattern: `**/` any folders, none included; `*`, `?` and `[a-z]`
/// within one part; `{a,b}` alternatives; `YYYY-MM-DD` a day of the calendar. Source:
/// docs/formats/project.md.
bool FitsPattern(std::string_view name, std::string_view pattern);

/// Lists the landing folder. Hidden names, names that begin with `_`, and `.tmp`, `.part`,
/// `.crdownload` are somebody's unfinished work and left alone. A missing folder has no files.
Result<LandingScan> ScanLanding(const std::string& folder,
                                const std::vector<IngestStream>& streams);

}  // namespace playhead::ingest
