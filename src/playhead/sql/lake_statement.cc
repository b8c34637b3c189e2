#include "playhead/sql/lake_statement.h"

#include "playhead/sql/lake_scan.h"

#include <duckdb/parser/expression/subquery_expression.hpp>
#include <duckdb/parser/parsed_data/create_table_info.hpp>
#include <duckdb/parser/parsed_data/create_view_info.hpp>
#include <duckdb/parser/parsed_data/drop_info.hpp>
#include <duckdb/parser/parsed_expression_iterator.hpp>
#include <duckdb/parser/query_node.hpp>
#include <duckdb/parser/statement/alter_statement.hpp>
#include <duckdb/parser/statement/copy_statement.hpp>
#include <duckdb/parser/statement/create_statement.hpp>
#include <duckdb/parser/statement/delete_statement.hpp>
#include <duckdb/parser/statement/drop_statement.hpp>
#include <duckdb/parser/statement/explain_statement.hpp>
#include <duckdb/parser/statement/insert_statement.hpp>
#include <duckdb/parser/statement/merge_into_statement.hpp>
#include <duckdb/parser/statement/prepare_statement.hpp>
#include <duckdb/parser/statement/select_statement.hpp>
#include <duckdb/parser/statement/update_statement.hpp>
#include <duckdb/parser/tableref/basetableref.hpp>

#include <algorithm>
#include <optional>

namespace playhead::sql {
namespace {

using duckdb::StatementType;

constexpr size_t kSnapshotsNamedMax = 10;

struct Name {
  std::string catalog;
  std::string schema;
  std::string name;
};

Name NameOf(const duckdb::TableRef& ref) {
  if (ref.type != duckdb::TableReferenceType::BASE_TABLE) return {};
  const auto& table = ref.Cast<duckdb::BaseTableRef>();
  return {.catalog = table.catalog_name, .schema = table.schema_name, .name = table.table_name};
}

/// The table or view that the statement changes; of a dropped schema only `schema`.
Name ChangedBy(const duckdb::SQLStatement& statement) {
  switch (statement.type) {
    case StatementType::INSERT_STATEMENT: {
      const auto& insert = statement.Cast<duckdb::InsertStatement>();
      return {.catalog = insert.catalog, .schema = insert.schema, .name = insert.table};
    }
    case StatementType::UPDATE_STATEMENT:
      return NameOf(*statement.Cast<duckdb::UpdateStatement>().table);
    case StatementType::DELETE_STATEMENT:
      return NameOf(*statement.Cast<duckdb::DeleteStatement>().table);
    case StatementType::MERGE_INTO_STATEMENT:
      return NameOf(*statement.Cast<duckdb::MergeIntoStatement>().target);
    case StatementType::ALTER_STATEMENT: {
      const auto& info = *statement.Cast<duckdb::AlterStatement>().info;
      return {.catalog = info.catalog, .schema = info.schema, .name = info.name};
    }
    case StatementType::DROP_STATEMENT: {
      const auto& info = *statement.Cast<duckdb::DropStatement>().info;
      if (info.type == duckdb::CatalogType::SCHEMA_ENTRY)
        return {.catalog = info.catalog, .schema = info.name, .name = ""};
      return {.catalog = info.catalog, .schema = info.schema, .name = info.name};
    }
    case StatementType::COPY_STATEMENT: {
      const auto& info = *statement.Cast<duckdb::CopyStatement>().info;
      if (!info.is_from) return {};
      return {.catalog = info.catalog, .schema = info.schema, .name = info.table};
    }
    default:
      return {};
  }
}

bool IsSame(std::string_view left, std::string_view right) {
  return duckdb::StringUtil::CIEquals(std::string(left), std::string(right));
}

/// Another database of the user; the lake is in the one that the engine opens with.
bool IsAttached(const std::string& catalog) {
  return !catalog.empty() && !IsSame(catalog, "memory");
}

bool IsLakeSchema(const LakeMoment& moment, const std::string& schema) {
  const auto is_it = [&](std::string_view known) { return IsSame(known, schema); };
  return is_it("playhead") || std::ranges::any_of(kSearchPath, is_it) ||
         std::ranges::any_of(moment.tables,
                             [&](const auto& table) { return is_it(table.first.table_namespace); });
}

std::shared_ptr<LakeTable> FindTable(const LakeMoment& moment, const Name& name) {
  if (!name.schema.empty()) return moment.Find(name.schema, name.name);
  for (const std::string_view schema : kSearchPath) {
    if (auto table = moment.Find(schema, name.name)) return table;
  }
  return nullptr;
}

/// The statement that another one explains or prepares.
const duckdb::SQLStatement& Innermost(const duckdb::SQLStatement& statement) {
  if (statement.type == StatementType::EXPLAIN_STATEMENT) {
    return Innermost(*statement.Cast<duckdb::ExplainStatement>().stmt);
  }
  if (statement.type == StatementType::PREPARE_STATEMENT) {
    return Innermost(*statement.Cast<duckdb::PrepareStatement>().statement);
  }
  return statement;
}

/// The query within a statement; null when it has none.
duckdb::QueryNode* QueryOf(duckdb::SQLStatement& statement) {
  const auto node_of = [](const duckdb::unique_ptr<duckdb::SelectStatement>& select) {
    return select == nullptr ? nullptr : select->node.get();
  };
  switch (statement.type) {
    case StatementType::SELECT_STATEMENT:
      return statement.Cast<duckdb::SelectStatement>().node.get();
    case StatementType::INSERT_STATEMENT:
      return node_of(statement.Cast<duckdb::InsertStatement>().select_statement);
    case StatementType::COPY_STATEMENT:
      return statement.Cast<duckdb::CopyStatement>().info->select_statement.get();
    case StatementType::CREATE_STATEMENT: {
      duckdb::CreateInfo& info = *statement.Cast<duckdb::CreateStatement>().info;
      if (info.type == duckdb::CatalogType::TABLE_ENTRY) {
        return node_of(info.Cast<duckdb::CreateTableInfo>().query);
      }
      if (info.type == duckdb::CatalogType::VIEW_ENTRY) {
        return node_of(info.Cast<duckdb::CreateViewInfo>().query);
      }
      return nullptr;
    }
    default:
      return nullptr;
  }
}

void VisitTables(duckdb::QueryNode& node, const std::function<void(duckdb::BaseTableRef&)>& visit) {
  const std::function<void(duckdb::unique_ptr<duckdb::ParsedExpression>&)> visit_expression =
      [&](duckdb::unique_ptr<duckdb::ParsedExpression>& expression) {
        if (expression->GetExpressionClass() == duckdb::ExpressionClass::SUBQUERY) {
          VisitTables(*expression->Cast<duckdb::SubqueryExpression>().subquery->node, visit);
        }
        duckdb::ParsedExpressionIterator::EnumerateChildren(*expression, visit_expression);
      };
  duckdb::ParsedExpressionIterator::EnumerateQueryNodeChildren(
      node, visit_expression, [&](duckdb::TableRef& ref) {
        if (ref.type == duckdb::TableReferenceType::BASE_TABLE) {
          visit(ref.Cast<duckdb::BaseTableRef>());
        }
      });
}

std::string TimeText(int64_t millis) {
  return duckdb::Timestamp::ToString(duckdb::timestamp_t(millis * 1000)) + "+00";
}

/// The newest of them with their times.
std::string KnownSnapshots(const iceberg::TableMetadata& metadata) {
  if (metadata.snapshots.empty()) return "it has none";
  std::string text;
  size_t count = 0;
  for (auto known = metadata.snapshots.rbegin(); known != metadata.snapshots.rend(); ++known) {
    if (++count > kSnapshotsNamedMax) break;
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", known->snapshot_id,
                        TimeText(known->timestamp_ms));
  }
  const size_t more = metadata.snapshots.size() - std::min(count, metadata.snapshots.size());
  return "it has " + text +
         (more > 0 ? fmt::format(" and {} older; playhead.snapshots lists all", more) : "");
}

Result<int64_t> SnapshotAt(const LakeTable& table, duckdb::AtClause& at, const Evaluate& evaluate) {
  const iceberg::TableMetadata& metadata = table.metadata();
  const std::string expression = at.ExpressionMutable()->ToString();
  if (IsSame(at.Unit(), "version")) {
    PH_ASSIGN_OR_RETURN(const duckdb::Value version, evaluate(expression, "BIGINT"));
    for (const iceberg::Snapshot& snapshot : metadata.snapshots) {
      if (!version.IsNull() && snapshot.snapshot_id == version.GetValue<int64_t>()) {
        return snapshot.snapshot_id;
      }
    }
    return Error(StatusCode::kNotFound, "{} has no snapshot {}; {}", table.id().ToString(),
                 version.ToString(), KnownSnapshots(metadata));
  }
  PH_ASSIGN_OR_RETURN(const duckdb::Value time, evaluate(expression, "TIMESTAMPTZ"));
  std::optional<int64_t> found;
  for (const iceberg::SnapshotLogEntry& entry : metadata.snapshot_log) {
    if (!time.IsNull() && entry.timestamp_ms * 1000 <= duckdb::TimestampTZValue::Get(time).value) {
      found = entry.snapshot_id;
    }
  }
  const bool is_kept = std::ranges::any_of(
      metadata.snapshots, [&](const auto& snapshot) { return snapshot.snapshot_id == found; });
  if (!is_kept) {
    return Error(StatusCode::kNotFound, "{} has no snapshot as old as {}; {}",
                 table.id().ToString(), time.ToString(), KnownSnapshots(metadata));
  }
  return *found;
}

}  // namespace

Status CheckStatement(const duckdb::SQLStatement& statement, const LakeMoment& moment,
                      const std::function<bool(const std::string& name)>& is_own) {
  const duckdb::SQLStatement& inner = Innermost(statement);
  if (inner.type == StatementType::LOAD_STATEMENT) {
    return Error(StatusCode::kNotSupported, "extensions are neither installed nor loaded here");
  }
  if (inner.type == StatementType::CREATE_STATEMENT) {
    const auto& info = *inner.Cast<duckdb::CreateStatement>().info;
    if (info.type == duckdb::CatalogType::SCHEMA_ENTRY || !IsLakeSchema(moment, info.schema) ||
        IsAttached(info.catalog)) {
      return OkStatus();
    }
    return Error(StatusCode::kNotSupported,
                 "schema {} belongs to the lake; create it in main, where it lasts as long as the "
                 "session",
                 info.schema);
  }
  const Name changed = ChangedBy(inner);
  if (IsAttached(changed.catalog)) return OkStatus();
  if (changed.name.empty()) {
    if (changed.schema.empty() || !IsLakeSchema(moment, changed.schema)) return OkStatus();
    return Error(StatusCode::kNotSupported, "schema {} belongs to the lake and cannot be dropped",
                 changed.schema);
  }
  const auto table = FindTable(moment, changed);
  const bool is_of_lake = IsSame(changed.schema, "playhead") ||
                          (table != nullptr && !(changed.schema.empty() && is_own(changed.name)));
  if (!is_of_lake) return OkStatus();
  return Error(StatusCode::kNotSupported,
               "{} is a table of the lake, which SQL can only read; `playhead ingest` writes it",
               table == nullptr ? changed.schema + "." + changed.name : table->id().ToString());
}

Status ResolveSnapshots(duckdb::SQLStatement& statement, const LakeMoment& moment,
                        const Evaluate& evaluate) {
  duckdb::QueryNode* query = QueryOf(const_cast<duckdb::SQLStatement&>(Innermost(statement)));
  Status status;
  if (query == nullptr) return status;
  VisitTables(*query, [&](duckdb::BaseTableRef& ref) {
    if (ref.at_clause == nullptr || !status.ok()) return;
    const auto table = FindTable(moment, NameOf(ref));
    if (table == nullptr) return;  // DuckDB says that it cannot
    const Result<int64_t> snapshot = SnapshotAt(*table, *ref.at_clause, evaluate);
    if (!snapshot.ok()) {
      status = snapshot.error();
      return;
    }
    if (ref.alias.empty()) ref.alias = ref.table_name;
    ref.schema_name = kSnapshotSchema;
    ref.table_name = SnapshotName(table->id(), *snapshot);
    ref.at_clause = nullptr;
  });
  return status;
}

}  // namespace playhead::sql
