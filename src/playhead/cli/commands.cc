#include "playhead/cli/adopt_command.h"
#include "playhead/cli/ask_command.h"
#include "playhead/cli/audit_command.h"
#include "playhead/cli/command.h"
#include "playhead/cli/config_command.h"
#include "playhead/cli/dead_command.h"
#include "playhead/cli/help_command.h"
#include "playhead/cli/ingest_command.h"
#include "playhead/cli/simulate_command.h"
#include "playhead/cli/sql_command.h"
#include "playhead/cli/tables_command.h"
#include "playhead/cli/up_command.h"

namespace playhead::cli {

void AddCommands(CommandLine& line) {
  AddUpCommand(line);
  AddIngestCommand(line);
  AddAskCommand(line);
  AddSqlCommand(line);
  AddTablesCommand(line);
  AddSimulateCommand(line);
  AddDeadCommand(line);
  AddAuditCommand(line);
  AddAdoptCommand(line);
  AddConfigCommand(line);
  AddHelpCommands(line);
}

}  // namespace playhead::cli
