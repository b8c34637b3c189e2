#include "playhead/cli/ingest_command.h"

#include "playhead/base/logging.h"
#include "playhead/base/stop_signal.h"
#include "playhead/cli/ingest_runner.h"
#include "playhead/cli/live_status.h"
#include "playhead/cli/output.h"
#include "playhead/cli/progress.h"
#include "playhead/cli/summary.h"
#include "playhead/cli/warehouse.h"
#include "playhead/ingest/direct_load.h"
#include "playhead/ingest/file_input.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace playhead::cli {
namespace {

struct IngestArgs {
  bool once = false;
  bool accept_gap = false;
  std::string stream;
  std::vector<std::string> files;
  std::optional<std::string> format;
};

/// Nobody may take a load that was broken off for a whole one.
Status Unfinished(std::string_view what) {
  return Error(StatusCode::kUnavailable, "stopped: {} is not loaded; run it again", what);
}

Status LoadFiles(WritableWarehouse& warehouse, const IngestArgs& args, std::stop_token stop) {
  PH_ASSIGN_OR_RETURN(const ingest::IngestStream* stream, warehouse.FindStream(args.stream));
  if (const auto refused = warehouse.refused().find(stream->name);
      refused != warehouse.refused().end()) {
    return refused->second.WithContext(stream->name);
  }
  // A stream whose every file was loaded before still has its line in the summary.
  warehouse.board().Add({.stream = stream->name});
  Status first_failure;
  // The first is the command's own error, said at its end.
  const auto fail = [&](const Status& failure) {
    if (first_failure.ok()) {
      first_failure = failure;
    } else {
      WriteNote(fmt::format("playhead: {}\n", failure.message()));
    }
  };
  for (const std::string& file : args.files) {
    const std::string name =
        file == ingest::kStandardInput ? "stdin" : std::filesystem::path(file).filename().string();
    const int64_t bytes = ingest::RegularFileBytes(file).value_or(0);
    Progress progress(name, bytes, "bytes");
    const Result<bool> loaded = ingest::LoadDirect(warehouse.lake(), *stream, file, name, stop,
                                                   [&](int64_t done) { progress.Advance(done); });
    if (loaded.status().code() == StatusCode::kCancelled) {
      fail(Unfinished(file));
      break;
    }
    if (!loaded.ok()) {
      fail(loaded.error().WithContext(file));
    } else if (*loaded) {
      progress.Advance(std::max(bytes, progress.done()));
      progress.Finish();
    } else {
      WriteNote(fmt::format("{}: this content is in {} already; nothing to do\n", file,
                            stream->main.id.ToString()));
    }
  }
  return first_failure;
}

/// The ingestion dates that `--vars` restricts the run to, none without. A variable of that name in
/// dbt_project.yml belongs to the models.
Result<std::optional<ingest::DateRange>> WantedDates(const config::ResolvedConfig& config) {
  PH_ASSIGN_OR_RETURN(const project::Vars given, project::ParseVars(config.settings.Text("vars")));
  const auto found = given.find("ingestion_date");
  if (found == given.end()) return std::optional<ingest::DateRange>();
  PH_ASSIGN_OR_RETURN(const ingest::DateRange dates, ingest::ParseDateRange(found->second));
  return std::optional(dates);
}

Status IngestProject(const config::ResolvedConfig& config, WritableWarehouse& warehouse,
                     const IngestArgs& args, std::optional<ingest::DateRange> dates,
                     const StopSignal& signal) {
  for (const ingest::IngestStream& stream : warehouse.streams()) {
    warehouse.board().Add({.stream = stream.name});
  }
  IngestRunner runner(config, warehouse,
                      {.once = args.once, .accept_gap = args.accept_gap, .landing_dates = dates});
  const LiveStatus live(warehouse.board());
  runner.Start();
  std::stop_callback on_stop(signal.token(), [&runner] { runner.Stop(); });
  const Status done = runner.Join();
  return done.code() == StatusCode::kCancelled ? Unfinished("what was left") : done;
}

int RunIngest(const config::ResolvedConfig& config, const IngestArgs& args) {
  if (args.stream.empty() && !args.files.empty()) {
    return Fail(Error(StatusCode::kInvalidArgument, "FILE needs --stream NAME"));
  }
  if (!args.stream.empty() && args.files.empty()) {
    return Fail(Error(StatusCode::kInvalidArgument, "--stream needs a FILE ('-' for stdin)"));
  }
  const Result<std::optional<ingest::DateRange>> dates = WantedDates(config);
  if (!dates.ok()) return Fail(dates.error());
  if (*dates && !args.stream.empty()) {
    return Fail(Error(StatusCode::kInvalidArgument,
                      "ingestion_date in --vars chooses landing files, --stream names its own"));
  }
  const StopSignal signal;
  ingest::StatusBoard board;
  Result<std::unique_ptr<WritableWarehouse>> warehouse = WritableWarehouse::Open(config, board);
  if (!warehouse.ok()) return Fail(warehouse.error());
  const Status done = args.stream.empty() ? IngestProject(config, **warehouse, args, *dates, signal)
                                          : LoadFiles(**warehouse, args, signal.token());
  const Status printed = PrintSummary(board.States(), args.format);
  if (!done.ok()) return Fail(done);
  return printed.ok() ? kExitDone : Fail(printed);
}

}  // namespace

void AddIngestCommand(CommandLine& line) {
  auto args = std::make_shared<IngestArgs>();
  CLI::App& app =
      line.Add("ingest", "Commits the journal's events and the landing files to bronze tables",
               "playhead ingest --once\n  playhead ingest --stream media_events events.jsonl\n"
               "  playhead ingest --once --vars 'ingestion_date: 2025-09-09'");
  app.add_flag("--once", args->once,
               "Take what is there now, then end (otherwise: until stopped by SIGTERM)");
  app.add_flag("--accept-gap", args->accept_gap,
               "Go on after a log was made anew or has lost offsets, and record the gap");
  app.add_option("--stream", args->stream, "Load FILEs through this stream's decoder");
  app.add_option("FILE", args->files, "Files to load, '-' for standard input");
  AddFormatFlag(app, args->format);
  line.AddSettingFlag(app, "epoch.interval_ms");
  line.OnRun(app,
             [args](const config::ResolvedConfig& config) { return RunIngest(config, *args); });
}

}  // namespace playhead::cli
