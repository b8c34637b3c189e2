#include "playhead/catalog/plan_rows.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace playhead::catalog {
namespace {

using nlohmann::json;

std::string FilesToJson(const std::vector<PlannedFile>& files) {
  json list = json::array();
  for (const PlannedFile& file : files) {
    list.push_back({{"namespace", file.table.table_namespace},
                    {"table", file.table.name},
                    {"staged", file.staged_uri},
                    {"final", file.final_uri},
                    {"rows", file.rows},
                    {"bytes", file.bytes}});
  }
  return list.dump();
}

Result<std::vector<PlannedFile>> FilesFromJson(const std::string& plan_id, std::string_view text) {
  try {
    std::vector<PlannedFile> files;
    for (const json& item : json::parse(text)) {
      files.push_back({.table = {item.at("namespace"), item.at("table")},
                       .staged_uri = item.at("staged"),
                       .final_uri = item.at("final"),
                       .rows = item.at("rows"),
                       .bytes = item.at("bytes")});
    }
    return files;
  } catch (const json::exception& error) {
    return Error(StatusCode::kDataCorrupt, "a plan's files are unreadable: plan={} error={}",
                 plan_id, error.what());
  }
}

Status PlanInTheWay(sqlite::Database& db, const Plan& plan) {
  PH_ASSIGN_OR_RETURN(auto query,
                      db.Prepare("SELECT plan_id FROM playhead_plan_ranges WHERE table_namespace = "
                                 "?1 AND table_name = ?2 AND log_id = ?3 AND topic = ?4 AND "
                                 "topic_partition = ?5"));
  for (const PlannedRange& range : plan.ranges) {
    query.BindText(1, plan.table.table_namespace);
    query.BindText(2, plan.table.name);
    query.BindText(3, range.partition.log_id);
    query.BindText(4, range.partition.topic);
    query.BindInt(5, range.partition.partition);
    PH_ASSIGN_OR_RETURN(const bool found, query.Step());
    if (found) {
      return Error(StatusCode::kAlreadyExists,
                   "an open plan covers the partition: table={} topic={} partition={} plan={}",
                   plan.table.ToString(), range.partition.topic, range.partition.partition,
                   query.ColumnText(0));
    }
    query.Reset();
  }
  return Error(StatusCode::kAlreadyExists, "the plan is open already: plan={}", plan.plan_id);
}

Status InsertRange(sqlite::Statement& insert, const Plan& plan, const PlannedRange& range) {
  insert.BindText(1, plan.plan_id);
  insert.BindText(2, plan.table.table_namespace);
  insert.BindText(3, plan.table.name);
  insert.BindText(4, range.partition.log_id);
  insert.BindText(5, range.partition.topic);
  insert.BindInt(6, range.partition.partition);
  insert.BindInt(7, range.range.begin);
  insert.BindInt(8, range.range.end);
  return insert.Run();
}

Result<std::vector<PlannedRange>> SelectRanges(sqlite::Database& db, const std::string& plan_id) {
  PH_ASSIGN_OR_RETURN(auto query,
                      db.Prepare("SELECT log_id, topic, topic_partition, begin_offset, end_offset "
                                 "FROM playhead_plan_ranges WHERE plan_id = ?1 ORDER BY 1, 2, 3"));
  query.BindText(1, plan_id);
  std::vector<PlannedRange> ranges;
  while (true) {
    PH_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return ranges;
    ranges.push_back({.partition = {.log_id = std::string(query.ColumnText(0)),
                                    .topic = std::string(query.ColumnText(1)),
                                    .partition = static_cast<int32_t>(query.ColumnInt(2))},
                      .range = {.begin = query.ColumnInt(3), .end = query.ColumnInt(4)}});
  }
}

}  // namespace

Status InsertPlanRows(sqlite::Database& db, const Plan& plan) {
  PH_ASSIGN_OR_RETURN(auto insert,
                      db.Prepare("INSERT INTO playhead_plans VALUES (?1, ?2, ?3, ?4, ?5, ?6)"));
  const std::string files = FilesToJson(plan.files);
  insert.BindText(1, plan.plan_id);
  insert.BindText(2, plan.table.table_namespace);
  insert.BindText(3, plan.table.name);
  insert.BindText(4, files);
  insert.BindText(5, plan.payload_json);
  insert.BindInt(6, plan.created_us);
  Status status = insert.Run();

  PH_ASSIGN_OR_RETURN(auto insert_range,
                      db.Prepare("INSERT INTO playhead_plan_ranges VALUES (?1, ?2, ?3, ?4, ?5, ?6, "
                                 "?7, ?8)"));
  for (const PlannedRange& range : plan.ranges) {
    if (status.ok()) status = InsertRange(insert_range, plan, range);
  }
  if (status.code() == StatusCode::kAlreadyExists) return PlanInTheWay(db, plan);
  return status;
}

Result<std::vector<Plan>> SelectPlans(sqlite::Database& db,
                                      const std::optional<std::string>& plan_id) {
  PH_ASSIGN_OR_RETURN(auto query,
                      db.Prepare("SELECT plan_id, table_namespace, table_name, files, payload, "
                                 "created_us FROM playhead_plans WHERE ?1 IS NULL OR plan_id = ?1 "
                                 "ORDER BY created_us, plan_id"));
  if (plan_id.has_value()) query.BindText(1, *plan_id);
  std::vector<Plan> plans;
  while (true) {
    PH_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) break;
    Plan plan{.plan_id = std::string(query.ColumnText(0)),
              .table = {std::string(query.ColumnText(1)), std::string(query.ColumnText(2))},
              .payload_json = std::string(query.ColumnText(4)),
              .created_us = query.ColumnInt(5)};
    PH_ASSIGN_OR_RETURN(plan.files, FilesFromJson(plan.plan_id, query.ColumnText(3)));
    plans.push_back(std::move(plan));
  }
  for (Plan& plan : plans) {
    PH_ASSIGN_OR_RETURN(plan.ranges, SelectRanges(db, plan.plan_id));
  }
  return plans;
}

Result<bool> DeletePlanRows(sqlite::Database& db, const std::string& plan_id) {
  // The ranges go with it (ON DELETE CASCADE).
  PH_ASSIGN_OR_RETURN(auto remove, db.Prepare("DELETE FROM playhead_plans WHERE plan_id = ?1"));
  remove.BindText(1, plan_id);
  PH_RETURN_IF_ERROR(remove.Run());
  return db.changes() > 0;
}

Status InsertLandingFile(sqlite::Database& db, const LandingFile& file) {
  PH_ASSIGN_OR_RETURN(auto retire,
                      db.Prepare("UPDATE playhead_landing_files SET is_current = 0 WHERE "
                                 "table_namespace = ?1 AND table_name = ?2 AND name = ?3"));
  retire.BindText(1, file.table.table_namespace);
  retire.BindText(2, file.table.name);
  retire.BindText(3, file.name);
  PH_RETURN_IF_ERROR(retire.Run());
  PH_ASSIGN_OR_RETURN(
      auto insert,
      db.Prepare("INSERT INTO playhead_landing_files (table_namespace, table_name, name, "
                 "content_hash, topic, bytes, rows_good, rows_dead, ingestion_date_days, raw_uri, "
                 "committed_us, is_current) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
                 "?12)"));
  insert.BindText(1, file.table.table_namespace);
  insert.BindText(2, file.table.name);
  insert.BindText(3, file.name);
  insert.BindText(4, file.content_hash);
  insert.BindText(5, file.topic);
  insert.BindInt(6, file.bytes);
  insert.BindInt(7, file.rows_good);
  insert.BindInt(8, file.rows_dead);
  insert.BindInt(9, file.ingestion_date_days);
  insert.BindText(10, file.raw_uri);
  insert.BindInt(11, file.committed_us);
  insert.BindInt(12, file.is_current ? 1 : 0);
  return insert.Run();
}

Result<std::vector<LandingFile>> SelectLandingFiles(sqlite::Database& db, const TableId& table,
                                                    bool current_only) {
  PH_ASSIGN_OR_RETURN(
      auto query,
      db.Prepare("SELECT name, content_hash, topic, bytes, rows_good, rows_dead, "
                 "ingestion_date_days, raw_uri, committed_us, is_current FROM "
                 "playhead_landing_files WHERE table_namespace = ?1 AND table_name = ?2 AND "
                 "is_current >= ?3 ORDER BY name, id"));
  query.BindText(1, table.table_namespace);
  query.BindText(2, table.name);
  query.BindInt(3, current_only ? 1 : 0);
  std::vector<LandingFile> files;
  while (true) {
    PH_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return files;
    files.push_back({.table = table,
                     .name = std::string(query.ColumnText(0)),
                     .content_hash = std::string(query.ColumnText(1)),
                     .topic = std::string(query.ColumnText(2)),
                     .bytes = query.ColumnInt(3),
                     .rows_good = query.ColumnInt(4),
                     .rows_dead = query.ColumnInt(5),
                     .ingestion_date_days = static_cast<int32_t>(query.ColumnInt(6)),
                     .raw_uri = std::string(query.ColumnText(7)),
                     .committed_us = query.ColumnInt(8),
                     .is_current = query.ColumnInt(9) != 0});
  }
}

}  // namespace playhead::catalog
