#pragma once

#include "playhead/base/status.h"
#include "playhead/sql/lake_tables.h"

#include <duckdb.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace playhead::sql {

/// Schemas whose tables need no qualification, after `main`.
inline constexpr std::string_view kSearchPath[] = {"bronze", "silver", "gold"};

/// Refuses statements that install or load an extension or change tables of the lake or their
/// schemas. `is_own` says whether `main` has a table or view of that name, made by the user.
Status CheckStatement(const duckdb::SQLStatement& statement, const LakeMoment& moment,
                      const std::function<bool(const std::string& name)>& is_own);

/// The value of a constant expression, cast to a type. Errors: DuckDB's.
using Evaluate =
    std::function<Result<duckdb::Value>(const std::string& expression, const std::string& type)>;

/// Replaces `AT (VERSION => …)` and `AT (TIMESTAMP => …)` on tables of the lake by the snapshot
/// with that id or the one that was current at that time. Errors: kNotFound lists the snapshots.
Status ResolveSnapshots(duckdb::SQLStatement& statement, const LakeMoment& moment,
                        const Evaluate& evaluate);

}  // namespace playhead::sql
