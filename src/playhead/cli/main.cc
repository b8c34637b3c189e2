#include "playhead/cli/command.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace {

/// A closed standard stream would give its number to the next file that is opened: what is printed
/// would go into the catalog, and `-` would read a socket. Each is held the wrong way round, so
/// that using it fails (EBADF) as it did before.
void HoldClosedStreams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
      (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  HoldClosedStreams();
  playhead::cli::CommandLine line;
  playhead::cli::AddCommands(line);
  return line.Main(argc, argv);
}
