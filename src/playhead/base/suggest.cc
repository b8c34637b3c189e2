#include "playhead/base/suggest.h"

#include "playhead/base/text_case.h"

#include <algorithm>
#include <numeric>

namespace playhead {
namespace {

/// Damerau-Levenshtein distance with swaps of neighbours (optimal string alignment).
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string DidYouMean(std::string_view name, const std::vector<std::string>& known) {
  // Names much longer than any of ours are no typing mistake, and the distance is quadratic.
  if (name.empty() || name.size() > 200) return "";
  const std::string wanted = LowerCase(name);
  const size_t distance_max = std::max<size_t>(1, wanted.size() / 3);
  const std::string* nearest = nullptr;
  size_t nearest_distance = distance_max + 1;
  for (const std::string& candidate : known) {
    const std::string lower = LowerCase(candidate);
    size_t distance = EditDistance(wanted, lower);
    // The part after the last dot is a good guess too: `media_events` for `bronze.media_events`.
    if (const size_t dot = lower.rfind('.'); dot != std::string::npos) {
      distance = std::min(distance, EditDistance(wanted, lower.substr(dot + 1)));
    }
    if (distance < nearest_distance) {
      nearest = &candidate;
      nearest_distance = distance;
    }
  }
  return nearest == nullptr ? "" : " (did you mean " + *nearest + "?)";
}

}  // namespace playhead
