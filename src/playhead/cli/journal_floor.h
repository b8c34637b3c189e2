#pragma once

#include "playhead/config/config.h"
#include "playhead/log/journal.h"

#include <set>
#include <string>

namespace playhead::cli {

/// The topics that the project's streams read.
std::set<std::string> DeclaredTopics(const config::ResolvedConfig& config);

/// How far the journal's topics are committed, read from the catalog anew. A declared topic stands
/// at the smallest offset of its streams' tables, 0 when one of them is not made yet. A topic that
/// no stream reads any more stands where the tables that read it before stand. Errors: kNotFound
/// (no lake yet), and whatever keeps one of the tables from being read.
Result<log::TopicOffsets> CommittedOffsets(const config::ResolvedConfig& config,
                                           const std::string& journal_id);

}  // namespace playhead::cli
