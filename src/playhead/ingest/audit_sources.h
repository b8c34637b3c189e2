#pragma once

#include "playhead/ingest/audit.h"
#include "playhead/ingest/foreign_files.h"
#include "playhead/ingest/log_views.h"

#include <optional>
#include <set>
#include <string>

namespace playhead::ingest {

/// What is audited together: the tables of a stream, or of a stream that is declared no more.
struct AuditSubject {
  std::string name;
  catalog::TableId main;
  std::optional<catalog::TableId> dead;
  std::string topic;  ///< empty: it reads none, or it is not known
  bool keeps_replaced = false;
  bool is_declared = true;
};

/// What an audit of any subject needs; all of it outlives the calls.
struct AuditContext {
  LogViews& logs;
  const std::set<std::string>& declared_topics;
  catalog::Catalog& catalog;    ///< of the audit's moment
  sql::Connection& connection;  ///< on that catalog
  AuditReport& report;
};

/// The files of a subject's tables, by who added them.
struct SubjectFiles {
  const ForeignFiles& main;
  const ForeignFiles& dead;
};

/// Reports on the log of a topic of which nothing is ingested, since the table is not made yet.
void AuditUnreadTopic(const AuditSubject& subject, AuditContext context);

/// Reports on every source of the tables: log partitions against the log and the rows, landing
/// files against the ledger, and rows of no source. Errors: rows or progress that cannot be read.
Status AuditSources(const AuditSubject& subject, const catalog::TableState& main,
                    const SubjectFiles& files, AuditContext context);

}  // namespace playhead::ingest
