#pragma once

#include "playhead/project/project.h"
#include "playhead/project/yaml_file.h"

#include <string>
#include <vector>

namespace playhead::project {

/// The `columns` of a source table, each with its type and the tests that ingest enforces.
std::vector<ColumnDecl> ReadColumns(YamlMap& table);

/// A column of our own making; `data_type` must be right.
ColumnDecl MakeColumn(const std::string& name, const std::string& data_type);

}  // namespace playhead::project
