#include "playhead/cli/line_editor.h"

#include "playhead/cli/output.h"

#include <histedit.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cwchar>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

namespace playhead::cli {
namespace {

constexpr int kHistoryEntriesMax = 1'000;
constexpr size_t kCompletionsShownMax = 60;
constexpr size_t kListColumns = 80;

// Bracketed paste: asked to, a terminal marks where pasted text begins and ends.
constexpr char kPasteOn[] = "\x1b[?2004h";
constexpr char kPasteOff[] = "\x1b[?2004l";
constexpr char kPasteBegin[] = "\\e[200~";  // as libedit writes keys
constexpr std::string_view kPasteEnd = "\x1b[201~";

size_t CountCharacters(const std::string& utf8) {
  return static_cast<size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

bool BeginsWith(const std::string& text, const std::string& beginning) {
  return text.size() >= beginning.size() &&
         std::equal(beginning.begin(), beginning.end(), text.begin(), [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) ==
                  std::tolower(static_cast<unsigned char>(b));
         });
}

/// DuckDB also offers what is merely similar; that counts only when nothing begins with what was
/// typed.
void KeepExact(const std::string& typed, std::vector<sql::Completion>& completions) {
  const auto is_exact = [&](const sql::Completion& c) { return BeginsWith(c.text, typed); };
  if (std::any_of(completions.begin(), completions.end(), is_exact)) {
    std::erase_if(completions, [&](const sql::Completion& c) { return !is_exact(c); });
  }
}

/// What all completions begin with, in the spelling of the first.
std::string CommonBeginning(const std::vector<sql::Completion>& completions) {
  std::string common = completions[0].text;
  for (const sql::Completion& completion : completions) {
    size_t same = 0;
    while (same < common.size() && same < completion.text.size() &&
           std::tolower(static_cast<unsigned char>(common[same])) ==
               std::tolower(static_cast<unsigned char>(completion.text[same]))) {
      ++same;
    }
    common.resize(same);
  }
  return common;
}

void ListCompletions(const std::vector<sql::Completion>& completions) {
  std::string text = "\n";
  size_t column = 0;
  for (size_t i = 0; i < completions.size() && i < kCompletionsShownMax; ++i) {
    const std::string& word = completions[i].text;
    if (column > 0 && column + word.size() + 2 > kListColumns) {
      text += "\n";
      column = 0;
    }
    text += word + "  ";
    column += word.size() + 2;
  }
  if (completions.size() > kCompletionsShownMax) text += "…";
  WriteNote(text + "\n");
}

}  // namespace

struct LineEditor::State {
  std::string history_file;
  int interrupt_fd = -1;
  Completer completer;
  std::string prompt;
  EditLine* editor = nullptr;
  History* history = nullptr;
  bool is_interrupted = false;  ///< libedit's own search takes an interrupt for the end of input

  static char* Prompt(EditLine* editor) {
    State* state = nullptr;
    el_get(editor, EL_CLIENTDATA, &state);
    return state->prompt.data();
  }

  /// One character of UTF-8 from the terminal; −1 with EINTR when interrupted.
  static int ReadCharacter(EditLine* editor, wchar_t* character) {
    State* state = nullptr;
    el_get(editor, EL_CLIENTDATA, &state);
    std::mbstate_t shift{};
    while (true) {
      pollfd waits[2] = {{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
                         {.fd = state->interrupt_fd, .events = POLLIN, .revents = 0}};
      if (poll(waits, 2, -1) < 0) {
        if (errno == EINTR) continue;
        return -1;
      }
      char byte = 0;
      if (waits[1].revents != 0) {
        if (read(state->interrupt_fd, &byte, 1) < 0) return -1;
        state->is_interrupted = true;
        errno = EINTR;
        return -1;
      }
      const ssize_t size = read(STDIN_FILENO, &byte, 1);
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) return static_cast<int>(size);
      const size_t used = std::mbrtowc(character, &byte, 1, &shift);
      if (used == static_cast<size_t>(-1)) {
        *character = L'\uFFFD';
        return 1;
      }
      if (used != static_cast<size_t>(-2)) return 1;
    }
  }

  /// Inserts pasted text; its tabs and line breaks are not keys.
  static unsigned char Paste(EditLine* editor, int) {
    std::string text;
    wchar_t character = 0;
    while (!text.ends_with(kPasteEnd)) {
      if (ReadCharacter(editor, &character) <= 0) return CC_EOF;
      std::array<char, MB_LEN_MAX> bytes;
      std::mbstate_t shift{};
      const size_t size = std::wcrtomb(bytes.data(), character, &shift);
      if (size != static_cast<size_t>(-1)) text.append(bytes.data(), size);
    }
    text.resize(text.size() - kPasteEnd.size());
    // Terminals send line breaks as the return key does.
    std::ranges::replace(text, '\r', '\n');
    while (text.ends_with('\n')) text.pop_back();
    if (text.empty()) return CC_NORM;
    return el_insertstr(editor, text.c_str()) == -1 ? CC_ERROR : CC_REFRESH;
  }

  static unsigned char Complete(EditLine* editor, int) {
    State* state = nullptr;
    el_get(editor, EL_CLIENTDATA, &state);
    const LineInfo* line = el_line(editor);
    const std::string text(line->buffer, line->cursor);
    std::vector<sql::Completion> completions = state->completer(text);
    if (completions.empty()) return CC_ERROR;
    const std::string typed = text.substr(std::min(completions[0].start, text.size()));
    KeepExact(typed, completions);
    const std::string common = CommonBeginning(completions);
    // Values may have nothing in common but their quote, so they are listed at once.
    const bool is_list_due = completions.size() > 1 && typed.empty();
    if (is_list_due) ListCompletions(completions);
    if (common.size() > typed.size() || completions.size() == 1) {
      el_deletestr(editor, static_cast<int>(CountCharacters(typed)));
      if (el_insertstr(editor, common.c_str()) == -1) return CC_ERROR;
      return is_list_due ? CC_REDISPLAY : CC_REFRESH;
    }
    if (!is_list_due) ListCompletions(completions);
    return CC_REDISPLAY;
  }
};

LineEditor::LineEditor(std::string history_file, int interrupt_fd, Completer completer)
    : state_(std::make_unique<State>()) {
  state_->history_file = std::move(history_file);
  state_->interrupt_fd = interrupt_fd;
  state_->completer = std::move(completer);
  HistEvent event;
  state_->history = history_init();
  history(state_->history, &event, H_SETSIZE, kHistoryEntriesMax);
  history(state_->history, &event, H_SETUNIQUE, 1);
  if (!state_->history_file.empty()) {
    history(state_->history, &event, H_LOAD, state_->history_file.c_str());
  }
  // The prompt goes to stdout like in every shell: there is a terminal on both ends.
  state_->editor = el_init("playhead", stdin, stdout, stderr);
  el_set(state_->editor, EL_CLIENTDATA, state_.get());
  el_set(state_->editor, EL_PROMPT, &State::Prompt);
  el_set(state_->editor, EL_EDITOR, "emacs");
  el_set(state_->editor, EL_HIST, history, state_->history);
  el_set(state_->editor, EL_GETCFN, &State::ReadCharacter);
  el_set(state_->editor, EL_ADDFN, "playhead-complete", "Completes a word", &State::Complete);
  el_set(state_->editor, EL_ADDFN, "playhead-paste", "Inserts pasted text", &State::Paste);
  el_set(state_->editor, EL_BIND, kPasteBegin, "playhead-paste", nullptr);
  el_set(state_->editor, EL_BIND, "^I", "playhead-complete", nullptr);
  el_set(state_->editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
}

LineEditor::~LineEditor() {
  el_end(state_->editor);
  history_end(state_->history);
}

LineEditor::Input LineEditor::ReadLine(const std::string& prompt) {
  state_->prompt = prompt;
  int count = 0;
  state_->is_interrupted = false;
  WriteNote(kPasteOn);
  const char* line = el_gets(state_->editor, &count);
  WriteNote(kPasteOff);
  if (state_->is_interrupted) {
    WriteNote("^C\n");
    el_reset(state_->editor);
    return {.end = End::kInterrupted, .line = {}};
  }
  if (line == nullptr || count <= 0) {
    WriteNote("\n");
    return {.end = End::kLeave, .line = {}};
  }
  std::string text(line, static_cast<size_t>(count));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return {.end = End::kLine, .line = std::move(text)};
}

void LineEditor::Remember(const std::string& entry) {
  HistEvent event;
  history(state_->history, &event, H_ENTER, entry.c_str());
  if (!state_->history_file.empty()) {
    history(state_->history, &event, H_SAVE, state_->history_file.c_str());
  }
}

std::string HistoryFile() {
  const char* state_home = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  std::filesystem::path folder;
  if (state_home != nullptr && *state_home == '/') {
    folder = state_home;
  } else if (home != nullptr && *home == '/') {
    folder = std::filesystem::path(home) / ".local/state";
  } else {
    return "";
  }
  folder /= "playhead";
  std::error_code error;
  if (std::filesystem::create_directories(folder, error)) {
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  }
  return error ? "" : (folder / "history").string();
}

}  // namespace playhead::cli
