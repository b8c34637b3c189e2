#include "playhead/cli/shell.h"

#include "playhead/cli/line_editor.h"
#include "playhead/cli/output.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

namespace playhead::cli {
namespace {

constexpr char kPrompt[] = "playhead> ";
constexpr char kMorePrompt[] = "     ...> ";
std::atomic<sql::Connection*> running_connection{nullptr};
std::atomic<int> interrupt_pipe_end{-1};

/// Ctrl-C: ends the statement that runs, or the reading of a line.
void OnInterrupt(int) {
  const int saved_errno = errno;
  if (sql::Connection* connection = running_connection.load()) {
    connection->Interrupt();
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

/// While `run` runs, Ctrl-C interrupts the connection.
template <typename Run>
auto Interruptible(sql::Connection& connection, const Run& run) {
  running_connection.store(&connection);
  auto outcome = run();
  running_connection.store(nullptr);
  return outcome;
}

class Shell {
 public:
  Shell(sql::Connection& connection, SqlConsole& console, int interrupt_fd)
      : connection_(connection),
        console_(console),
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
      if (pending_.empty() && SqlConsole::IsCommand(input.line)) {
        editor_.Remember(input.line);
        const Result<bool> goes_on =
            Interruptible(connection_, [&] { return console_.RunScript(input.line); });
        if (!goes_on.ok()) WriteNote(goes_on.error().message() + "\n");
        if (goes_on.ok() && !*goes_on) return OkStatus();
        continue;
      }
      pending_ += (pending_.empty() ? "" : "\n") + input.line;
      if (sql::IsIncomplete(pending_)) continue;
      const std::string sql = std::exchange(pending_, {});
      if (sql.find_first_not_of(" \t\n") == std::string::npos) continue;
      editor_.Remember(sql);
      const Status status = Interruptible(connection_, [&] { return console_.RunSql(sql); });
      if (!status.ok()) WriteNote(status.message() + "\n");
    }
  }

 private:
  std::vector<sql::Completion> Complete(const std::string& line) {
    // Completion sees the whole statement; what it replaces is always in the last line.
    const std::string before = pending_.empty() ? "" : pending_ + "\n";
    std::vector<sql::Completion> completions = connection_.Complete(before + line);
    std::erase_if(completions, [&](const sql::Completion& c) { return c.start < before.size(); });
    for (sql::Completion& completion : completions) completion.start -= before.size();
    return completions;
  }

  sql::Connection& connection_;
  SqlConsole& console_;
  std::string pending_;  ///< lines of a statement that has not ended
  LineEditor editor_;
};

}  // namespace

Status RunShell(sql::Connection& connection, SqlConsole& console) {
  const InterruptHandler handler;
  return Shell(connection, console, handler.fd()).Loop();
}

}  // namespace playhead::cli
