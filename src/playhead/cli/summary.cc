#include "playhead/cli/summary.h"

#include "playhead/cli/output.h"

#include <cmath>

namespace playhead::cli {

Status PrintSummary(const std::vector<ingest::StreamState>& states,
                    const std::optional<std::string>& format) {
  Table table{.columns = {"stream", "read", "good", "dead", "skipped", "files", "bytes", "seconds"},
              .rows = {}};
  for (const ingest::StreamState& state : states) {
    const ingest::StreamSummary& sum = state.summary;
    const double seconds = std::round(sum.seconds * 1000) / 1000;
    table.rows.push_back(
        {sum.stream, sum.read, sum.good, sum.dead, sum.skipped, sum.files, sum.bytes, seconds});
  }
  return WriteOut(Render(table, ChooseFormat(format), TerminalColumns()));
}

}  // namespace playhead::cli
