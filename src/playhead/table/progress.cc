#include "playhead/table/progress.h"

#include "playhead/iceberg/update.h"

#include <nlohmann/json.hpp>

#include <charconv>
#include <utility>

namespace playhead::table {
namespace {

using nlohmann::json;

std::optional<std::string> FindEntry(const iceberg::TableMetadata& metadata, std::string_view key) {
  if (auto value = iceberg::FindInSummaries(metadata, key)) return value;
  const auto property = metadata.properties.find(std::string(key));
  if (property == metadata.properties.end()) return std::nullopt;
  return property->second;
}

Result<int32_t> ParsePartition(const std::string& text) {
  int32_t partition = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), partition);
  if (error == std::errc() && end == text.data() + text.size()) return partition;
  return Error(StatusCode::kDataCorrupt, "not a partition number: \"{}\"", text);
}

// `{"<log id>": {"<partition>": value}}`, the values read by `parse`.
template <typename Value, typename Parse>
Result<std::map<std::string, std::map<int32_t, Value>>> ParseByPartition(const std::string& text,
                                                                         Parse parse) {
  std::map<std::string, std::map<int32_t, Value>> values;
  try {
    // Named, because items() only refers to it.
    const json document = json::parse(text);
    for (const auto& [log_id, partitions] : document.items()) {
      for (const auto& [number, value] : partitions.items()) {
        PH_ASSIGN_OR_RETURN(const int32_t partition, ParsePartition(number));
        values[log_id][partition] = parse(value);
      }
    }
  } catch (const json::exception& error) {
    return Error(StatusCode::kDataCorrupt, "unreadable progress: {}", error.what());
  }
  return values;
}

RecordCounts ParseCounts(const json& value) {
  return {.read = value.at("read"),
          .good = value.at("good"),
          .dead = value.at("dead"),
          .skipped = value.at("skipped")};
}

}  // namespace

Result<TableProgress> ReadPosition(const iceberg::TableMetadata& metadata) {
  TableProgress progress;
  if (const auto text = FindEntry(metadata, kOffsetsKey)) {
    auto offsets =
        ParseByPartition<int64_t>(*text, [](const json& value) { return value.get<int64_t>(); });
    if (!offsets.ok()) return offsets.error().WithContext(metadata.location);
    progress.offsets = *std::move(offsets);
  }
  if (const auto text = FindEntry(metadata, kInputsKey)) {
    try {
      progress.inputs = json::parse(*text).get<std::map<std::string, int64_t>>();
    } catch (const json::exception& error) {
      return Error(StatusCode::kDataCorrupt, "{}: unreadable progress: {}", metadata.location,
                   error.what());
    }
  }
  return progress;
}

Result<TableProgress> ReadProgress(const iceberg::TableMetadata& metadata) {
  PH_ASSIGN_OR_RETURN(TableProgress progress, ReadPosition(metadata));
  if (const auto text = FindEntry(metadata, kCountsKey)) {
    auto counts = ParseByPartition<RecordCounts>(*text, ParseCounts);
    if (!counts.ok()) return counts.error().WithContext(metadata.location);
    progress.counts = *std::move(counts);
  }
  return progress;
}

std::optional<int64_t> NextOffset(const TableProgress& progress, const LogPartition& partition) {
  const auto log = progress.offsets.find(partition.log_id);
  if (log == progress.offsets.end()) return std::nullopt;
  const auto entry = log->second.find(partition.partition);
  return entry == log->second.end() ? std::nullopt : std::optional(entry->second);
}

TableProgress Advance(TableProgress head, const std::vector<EpochRange>& ranges) {
  for (const EpochRange& range : ranges) {
    head.offsets[range.partition.log_id][range.partition.partition] = range.range.end;
    RecordCounts& counts = head.counts[range.partition.log_id][range.partition.partition];
    counts.read += range.counts.read;
    counts.good += range.counts.good;
    counts.dead += range.counts.dead;
    counts.skipped += range.counts.skipped;
  }
  return head;
}

std::map<std::string, std::string> ProgressEntries(const TableProgress& progress) {
  std::map<std::string, std::string> entries;
  if (!progress.offsets.empty()) {
    json offsets = json::object();
    for (const auto& [log_id, partitions] : progress.offsets) {
      for (const auto& [partition, next] : partitions) {
        offsets[log_id][std::to_string(partition)] = next;
      }
    }
    entries[std::string(kOffsetsKey)] = offsets.dump();
  }
  if (!progress.counts.empty()) {
    json counts = json::object();
    for (const auto& [log_id, partitions] : progress.counts) {
      for (const auto& [partition, count] : partitions) {
        counts[log_id][std::to_string(partition)] = {{"read", count.read},
                                                     {"good", count.good},
                                                     {"dead", count.dead},
                                                     {"skipped", count.skipped}};
      }
    }
    entries[std::string(kCountsKey)] = counts.dump();
  }
  if (!progress.inputs.empty()) {
    entries[std::string(kInputsKey)] = json(progress.inputs).dump();
  }
  return entries;
}

std::map<std::string, std::string> GapEntries(const std::vector<EpochRange>& ranges) {
  json gaps = json::array();
  for (const EpochRange& range : ranges) {
    if (!range.accepted_gap_from.has_value()) continue;
    gaps.push_back({{"log", range.partition.log_id},
                    {"topic", range.partition.topic},
                    {"partition", range.partition.partition},
                    {"begin", *range.accepted_gap_from},
                    {"end", range.range.begin}});
  }
  if (gaps.empty()) return {};
  return {{std::string(kGapsKey), gaps.dump()}};
}

int64_t SnapshotOfPlan(const iceberg::TableMetadata& metadata, const std::string& plan_id) {
  for (const iceberg::Snapshot& snapshot : metadata.snapshots) {
    const auto entry = snapshot.summary.find(std::string(kPlanIdKey));
    if (entry != snapshot.summary.end() && entry->second == plan_id) return snapshot.snapshot_id;
  }
  return 0;
}

}  // namespace playhead::table
