#include "playhead/cli/shell.h"

#include "playhead/cli/line_editor.h"
#include "playhead/cli/output.h"
#include "playhead/sql/quote.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace playhead::cli {
namespace {

constexpr char kPrompt[] = "playhead> ";
constexpr char kMorePrompt[] = "     ...> ";
constexpr char kHelp[] =
    "SQL ends with ; and may take several lines. Tab completes, Ctrl-C ends what runs,\n"
    "Ctrl-R searches the history, Ctrl-D leaves.\n"
    "  .tables         all tables and views\n"
    "  .schema NAME    columns of a table\n"
    "  .mode FORMAT    table, csv, json or markdown\n"
    "  .help           this text\n"
    "  .quit           leave\n";

std::atomic<sql::Session*> running_session{nullptr};
std::atomic<int> interrupt_pipe_end{-1};

/// Ctrl-C: ends the statement that runs, or the reading of a line.
void OnInterrupt(int) {
  const int saved_errno = errno;
  if (sql::Session* session = running_session.load()) {
    session->Interrupt();
  } else if (write(interrupt_pipe_end.load(), "", 1) < 0) {
    // A full pipe has interrupts enough.
  }
  errno = saved_errno;
}

/// The handler for the time of the shell, and the pipe that it wakes the line editor with.
class InterruptHandler {
 public:
  InterruptHandler() {
    PH_CHECK(pipe2(pipe_, O_CLOEXEC | O_NONBLOCK) == 0);
    interrupt_pipe_end.store(pipe_[1]);
    struct sigaction action{};
    action.sa_handler = OnInterrupt;
    sigaction(SIGINT, &action, &before_);
  }
  ~InterruptHandler() {
    sigaction(SIGINT, &before_, nullptr);
    close(pipe_[0]);
    close(pipe_[1]);
  }
  InterruptHandler(const InterruptHandler&) = delete;
  InterruptHandler& operator=(const InterruptHandler&) = delete;

  int fd() const { return pipe_[0]; }

 private:
  int pipe_[2] = {-1, -1};
  struct sigaction before_{};
};

class Shell {
 public:
  Shell(sql::Session& session, QueryProgress& progress, sql::OutputFormat format, int interrupt_fd)
      : session_(session),
        progress_(progress),
        format_(format),
        editor_(HistoryFile(), interrupt_fd,
                [this](const std::string& text) { return Complete(text); }) {}

  Status Loop() {
    WriteNote("playhead " PLAYHEAD_VERSION "; .help for help\n");
    while (true) {
      const LineEditor::Input input = editor_.ReadLine(pending_.empty() ? kPrompt : kMorePrompt);
      if (input.end == LineEditor::End::kLeave) return OkStatus();
      if (input.end == LineEditor::End::kInterrupted) {
        pending_.clear();
        continue;
      }
      if (pending_.empty() && input.line.starts_with(".")) {
        editor_.Remember(input.line);
        if (!RunDotCommand(input.line)) return OkStatus();
        continue;
      }
      pending_ += (pending_.empty() ? "" : "\n") + input.line;
      if (session_.IsIncomplete(pending_)) continue;
      const std::string sql = std::exchange(pending_, {});
      if (sql.find_first_not_of(" \t\n") == std::string::npos) continue;
      editor_.Remember(sql);
      RunSql(sql);
    }
  }

 private:
  std::vector<sql::Completion> Complete(const std::string& line) {
    // Completion sees the whole statement; what it replaces is always in the last line.
    const std::string before = pending_.empty() ? "" : pending_ + "\n";
    std::vector<sql::Completion> completions = session_.Complete(before + line);
    std::erase_if(completions, [&](const sql::Completion& c) { return c.start < before.size(); });
    for (sql::Completion& completion : completions) completion.start -= before.size();
    return completions;
  }

  void RunSql(const std::string& sql) {
    progress_.Start();
    running_session.store(&session_);
    const Status status = session_.Run(sql, [&](const sql::ResultTable& table) {
      progress_.Clear();
      return WriteOut(table.Render(format_, TerminalColumns()));
    });
    running_session.store(nullptr);
    progress_.Clear();
    if (!status.ok()) WriteNote(status.message() + "\n");
  }

  /// False when the user leaves.
  bool RunDotCommand(const std::string& line) {
    std::istringstream words(line);
    std::string command;
    std::string argument;
    words >> command >> argument;
    if (command == ".quit" || command == ".exit" || command == ".q") return false;
    if (command == ".help") {
      WriteNote(kHelp);
    } else if (command == ".tables") {
      RunSql(
          "SELECT table_schema AS namespace, table_name AS name FROM information_schema.tables "
          "ORDER BY ALL");
    } else if (command == ".schema" && argument.empty()) {
      WriteNote(".schema needs the NAME of a table\n");
    } else if (command == ".schema") {
      RunSql("SELECT column_name, data_type FROM information_schema.columns WHERE " +
             sql::QuotedText(argument) +
             " IN (table_name, table_schema || '.' || table_name) "
             "ORDER BY table_schema, table_name, ordinal_position");
    } else if (command == ".mode") {
      if (const auto format = sql::ParseOutputFormat(argument); format.ok()) {
        format_ = *format;
      } else {
        WriteNote(format.error().message() + "\n");
      }
    } else {
      WriteNote("unknown command; .help lists them\n");
    }
    return true;
  }

  sql::Session& session_;
  QueryProgress& progress_;
  sql::OutputFormat format_;
  std::string pending_;  ///< lines of a statement that has not ended
  LineEditor editor_;
};

}  // namespace

Status RunShell(sql::Session& session, QueryProgress& progress, sql::OutputFormat format) {
  const InterruptHandler handler;
  return Shell(session, progress, format, handler.fd()).Loop();
}

}  // namespace playhead::cli
