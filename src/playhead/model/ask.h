#pragma once

#include "playhead/base/status.h"
#include "playhead/project/project.h"
#include "playhead/sql/engine.h"

#include <memory>
#include <string>
#include <vector>

namespace playhead::model {

struct RivalAnswer {
  std::string definition;
  std::unique_ptr<sql::ResultTable> table;
};

struct Answer {
  const project::Question* question = nullptr;
  std::unique_ptr<sql::ResultTable> table;
  std::vector<RivalAnswer> rivals;
  double seconds = 0;  ///< the question's own SQL, without its rivals
};

/// Makes the project's seeds known to the engine.
Status RegisterSeeds(const project::Project& project, sql::Engine& engine);

/// Computes a question and its rivals. Errors: those of CompileSql and Connection::Query, with the
/// analysis' name before them. The answer's tables live no longer than the connection.
Result<Answer> Ask(const project::Project& project, const project::Vars& vars,
                   const project::Question& question, sql::Connection& connection);

}  // namespace playhead::model
