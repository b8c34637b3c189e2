#pragma once

#include "playhead/catalog/catalog.h"
#include "playhead/decode/record_decoder.h"
#include "playhead/project/project.h"
#include "playhead/table/ensure_table.h"

#include <memory>
#include <string>
#include <vector>

namespace playhead::ingest {

/// A declared stream, ready to be ingested: how its records decode and which tables take them.
struct IngestStream {
  std::string name;                              ///< STREAM on the command line and in summaries
  const project::Stream* declaration = nullptr;  ///< outlives this
  std::shared_ptr<const decode::RowSchema> row_schema;
  table::TableSpec main;
  table::TableSpec dead;
};

/// Translates a declaration. Pure.
IngestStream MakeIngestStream(const project::Stream& declaration);

struct StreamTables {
  catalog::TableState main;
  catalog::TableState dead;
};

/// Makes or evolves the two tables of a stream in one commit. Errors: as table::EnsureTables().
Result<StreamTables> EnsureStreamTables(catalog::Catalog& catalog, storage::ObjectStore& store,
                                        const std::string& warehouse_uri,
                                        const IngestStream& stream, const Clock& clock);

/// The partition values of a decoder's partition, for table::PartitionedWriter.
std::vector<iceberg::PartitionValue> TableKey(const decode::RowSchema& schema,
                                              const decode::PartitionKey& key);

}  // namespace playhead::ingest
