#include "playhead/sql/complete.h"

#include "playhead/sql/engine.h"
#include "playhead/sql/quote.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <regex>

namespace playhead::sql {
namespace {

constexpr size_t kComparisonBytesMax = 300;
constexpr int kRowsLookedAt = 100'000;
constexpr int kValuesMax = 100;

/// `event_type = 'pl`: a column that is compared with a literal that is being typed.
struct Comparison {
  std::string column;
  std::string typed;  ///< of the value, without its quote
  size_t start = 0;   ///< where the value begins, with its quote
};

std::optional<Comparison> ComparisonAtEnd(const std::string& text) {
  static const auto* const kPattern = new std::regex(
      R"re((\w+|"[^"]+")\s*(?:=|<>|!=|<=|>=|<|>|\s(?:not\s+)?(?:i?like\s|in\s*\((?:[^'()]|'[^']*')*))\s*('?)([^'()\s,]*)$)re",
      std::regex::ECMAScript | std::regex::icase);
  // The pattern is matched by recursion, so long texts are not given to it.
  const size_t begin = text.size() - std::min(text.size(), kComparisonBytesMax);
  std::smatch match;
  if (!std::regex_search(text.begin() + static_cast<ptrdiff_t>(begin), text.end(), match,
                         *kPattern)) {
    return std::nullopt;
  }
  return Comparison{.column = match[1],
                    .typed = match[3],
                    .start = begin + static_cast<size_t>(match.position(2))};
}

std::vector<std::string> TablesOf(const std::string& text) {
  static const auto* const kPattern =
      new std::regex(R"re(\b(?:from|join)\s+((?:\w+|"[^"]+")(?:\.(?:\w+|"[^"]+"))*))re",
                     std::regex::ECMAScript | std::regex::icase);
  std::vector<std::string> tables;
  for (std::sregex_iterator at(text.begin(), text.end(), *kPattern), end; at != end; ++at) {
    tables.push_back((*at)[1]);
  }
  return tables;
}

std::vector<Completion> ValuesOf(duckdb::Connection& connection, const Comparison& comparison,
                                 const std::vector<std::string>& tables) {
  std::vector<Completion> values;
  for (const std::string& table : tables) {
    const auto result = connection.Query(fmt::format(
        "SELECT DISTINCT {0} FROM (SELECT {0} FROM {1} LIMIT {2}) WHERE starts_with({0}::VARCHAR, "
        "{3})"
        " ORDER BY 1 LIMIT {4}",
        comparison.column, table, kRowsLookedAt, QuotedText(comparison.typed), kValuesMax));
    if (result->HasError()) continue;  // no column of this table
    const duckdb::LogicalType& type = result->types[0];
    if (type.IsNested() || type.id() == duckdb::LogicalTypeId::BLOB) return values;
    const bool is_bare = type.IsNumeric() || type.id() == duckdb::LogicalTypeId::BOOLEAN;
    for (duckdb::idx_t row = 0; row < result->RowCount(); ++row) {
      const std::string text = result->GetValue(0, row).ToString();
      values.push_back({.text = is_bare ? text : QuotedText(text), .start = comparison.start});
    }
    return values;
  }
  return values;
}

}  // namespace

std::vector<Completion> CompleteText(duckdb::Connection& connection, const std::string& text) {
  if (const auto comparison = ComparisonAtEnd(text)) {
    return ValuesOf(connection, *comparison, TablesOf(text));
  }
  std::vector<Completion> completions;
  const auto result = connection.Query(fmt::format(
      "SELECT suggestion, suggestion_start FROM sql_auto_complete({})", QuotedText(text)));
  if (result->HasError()) return completions;
  for (duckdb::idx_t row = 0; row < result->RowCount(); ++row) {
    const auto start = result->GetValue(1, row).GetValue<int64_t>();
    if (start < 0 || static_cast<size_t>(start) > text.size()) continue;
    completions.push_back(
        {.text = result->GetValue(0, row).ToString(), .start = static_cast<size_t>(start)});
  }
  return completions;
}

}  // namespace playhead::sql
