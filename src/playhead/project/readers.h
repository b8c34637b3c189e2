#pragma once

#include "playhead/project/project.h"

#include <string>
#include <vector>

namespace playhead::project {

/// The readers of the single kinds of files, each in its own .cc. Files are relative to
/// `project.folder`; what they find goes into `project`, what is wrong into `problems`.

/// Folders of dbt_project.yml.
struct DbtPaths {
  std::vector<std::string> models = {"models"};
  std::vector<std::string> analyses = {"analyses"};
  std::vector<std::string> seeds = {"seeds"};
};

void ReadPlayheadYml(const Environment& environment, Project& project,
                     std::vector<Problem>& problems);
/// The name must equal that of playhead.yml, which is read before.
DbtPaths ReadDbtProjectYml(Project& project, std::vector<Problem>& problems);
void ReadSourcesYml(const std::string& file, Project& project, std::vector<Problem>& problems);
/// Needs `project.analyses`.
void ReadQuestionsYml(const std::string& file, Project& project, std::vector<Problem>& problems);
/// All seeds: the CSV headers and the types that the yml files give them.
void ReadSeeds(const std::vector<std::string>& csv_files, const std::vector<std::string>& yml_files,
               Project& project, std::vector<Problem>& problems);

}  // namespace playhead::project
