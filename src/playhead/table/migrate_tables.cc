#include "playhead/table/migrate_tables.h"

#include "playhead/base/crash_point.h"
#include "playhead/base/hash.h"
#include "playhead/base/logging.h"
#include "playhead/catalog/scan.h"
#include "playhead/iceberg/partition_folders.h"
#include "playhead/iceberg/reserved_column.h"
#include "playhead/iceberg/update.h"
#include "playhead/table/metadata_file.h"
#include "playhead/table/progress.h"
#include "playhead/table/topic_files.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

namespace playhead::table {
namespace {

constexpr int kAttemptsMax = 10;
constexpr std::string_view kNameMappingKey = "schema.name-mapping.default";
constexpr std::string_view kDeadSuffix = "_dead";

using iceberg::PartitionField;
using iceberg::TableMetadata;
using iceberg::Transform;
using nlohmann::json;

// Readers find the columns of files without field ids by the names in here.
void AddMappedName(int32_t field_id, const std::string& name, TableMetadata& table) {
  const auto property = table.properties.find(std::string(kNameMappingKey));
  if (property == table.properties.end()) return;
  json mapping = json::parse(property->second, nullptr, /*allow_exceptions=*/false);
  if (!mapping.is_array()) return;
  for (json& field : mapping) {
    if (field.is_object() && field.value("field-id", -1) == field_id && field["names"].is_array()) {
      field["names"].push_back(name);
    }
  }
  property->second = mapping.dump();
}

const PartitionField* FindTransform(const std::vector<PartitionField>& fields, int32_t source_id,
                                    Transform transform) {
  const auto found = std::ranges::find_if(fields, [&](const PartitionField& field) {
    return field.source_id == source_id && field.transform == transform;
  });
  return found == fields.end() ? nullptr : &*found;
}

// A field that has the hour of its column beside it.
const PartitionField* HourOf(const PartitionField& day, const std::vector<PartitionField>& fields) {
  return day.transform == Transform::kDay ? FindTransform(fields, day.source_id, Transform::kHour)
                                          : nullptr;
}

bool KeepHoursWithoutDays(TableMetadata& table) {
  const std::vector<PartitionField> fields = table.DefaultSpec().fields;
  iceberg::PartitionSpec spec;
  std::string folders;
  for (const PartitionField& field : fields) {
    const PartitionField* hour = HourOf(field, fields);
    if (!folders.empty()) folders += ", ";
    folders += hour == nullptr ? field.name : fmt::format("day({}) as {}", hour->name, field.name);
    if (hour == nullptr) spec.fields.push_back(field);
  }
  if (spec.fields.size() == fields.size()) return false;
  for (const auto& known : table.specs) spec.spec_id = std::max(spec.spec_id, known.spec_id + 1);
  table.default_spec_id = spec.spec_id;
  table.specs.push_back(std::move(spec));
  table.properties[std::string(iceberg::kFoldersKey)] = std::move(folders);
  return true;
}

// One value of progress with its logs renamed; nothing where that changes nothing.
std::optional<std::string> RenameLogs(const std::string& key, const std::string& text,
                                      const TopicByLog& topics) {
  json document = json::parse(text, nullptr, /*allow_exceptions=*/false);
  bool has_changed = false;
  if (key == kGapsKey && document.is_array()) {
    for (json& gap : document) {
      if (!gap.is_object() || !gap.contains("log") || !gap["log"].is_string()) continue;
      const auto topic = topics.find(gap["log"].get<std::string>());
      if (topic == topics.end()) continue;
      gap["log"] = topic->first + "/" + topic->second;
      has_changed = true;
    }
  } else if (document.is_object()) {
    for (const auto& [log, topic] : topics) {
      const std::string renamed = log + "/" + topic;
      if (!document.contains(log) || document.contains(renamed)) continue;
      document[renamed] = std::move(document[log]);
      document.erase(log);
      has_changed = true;
    }
  }
  return has_changed ? std::optional(document.dump()) : std::nullopt;
}

bool RenameLogs(const TopicByLog& topics, std::map<std::string, std::string>& entries) {
  bool has_changed = false;
  for (const std::string_view key : {kOffsetsKey, kCountsKey, kGapsKey}) {
    const auto entry = entries.find(std::string(key));
    if (entry == entries.end()) continue;
    auto renamed = RenameLogs(entry->first, entry->second, topics);
    if (!renamed) continue;
    entry->second = *std::move(renamed);
    has_changed = true;
  }
  return has_changed;
}

bool HasSourceColumns(const iceberg::Schema& schema) {
  return schema.FindByName("_topic") != nullptr && schema.FindByName("_offset") != nullptr;
}

// The journals that progress names without a topic.
std::set<std::string> LogsWithoutTopic(const TableMetadata& table) {
  std::set<std::string> logs;
  const auto progress = ReadProgress(table);
  if (!progress.ok()) return logs;
  for (const auto& [log, partitions] : progress->offsets) {
    if (log.find('/') == std::string::npos) logs.insert(log);
  }
  return logs;
}

// Those of the logs that a file may hold rows of: its name has a hash of the log's id, unless
// somebody has rewritten it.
std::set<std::string> LogsOfFile(const std::string& path, const std::set<std::string>& logs) {
  const std::string name = path.substr(path.rfind('/') + 1);
  std::set<std::string> named;
  for (const std::string& log : logs) {
    if (name.find("-" + ContentHash(log).substr(0, 8) + "-") != std::string::npos) {
      named.insert(log);
    }
  }
  return named.empty() ? logs : named;
}

Status CollectTopics(storage::ObjectStore& store, const TableMetadata& table,
                     const std::set<std::string>& logs,
                     std::map<std::string, std::set<std::string>>& topics) {
  PH_ASSIGN_OR_RETURN(const auto live, catalog::LiveFiles(store, table));
  for (const catalog::LiveFile& file : live) {
    PH_ASSIGN_OR_RETURN(const auto in_file, TopicsOfFile(store, table, file.file));
    for (const std::string& topic : in_file) {
      if (topic.starts_with("file:")) continue;
      for (const std::string& log : LogsOfFile(file.file.path, logs)) topics[log].insert(topic);
    }
  }
  return {};
}

using States = std::map<catalog::TableId, catalog::TableState>;

TopicByLog TopicsOfLogs(storage::ObjectStore& store, const catalog::TableState& main,
                        const States& all) {
  const std::set<std::string> logs = LogsWithoutTopic(*main.metadata);
  if (logs.empty()) return {};
  std::map<std::string, std::set<std::string>> topics;
  Status status = CollectTopics(store, *main.metadata, logs, topics);
  const auto dead = all.find({main.id.table_namespace, main.id.name + std::string(kDeadSuffix)});
  if (status.ok() && dead != all.end()) {
    status = CollectTopics(store, *dead->second.metadata, logs, topics);
  }
  TopicByLog known;
  for (const std::string& log : logs) {
    if (status.ok() && topics[log].size() == 1) {
      known.emplace(log, *topics[log].begin());
      continue;
    }
    logging::Warn("table", "the rows do not tell the topic of a journal",
                  {{"table", main.id.ToString()},
                   {"journal", log},
                   {"topics", static_cast<int64_t>(topics[log].size())},
                   {"why", status.ok() ? "" : status.ToString()}});
  }
  return known;
}

Result<States> TablesToMigrate(catalog::Catalog& catalog, const std::string& warehouse_uri) {
  PH_ASSIGN_OR_RETURN(const auto ids, catalog.ListTables());
  PH_ASSIGN_OR_RETURN(auto loaded, catalog.LoadMany(ids));
  States states;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (loaded[i].ok() && !storage::IsBelow(loaded[i]->metadata_location, warehouse_uri)) continue;
    if (loaded[i].ok()) {
      states.emplace(ids[i], *std::move(loaded[i]));
    } else if (loaded[i].error().code() == StatusCode::kUnavailable) {
      return loaded[i].error();
    } else {
      logging::Warn("table", "table left out",
                    {{"table", ids[i].ToString()}, {"why", loaded[i].error().message()}});
    }
  }
  // The files of an open plan were written for the table as it is.
  PH_ASSIGN_OR_RETURN(const catalog::CatalogSnapshot now, catalog.Snapshot());
  for (const catalog::PlanRow& plan : now.open_plans) {
    states.erase(plan.table);
    states.erase({plan.table.table_namespace, plan.table.name + std::string(kDeadSuffix)});
  }
  return states;
}

Status MigrateOnce(catalog::Catalog& catalog, storage::ObjectStore& store,
                   const std::string& warehouse_uri, const Clock& clock) {
  PH_ASSIGN_OR_RETURN(const States states, TablesToMigrate(catalog, warehouse_uri));
  std::vector<NextMetadata> changes;
  for (const auto& [id, state] : states) {
    auto next = MigrateMetadata(*state.metadata, state.metadata_location,
                                TopicsOfLogs(store, state, states), clock.NowMicros() / 1000);
    if (!next.ok()) return next.error().WithContext(id.ToString());
    if (!next->has_value()) continue;
    logging::Info("table", "migrating a table of an earlier release", {{"table", id.ToString()}});
    changes.push_back(MakeNextMetadata(id, state.metadata_location, **std::move(next)));
  }
  if (changes.empty()) return {};
  std::vector<storage::NewObject> objects;
  catalog::CommitRequest request;
  for (NextMetadata& change : changes) {
    objects.push_back(std::move(change.object));
    request.moves.push_back(change.move);
  }
  PH_RETURN_IF_ERROR(store.PutMany(objects));
  CrashPoint("migrate.after_metadata");
  const catalog::CommitAnswer answer = catalog.Commit(request);
  if (answer.kind == catalog::CommitAnswer::Kind::kRefused) {
    // Definitely not referred to by anybody.
    for (const storage::NewObject& object : objects) (void)store.Delete(object.uri).ok();
  }
  PH_RETURN_IF_ERROR(answer.ToStatus());
  CrashPoint("migrate.after_transaction");
  for (const NextMetadata& change : changes) WriteVersionHint(store, change);
  return {};
}

}  // namespace

Result<std::optional<TableMetadata>> MigrateMetadata(const TableMetadata& table,
                                                     const std::string& location,
                                                     const TopicByLog& topics, int64_t now_ms) {
  const iceberg::Schema& schema = table.CurrentSchema();
  if (!HasSourceColumns(schema)) return std::optional<TableMetadata>();
  const std::optional<iceberg::Schema> renamed = iceberg::RenameReservedColumn(schema);
  PH_ASSIGN_OR_RETURN(TableMetadata next,
                      iceberg::SetSchema(table, renamed.value_or(schema), table.last_column_id,
                                         location, now_ms, {}));
  bool has_changed = renamed.has_value();
  if (renamed) {
    AddMappedName(renamed->FindByName("_topic_partition")->id, "_topic_partition", next);
  }
  has_changed |= KeepHoursWithoutDays(next);
  has_changed |= RenameLogs(topics, next.properties);
  for (iceberg::Snapshot& snapshot : next.snapshots) {
    has_changed |= RenameLogs(topics, snapshot.summary);
  }
  if (!has_changed) return std::optional<TableMetadata>();
  return std::optional(std::move(next));
}

Status MigrateTables(catalog::Catalog& catalog, storage::ObjectStore& store,
                     const std::string& warehouse_uri, const Clock& clock) {
  Status status;
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    status = MigrateOnce(catalog, store, warehouse_uri, clock);
    if (status.code() != StatusCode::kConflict) break;
  }
  return status;
}

}  // namespace playhead::table
