#include "playhead/sql/box_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cwchar>
#include <deque>
#include <optional>
#include <set>
#include <utility>

namespace playhead::sql {
namespace {

constexpr size_t kNameColumnsMin = 40;
constexpr size_t kTimeColumnsMin = 30;
constexpr size_t kShortColumnsMin = 12;
constexpr size_t kCellColumnsMax = 1'000;  ///< on a terminal
constexpr char kBold[] = "\x1b[1m";
constexpr char kDim[] = "\x1b[2m";

using Row = std::vector<std::optional<std::string>>;

/// One character of a text: its bytes, and the columns of a terminal that it takes.
struct Glyph {
  size_t bytes = 1;
  size_t columns = 1;
};

/// A byte that is no character takes one column.
Glyph GlyphAt(std::string_view text, size_t at) {
  wchar_t character = 0;
  std::mbstate_t state{};
  const size_t length = std::mbrtowc(&character, text.data() + at, text.size() - at, &state);
  if (length == 0 || length > text.size()) return {};
  const int columns = wcwidth(character);
  return {.bytes = length, .columns = columns < 0 ? 1 : static_cast<size_t>(columns)};
}

/// Bytes of the text's beginning that fit into this many columns.
size_t FittingBytes(std::string_view text, size_t columns) {
  size_t at = 0;
  for (size_t width = 0; at < text.size();) {
    const Glyph glyph = GlyphAt(text, at);
    width += glyph.columns;
    if (width > columns) break;
    at += glyph.bytes;
  }
  return at;
}

/// Line breaks and control characters would break the box or steer the terminal.
std::string Printable(std::string_view text) {
  std::string printable;
  for (const char c : text) {
    if (c == '\n') {
      printable += "\\n";
    } else if (c == '\t') {
      printable += "\\t";
    } else if (c == '\r') {
      printable += "\\r";
    } else if ((c >= 0 && c < ' ') || c == '\x7f') {
      printable += fmt::format("\\x{:02X}", static_cast<unsigned char>(c));
    } else {
      printable += c;
    }
  }
  return printable;
}

class BoxWriter final : public RowWriter {
 public:
  BoxWriter(const OutputStyle& style, std::vector<OutputColumn> columns, OutputSink sink)
      : RowWriter(std::move(columns), std::move(sink)), style_(style) {
    has_types_ = std::any_of(columns_.begin(), columns_.end(),
                             [](const OutputColumn& column) { return !column.type.empty(); });
  }

 protected:
  void AddRow(const std::vector<OutputCell>& row) override {
    ++row_count_;
    std::deque<Row>& rows = IsTail() ? tail_ : head_;
    Row& kept = rows.emplace_back();
    kept.reserve(row.size());
    for (const OutputCell& cell : row) {
      if (cell.kind == OutputCell::Kind::kNull) {
        kept.emplace_back(has_types_ ? std::nullopt : std::optional<std::string>(""));
      } else {
        kept.emplace_back(Printable(cell.text));
      }
    }
    if (tail_.size() > TailMax()) tail_.pop_front();
  }

  void End() override {
    const bool is_cut = style_.rows_max > 0 && row_count_ > static_cast<size_t>(style_.rows_max);
    if (!is_cut) {
      std::move(tail_.begin(), tail_.end(), std::back_inserter(head_));
      tail_.clear();
    }
    MeasureColumns();
    if (style_.terminal_columns > 0) Fit(static_cast<size_t>(style_.terminal_columns));
    AddFrame("┌", "┬", "┐");
    AddLine([this](size_t c) { return Text{columns_[c].name, kBold}; });
    if (has_types_) AddLine([this](size_t c) { return Text{columns_[c].type, kDim}; });
    AddFrame("├", "┼", "┤");
    for (const Row& row : head_) AddCells(row);
    if (is_cut) AddLine([](size_t) { return Text{"·", kDim}; });
    for (const Row& row : tail_) AddCells(row);
    AddFrame("└", "┴", "┘");
    if (is_cut || shown_.size() < columns_.size()) AddFooter();
  }

 private:
  struct Text {
    std::string text;
    const char* color = nullptr;
  };
  static constexpr size_t kGap = static_cast<size_t>(-1);  ///< stands for the columns left out

  /// The first half is kept at once, and so are as many of the last ones.
  size_t TailMax() const { return static_cast<size_t>(style_.rows_max) / 2; }
  bool IsTail() const {
    return style_.rows_max > 0 && row_count_ > static_cast<size_t>(style_.rows_max) - TailMax();
  }

  template <typename Visit>
  void VisitCells(size_t c, const Visit& visit) const {
    for (const std::deque<Row>* rows : {&head_, &tail_}) {
      for (const Row& row : *rows) visit(row[c].value_or("NULL"));
    }
  }

  void MeasureColumns() {
    for (size_t c = 0; c < columns_.size(); ++c) {
      size_t width = std::max(DisplayWidth(columns_[c].name), DisplayWidth(columns_[c].type));
      VisitCells(c, [&](const std::string& cell) { width = std::max(width, DisplayWidth(cell)); });
      widths_.push_back(style_.terminal_columns > 0 ? std::min(width, kCellColumnsMax) : width);
      shown_.push_back(c);
    }
  }

  size_t TotalWidth() const {
    // Each column has a blank on both sides and a line, and one line closes the row.
    size_t total = 1;
    for (const size_t c : shown_) total += 3 + (c == kGap ? 1 : widths_[c]);
    return total;
  }

  void Fit(size_t terminal_columns) {
    const std::vector<size_t> whole = widths_;
    Shrink(terminal_columns, whole, {.first = kNameColumnsMin, .other = kShortColumnsMin});
    if (TotalWidth() <= terminal_columns) return;
    // Rather fewer columns than ones that say nothing.
    widths_ = whole;
    Shrink(terminal_columns, whole, {.first = kNameColumnsMin, .other = kTimeColumnsMin});
    LeaveOutColumns(terminal_columns);
    Shrink(terminal_columns, whole, {.first = kShortColumnsMin, .other = kShortColumnsMin});
  }

  /// The first column names its row, so it gives way last.
  struct Floors {
    size_t first;
    size_t other;
  };

  /// Takes from the widest text column as long as the box is too wide. Numbers stay whole, and so
  /// does what would look alike.
  void Shrink(size_t terminal_columns, const std::vector<size_t>& whole, const Floors& floors) {
    while (TotalWidth() > terminal_columns) {
      size_t* widest = nullptr;
      for (const size_t c : shown_) {
        if (c == kGap || columns_[c].is_number) continue;
        if (widths_[c] <= (c == 0 ? floors.first : floors.other)) continue;
        if (widest == nullptr || widths_[c] > *widest) widest = &widths_[c];
      }
      if (widest == nullptr) break;
      --*widest;
    }
    for (size_t c = 0; c < columns_.size(); ++c) {
      while (widths_[c] < whole[c] && LooksAlike(c)) widths_[c] += (whole[c] - widths_[c] + 7) / 8;
    }
  }

  /// Whether two texts that differ are cut to the same.
  bool LooksAlike(size_t c) const {
    std::set<std::string> texts;
    std::set<std::string> cut;
    VisitCells(c, [&](const std::string& cell) {
      if (texts.insert(cell).second) cut.insert(CutMiddle(cell, widths_[c]));
    });
    return cut.size() < texts.size();
  }

  /// Keeps the outer columns, from both sides alternately, as far as they fit.
  void LeaveOutColumns(size_t terminal_columns) {
    if (TotalWidth() <= terminal_columns || columns_.size() < 3) return;
    size_t left = 1;  // so many first columns
    size_t right = columns_.size() - 1;
    size_t total = 5 + widths_[0] + 3 + widths_[right] + 3;  // with the gap
    bool is_left_full = false;
    bool is_right_full = false;
    while (left < right && !(is_left_full && is_right_full)) {
      const bool is_left = !is_left_full && (is_right_full || left <= columns_.size() - right);
      const size_t width = widths_[is_left ? left : right - 1] + 3;
      if (total + width > terminal_columns) {
        (is_left ? is_left_full : is_right_full) = true;
        continue;
      }
      total += width;
      is_left ? ++left : --right;
    }
    shown_.erase(shown_.begin() + static_cast<ptrdiff_t>(left),
                 shown_.begin() + static_cast<ptrdiff_t>(right));
    shown_.insert(shown_.begin() + static_cast<ptrdiff_t>(left), kGap);
  }

  void AddFrame(const char* left, const char* middle, const char* right) {
    const char* next = left;
    for (const size_t c : shown_) {
      text_ += std::exchange(next, middle);
      for (size_t i = 0; i < 2 + (c == kGap ? 1 : widths_[c]); ++i) text_ += "─";
    }
    text_ += right;
    text_ += '\n';
  }

  template <typename TextOf>
  void AddLine(const TextOf& text_of) {
    text_ += "│";
    for (const size_t c : shown_) {
      Text cell = c == kGap ? Text{"…", kDim} : text_of(c);
      const size_t width = c == kGap ? 1 : widths_[c];
      cell.text = CutMiddle(cell.text, width);
      // Where the locale is not UTF-8, the sign for what is cut takes more columns.
      const std::string blanks(width - std::min(width, DisplayWidth(cell.text)), ' ');
      const bool is_right = c != kGap && columns_[c].is_number;
      if (style_.is_colored && cell.color != nullptr)
        cell.text = cell.color + cell.text + "\x1b[0m";
      text_ += " " + (is_right ? blanks + cell.text : cell.text + blanks) + " │";
    }
    text_ += '\n';
  }

  void AddCells(const Row& row) {
    AddLine([&](size_t c) { return row[c] ? Text{*row[c], nullptr} : Text{"NULL", kDim}; });
  }

  void AddFooter() {
    const size_t rows_shown = head_.size() + tail_.size();
    text_ += fmt::format("{} row{}", row_count_, row_count_ == 1 ? "" : "s");
    if (rows_shown < row_count_) text_ += fmt::format(" ({} shown)", rows_shown);
    if (shown_.size() < columns_.size()) {
      text_ += fmt::format(", {} columns ({} shown)", columns_.size(), shown_.size() - 1);
    }
    text_ += '\n';
  }

  OutputStyle style_;
  bool has_types_ = false;
  size_t row_count_ = 0;
  std::deque<Row> head_;
  std::deque<Row> tail_;
  std::vector<size_t> widths_;
  std::vector<size_t> shown_;  ///< numbers of columns, and at most one kGap
};

}  // namespace

std::unique_ptr<RowWriter> MakeBoxWriter(const OutputStyle& style,
                                         std::vector<OutputColumn> columns, OutputSink sink) {
  return std::make_unique<BoxWriter>(style, std::move(columns), std::move(sink));
}

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  for (size_t at = 0; at < text.size();) {
    const Glyph glyph = GlyphAt(text, at);
    width += glyph.columns;
    at += glyph.bytes;
  }
  return width;
}

std::string CutToColumns(std::string_view text, size_t columns) {
  if (DisplayWidth(text) <= columns) return std::string(text);
  columns = std::max<size_t>(columns, 1);
  return std::string(text.substr(0, FittingBytes(text, columns - 1))) + "…";
}

std::string CutMiddle(std::string_view text, size_t columns) {
  size_t width = DisplayWidth(text);
  if (width <= columns) return std::string(text);
  columns = std::max<size_t>(columns, 1);
  const size_t begin = FittingBytes(text, columns / 2);
  const size_t end_columns = columns - DisplayWidth(text.substr(0, begin)) - 1;
  size_t end = begin;
  width -= DisplayWidth(text.substr(0, begin));
  while (width > end_columns) {
    const Glyph glyph = GlyphAt(text, end);
    width -= glyph.columns;
    end += glyph.bytes;
  }
  return std::string(text.substr(0, begin)) + "…" + std::string(text.substr(end));
}

}  // namespace playhead::sql
