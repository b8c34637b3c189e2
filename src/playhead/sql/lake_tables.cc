#include "playhead/sql/lake_tables.h"

#include "playhead/iceberg/metadata_json.h"
#include "playhead/iceberg/reserved_column.h"

#include <utility>

namespace playhead::sql {
namespace {

/// Not the catalog's or the store's, which the next call may get over.
bool IsOfTheTable(StatusCode code) {
  return code != StatusCode::kUnavailable && code != StatusCode::kResourceExhausted &&
         code != StatusCode::kCancelled;
}

std::string SchemaText(const LakeTable& table) {
  return iceberg::SerializeSchema(table.metadata().CurrentSchema());
}

/// Tables of an earlier release are asked by today's names before they are migrated, too.
void UseTodaysNames(catalog::TableState& state) {
  auto schema = iceberg::RenameReservedColumn(state.metadata->CurrentSchema());
  if (!schema) return;
  auto renamed = std::make_shared<iceberg::TableMetadata>(*state.metadata);
  for (iceberg::Schema& known : renamed->schemas) {
    if (known.schema_id == schema->schema_id) known = *schema;
  }
  state.metadata = std::move(renamed);
}

}  // namespace

Result<std::shared_ptr<const std::vector<catalog::LiveFile>>> LakeTable::Files() {
  const std::lock_guard lock(mutex_);
  if (files_ == nullptr) {
    auto files = catalog::LiveFiles(store_, *state_.metadata, &cache_);
    if (!files.ok()) {
      // The metadata names it, so it has to be there.
      const StatusCode code = files.error().code() == StatusCode::kNotFound
                                  ? StatusCode::kDataCorrupt
                                  : files.error().code();
      return Error(code, "table {}: {}", state_.id.ToString(), files.error().message());
    }
    files_ = std::make_shared<const std::vector<catalog::LiveFile>>(*std::move(files));
  }
  return files_;
}

Result<LakeChanges> LakeTables::Refresh() {
  PH_ASSIGN_OR_RETURN(std::string fingerprint, catalog_.Fingerprint());
  if (fingerprint == fingerprint_) return LakeChanges();
  // Should a table move before it is loaded, the next refresh looks once more.
  PH_ASSIGN_OR_RETURN(Loaded loaded, LoadAll());
  LakeChanges changes;
  for (const auto& [id, table] : loaded.tables) {
    const auto before = tables_.find(id);
    if (before == tables_.end() || SchemaText(*before->second) != SchemaText(*table)) {
      changes.made.push_back(id);
    }
  }
  for (const auto& [id, table] : tables_) {
    if (!loaded.tables.contains(id)) changes.dropped.push_back(id);
  }
  tables_ = std::move(loaded.tables);
  problems_ = std::move(loaded.problems);
  fingerprint_ = std::move(fingerprint);
  return changes;
}

Result<LakeTables::Loaded> LakeTables::LoadAll() {
  Loaded loaded;
  PH_ASSIGN_OR_RETURN(const auto locations, catalog_.Locations());
  for (const auto& [id, location] : locations) {
    auto state = catalog_.LoadAt(id, location);
    if (!state.ok() && IsOfTheTable(state.error().code())) {
      loaded.problems.emplace(id, Error(state.error().code(), "table {} cannot be read: {}",
                                        id.ToString(), state.error().message()));
      continue;
    }
    PH_RETURN_IF_ERROR(state);
    const auto before = tables_.find(id);
    if (before != tables_.end() &&
        before->second->metadata_location() == state->metadata_location) {
      loaded.tables.emplace(id, before->second);
    } else {
      UseTodaysNames(*state);
      loaded.tables.emplace(id, std::make_shared<LakeTable>(*std::move(state), store_, manifests_));
    }
  }
  return loaded;
}

std::shared_ptr<LakeTable> LakeTables::Find(const catalog::TableId& id) const {
  const auto table = tables_.find(id);
  return table == tables_.end() ? nullptr : table->second;
}

std::vector<std::shared_ptr<LakeTable>> LakeTables::All() const {
  std::vector<std::shared_ptr<LakeTable>> all;
  for (const auto& [id, table] : tables_) all.push_back(table);
  return all;
}

void LakeTables::NoteFailure(const Status& failure) {
  const std::lock_guard lock(failure_mutex_);
  if (!failure_) failure_ = failure;
}

std::optional<Status> LakeTables::TakeFailure() {
  const std::lock_guard lock(failure_mutex_);
  return std::exchange(failure_, std::nullopt);
}

}  // namespace playhead::sql
