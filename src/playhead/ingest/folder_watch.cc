#include "playhead/ingest/folder_watch.h"

#include "playhead/base/logging.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <utility>

namespace playhead::ingest {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_ONLYDIR;
// Many files at once are one reason to look.
constexpr auto kGather = std::chrono::milliseconds(20);
constexpr int64_t kLongestWaitMillis = 3'600'000;

int64_t NowMillis() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

FolderWatch::FolderWatch(std::string folder)
    : folder_(std::move(folder)),
      inotify_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

FolderWatch::~FolderWatch() {
  if (inotify_ >= 0) close(inotify_);
  if (wake_ >= 0) close(wake_);
}

void FolderWatch::Watch(const std::string& folder) {
  // Watching a folder again changes nothing.
  if (inotify_ >= 0 && inotify_add_watch(inotify_, folder.c_str(), kEvents) >= 0) return;
  is_complete_ = false;
  if (errno == ENOENT || errno == ENOTDIR || has_warned_) return;
  has_warned_ = true;
  logging::Warn("ingest", "folder is polled only: it cannot be watched",
                {{"path", folder}, {"why", strerror(errno)}});
}

void FolderWatch::Refresh() {
  is_complete_ = true;
  Watch(folder_);
  std::error_code error;
  fs::recursive_directory_iterator walk(folder_, fs::directory_options::skip_permission_denied,
                                        error);
  for (; !error && walk != fs::recursive_directory_iterator(); walk.increment(error)) {
    std::error_code ignored;
    if (walk->is_directory(ignored) && !walk->is_symlink(ignored)) Watch(walk->path().string());
  }
}

void FolderWatch::Drain() {
  std::array<char, 4096> events;
  while (read(inotify_, events.data(), events.size()) > 0) {
  }
}

bool FolderWatch::Wait(const std::stop_token& stop, int64_t micros) {
  const std::stop_callback on_stop(stop, [this] { eventfd_write(wake_, 1); });
  const int64_t end =
      NowMillis() + std::clamp<int64_t>((micros + 999) / 1000, 1, kLongestWaitMillis);
  std::array<pollfd, 2> sources = {pollfd{.fd = wake_, .events = POLLIN, .revents = 0},
                                   pollfd{.fd = inotify_, .events = POLLIN, .revents = 0}};
  while (!stop.stop_requested()) {
    const int64_t rest = end - NowMillis();
    if (rest <= 0) break;
    const int ready = poll(sources.data(), sources.size(), static_cast<int>(rest));
    if (ready < 0 && errno == EINTR) continue;
    if (ready > 0 && (sources[1].revents & POLLIN) != 0) {
      (void)poll(sources.data(), 1, static_cast<int>(kGather.count()));
      Drain();
    }
    break;
  }
  return !stop.stop_requested();
}

bool IsOpenForWriting(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return false;
  // A read lease is refused while anybody writes. Whoever opens the file during this moment waits
  // for it to end; the signal that says so is one that is ignored by default.
  (void)fcntl(file, F_SETSIG, SIGURG);
  const bool is_refused = fcntl(file, F_SETLEASE, F_RDLCK) != 0 && errno == EAGAIN;
  if (!is_refused) (void)fcntl(file, F_SETLEASE, F_UNLCK);
  close(file);
  return is_refused;
}

}  // namespace playhead::ingest
