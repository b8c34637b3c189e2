#pragma once

#include "playhead/catalog/catalog.h"
#include "playhead/catalog/scan.h"
#include "playhead/table/partitioned_writer.h"

#include <set>
#include <string>
#include <vector>

namespace playhead::table {

/// The live files that hold rows of some topics (`_topic`).
struct TopicFiles {
  std::set<std::string> whole;           ///< hold nothing else
  std::vector<catalog::LiveFile> mixed;  ///< hold others' rows too, after a foreign compaction
};

/// Whether a file's bounds leave room for rows of the topics. Errors: kInvalidArgument (the table
/// has no _topic column).
Result<bool> MayHoldTopics(const iceberg::TableMetadata& metadata, const iceberg::DataFile& file,
                           const std::vector<std::string>& topics);

/// Looks at the bounds of `_topic`, and into the files whose bounds do not decide.
/// Errors: kNotSupported (delete files), kDataCorrupt, kNotFound.
Result<TopicFiles> FindTopicFiles(storage::ObjectStore& store,
                                  const iceberg::TableMetadata& metadata,
                                  const std::vector<std::string>& topics);

/// The topics that a live file has rows of, by the bounds of `_topic` or the column itself.
/// Errors: as FindTopicFiles.
Result<std::set<std::string>> TopicsOfFile(storage::ObjectStore& store,
                                           const iceberg::TableMetadata& metadata,
                                           const iceberg::DataFile& file);

/// Writes a mixed file anew without the rows of `topics`, staged at `staged_uri`; its final name is
/// `<name>` in the same folder. Columns are those of the file, in today's types.
Result<StagedFile> RewriteWithoutTopics(storage::ObjectStore& store,
                                        const iceberg::TableMetadata& metadata,
                                        const catalog::LiveFile& file,
                                        const std::vector<std::string>& topics,
                                        const std::string& staged_uri, const std::string& name);

}  // namespace playhead::table
