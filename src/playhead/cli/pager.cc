#include "playhead/cli/pager.h"

#include "playhead/cli/output.h"
#include "playhead/sql/row_writer.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>

namespace playhead::cli {
namespace {

std::string PagerCommand() {
  const char* pager = std::getenv("PAGER");
  return pager == nullptr ? "less" : pager;
}

bool IsExecutable(const std::string& program) {
  if (program.find('/') != std::string::npos) return access(program.c_str(), X_OK) == 0;
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (access((folder + "/" + program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

size_t WidestLine(std::string_view text) {
  size_t widest = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    widest = std::max(widest, sql::DisplayWidth(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return widest;
}

}  // namespace

bool HasPager() {
  std::string program;
  std::istringstream(PagerCommand()) >> program;
  return !program.empty() && program != "cat" && IsExecutable(program);
}

Status WritePaged(std::string_view text) {
  if (WidestLine(text) <= static_cast<size_t>(TerminalColumns())) return WriteOut(text);
  // Lines are not wrapped, colours are shown, and the screen stays as it is when the user leaves.
  setenv("LESS", "-SRX", /*replace=*/0);
  FILE* pager = popen(PagerCommand().c_str(), "we");
  if (pager == nullptr) return WriteOut(text);
  // Ctrl-C is the pager's meanwhile.
  struct sigaction ignore{};
  ignore.sa_handler = SIG_IGN;
  struct sigaction before{};
  sigaction(SIGINT, &ignore, &before);
  (void)!fwrite(text.data(), 1, text.size(), pager);  // the user may leave before the end
  pclose(pager);
  sigaction(SIGINT, &before, nullptr);
  return OkStatus();
}

}  // namespace playhead::cli
