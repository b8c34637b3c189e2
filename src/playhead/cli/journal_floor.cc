#include "playhead/cli/journal_floor.h"

#include "playhead/cli/lake.h"
#include "playhead/ingest/stream_tables.h"
#include "playhead/table/progress.h"

#include <algorithm>

namespace playhead::cli {
namespace {

void Lower(log::TopicOffsets& offsets, const std::string& topic, int64_t offset) {
  int64_t& known = offsets.try_emplace(topic, offset).first->second;
  known = std::min(known, offset);
}

int64_t NextOffset(const std::map<int32_t, int64_t>& partitions) {
  const auto found = partitions.find(0);
  return found == partitions.end() ? 0 : found->second;
}

Result<table::TableProgress> ProgressOf(catalog::Catalog& catalog, const catalog::TableId& id) {
  Result<catalog::TableState> table = catalog.Load(id);
  if (!table.ok() && table.error().code() == StatusCode::kNotFound) return table::TableProgress();
  PH_RETURN_IF_ERROR(table);
  return table::ReadProgress(*table->metadata);
}

}  // namespace

std::set<std::string> DeclaredTopics(const config::ResolvedConfig& config) {
  std::set<std::string> topics;
  for (const project::Stream& stream : config.project.streams) {
    if (!stream.topic.empty()) topics.insert(stream.topic);
  }
  return topics;
}

Result<log::TopicOffsets> CommittedOffsets(const config::ResolvedConfig& config,
                                           const std::string& journal_id) {
  PH_ASSIGN_OR_RETURN(const ReadableLake lake, OpenLake(config));
  const std::set<std::string> declared = DeclaredTopics(config);
  const std::string prefix = log::JournalLogId(journal_id, "");
  log::TopicOffsets committed;
  for (const project::Stream& stream : config.project.streams) {
    if (stream.topic.empty()) continue;
    PH_ASSIGN_OR_RETURN(const table::TableProgress progress,
                        ProgressOf(*lake.catalog, ingest::MakeIngestStream(stream).main.id));
    const auto own = progress.offsets.find(log::JournalLogId(journal_id, stream.topic));
    Lower(committed, stream.topic, own == progress.offsets.end() ? 0 : NextOffset(own->second));
    for (const auto& [log_id, partitions] : progress.offsets) {
      if (!log_id.starts_with(prefix)) continue;
      const std::string topic = log_id.substr(prefix.size());
      if (!declared.contains(topic)) Lower(committed, topic, NextOffset(partitions));
    }
  }
  return committed;
}

}  // namespace playhead::cli
