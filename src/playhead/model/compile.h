#pragma once

#include "playhead/base/status.h"
#include "playhead/project/project.h"

#include <string>
#include <string_view>

namespace playhead::model {

/// Namespace in which a session shows the project's seeds.
inline constexpr std::string_view kSeedNamespace = "seeds";

/// The SQL of an analysis with its Jinja resolved: `source`, `ref` (of seeds), `var` and comments,
/// as docs/formats/project.md lists them. `vars` are all values, those of --vars already over the
/// project's. Errors: kInvalidArgument with `file:line` for an unknown source, seed or variable and
/// for what is not closed; kNotSupported with `file:line` for any other Jinja ("run it with dbt").
Result<std::string> CompileSql(const project::Project& project, const project::Vars& vars,
                               const std::string& file, std::string_view sql);

}  // namespace playhead::model
