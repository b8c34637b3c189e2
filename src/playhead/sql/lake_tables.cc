#include "playhead/sql/lake_tables.h"

#include "playhead/iceberg/metadata_json.h"
#include "playhead/iceberg/reserved_column.h"

#include <duckdb/common/string_util.hpp>

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

std::shared_ptr<LakeTable> LakeTable::At(const iceberg::Snapshot& snapshot) const {
  auto metadata = std::make_shared<iceberg::TableMetadata>(*state_.metadata);
  metadata->current_snapshot_id = snapshot.snapshot_id;
  metadata->current_schema_id = snapshot.schema_id.value_or(metadata->current_schema_id);
  catalog::TableState state = state_;
  state.metadata = std::move(metadata);
  UseTodaysNames(state);
  return std::make_shared<LakeTable>(std::move(state), store_, cache_);
}

std::shared_ptr<LakeTable> LakeMoment::Find(std::string_view table_namespace,
                                            std::string_view name) const {
  for (const auto& [id, table] : tables) {
    if (duckdb::StringUtil::CIEquals(id.table_namespace, std::string(table_namespace)) &&
        duckdb::StringUtil::CIEquals(id.name, std::string(name))) {
      return table;
    }
  }
  return nullptr;
}

Result<LakeChanges> LakeTables::Refresh() {
  PH_ASSIGN_OR_RETURN(std::string fingerprint, catalog_.Fingerprint());
  if (fingerprint == fingerprint_) return LakeChanges();
  // Should a table move before it is loaded, the next refresh looks once more.
  PH_ASSIGN_OR_RETURN(LakeMoment loaded, LoadAll());
  LakeChanges changes;
  for (const auto& [id, table] : loaded.tables) {
    const auto before = moment_->tables.find(id);
    if (before == moment_->tables.end() || SchemaText(*before->second) != SchemaText(*table)) {
      changes.made.push_back(id);
    }
  }
  for (const auto& [id, table] : moment_->tables) {
    if (!loaded.tables.contains(id)) changes.dropped.push_back(id);
  }
  moment_ = std::make_shared<const LakeMoment>(std::move(loaded));
  fingerprint_ = std::move(fingerprint);
  return changes;
}

Result<LakeMoment> LakeTables::LoadAll() {
  LakeMoment loaded;
  PH_ASSIGN_OR_RETURN(const auto locations, catalog_.Locations());
  for (const auto& [id, location] : locations) {
    auto state = catalog_.LoadAt(id, location);
    if (!state.ok() && IsOfTheTable(state.error().code())) {
      loaded.problems.emplace(id, Error(state.error().code(), "table {} cannot be read: {}",
                                        id.ToString(), state.error().message()));
      continue;
    }
    PH_RETURN_IF_ERROR(state);
    const auto before = moment_->tables.find(id);
    if (before != moment_->tables.end() &&
        before->second->metadata_location() == state->metadata_location) {
      loaded.tables.emplace(id, before->second);
    } else {
      UseTodaysNames(*state);
      loaded.tables.emplace(id, std::make_shared<LakeTable>(*std::move(state), store_, manifests_));
    }
  }
  return loaded;
}

}  // namespace playhead::sql
