#include "playhead/decode/line_splitter.h"

#include "playhead/decode/byte_search.h"

#include <algorithm>
#include <utility>

namespace playhead::decode {
namespace {

std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  return text;
}

bool BeginsValue(std::string_view text) {
  return !text.empty() && (text.front() == '{' || text.front() == '[');
}

}  // namespace

bool LineSplitter::IsRecord(std::string_view line) {
  line = TrimBlanks(line);
  if (!BeginsValue(line)) return true;
  const char* begin = line.data();
  if (line.back() != '}' || CountDifference(begin, begin + line.size(), '{', '}') != 0) {
    return false;
  }
  // A second value would stand right behind a bracket, which inside of one never happens but in
  // strings.
  for (size_t at = line.find('}'); at + 1 < line.size(); at = line.find('}', at + 1)) {
    if (BeginsValue(TrimBlanks(line.substr(at + 1)))) return false;
  }
  return true;
}

void LineSplitter::Take(std::string_view line, std::string_view end) {
  if (!is_joining()) return TakeFirst(line, end);
  const std::string_view text = TrimBlanks(line);
  const bool fits =
      static_cast<int64_t>(joined_.size() + line.size() + end.size()) <= record_bytes_max_;
  if (!fits || (!text.empty() && !scan_.CanGoOnWith(text.front()))) {
    Finish();
    return TakeFirst(line, end);
  }
  const size_t close = scan_.Scan(line);
  if (close == std::string_view::npos) {
    joined_.append(line).append(end);
    return;
  }
  joined_.append(line.substr(0, close));
  ready_.push_back(std::exchange(joined_, {}));
  TakeFirst(line.substr(close), end);
}

void LineSplitter::TakeFirst(std::string_view line, std::string_view end) {
  std::deque<std::string> values;
  for (std::string_view rest = TrimBlanks(line); !rest.empty(); rest = TrimBlanks(rest)) {
    if (!BeginsValue(rest)) {
      // Nobody can say where the next value begins.
      ready_.emplace_back(line);
      return;
    }
    scan_ = {};
    const size_t close = scan_.Scan(rest);
    if (close == std::string_view::npos) {
      // Blanks at its end belong to a value that goes on.
      joined_.assign(rest.data(), line.data() + line.size()).append(end);
      break;
    }
    values.emplace_back(rest.substr(0, close));
    rest.remove_prefix(close);
  }
  for (std::string& value : values) ready_.push_back(std::move(value));
  if (is_joining() && scan_.is_in_string()) Finish();  // strings do not go over line ends
}

void LineSplitter::Finish() {
  const std::string joined = std::exchange(joined_, {});
  for (std::string_view rest = joined; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size() - 1);
    const std::string_view line = TrimBlanks(rest.substr(0, end + 1));
    if (!line.empty()) ready_.emplace_back(line);
    rest.remove_prefix(end + 1);
  }
}

bool LineSplitter::Next(std::string_view* record) {
  if (ready_.empty()) return false;
  given_ = std::move(ready_.front());
  ready_.pop_front();
  *record = given_;
  return true;
}

}  // namespace playhead::decode
