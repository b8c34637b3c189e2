#include "playhead/cli/command.h"

int main(int argc, char** argv) {
  playhead::cli::CommandLine line;
  playhead::cli::AddCommands(line);
  return line.Main(argc, argv);
}
