#pragma once

#include <string>

namespace CLI {
class App;
}

namespace playhead::cli {

/// The help of all commands as a manual page (man-pages(7), troff).
std::string ManPage(const CLI::App& root);

/// `source <(playhead completion bash)`: commands, their flags, values of flags that take one of a
/// few words, else files.
std::string BashCompletion(const CLI::App& root);

/// The same for zsh, which runs bash's functions.
std::string ZshCompletion(const CLI::App& root);

}  // namespace playhead::cli
