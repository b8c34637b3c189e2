#pragma once

#include "playhead/base/status.h"
#include "playhead/sql/engine.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace playhead::cli {

/// Reads lines from the terminal with editing, history and completion (libedit, emacs keys).
/// One lives at a time. Threads: one at a time.
class LineEditor {
 public:
  /// Completions for the line's text before the cursor.
  using Completer = std::function<std::vector<sql::Completion>(const std::string& text)>;

  /// `history_file` empty: nothing is kept. A file that cannot be read or written is no error.
  /// A byte on the pipe `interrupt_fd` ends the reading of a line: a signal handler cannot do it by
  /// itself, since another thread may be the one that gets the signal.
  LineEditor(std::string history_file, int interrupt_fd, Completer completer);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  enum class End { kLine, kInterrupted, kLeave };
  struct Input {
    End end = End::kLine;
    std::string line;  ///< without the line break
  };
  /// An interrupt gives kInterrupted, Ctrl-D on an empty line kLeave. A pasted text stays in the
  /// line as it is, with its line breaks.
  Input ReadLine(const std::string& prompt);
  /// Adds to the history, in memory and on disk.
  void Remember(const std::string& entry);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// `$XDG_STATE_HOME/playhead/history`, by default below `~/.local/state`; its folder is made. Empty
/// when there is no home.
std::string HistoryFile();

}  // namespace playhead::cli
