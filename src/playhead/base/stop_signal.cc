#include "playhead/base/stop_signal.h"

#include "playhead/base/status.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <mutex>

namespace playhead {
namespace {

constexpr std::array kSignals = {SIGTERM, SIGINT};

// A handler can reach only globals; it writes one byte here and the listener reads it.
std::atomic<int> pipe_write_end = -1;
int pipe_read_end = -1;
std::array<struct sigaction, kSignals.size()> old_actions;

void OnSignal(int /*signal*/) {
  const int saved_errno = errno;
  (void)!write(pipe_write_end.load(), "s", 1);
  // Whichever comes second is not listened to any more.
  for (const int listened : kSignals) signal(listened, SIG_DFL);
  errno = saved_errno;
}

}  // namespace

StopSignal::StopSignal() {
  int ends[2];
  PH_CHECK(pipe_write_end.load() == -1);
  PH_CHECK(pipe2(ends, O_CLOEXEC) == 0);
  pipe_read_end = ends[0];
  pipe_write_end = ends[1];
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  action.sa_flags = SA_RESTART;
  for (size_t i = 0; i < kSignals.size(); ++i) {
    sigaction(kSignals[i], &action, &old_actions[i]);
  }
  listener_ = std::jthread([source = source_]() mutable {
    char byte = 0;
    ssize_t size = 0;
    do {
      size = read(pipe_read_end, &byte, 1);
    } while (size < 0 && errno == EINTR);
    if (size == 1 && byte == 's') source.request_stop();
  });
}

StopSignal::~StopSignal() {
  for (size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &old_actions[i], nullptr);
  (void)!write(pipe_write_end.load(), "q", 1);
  listener_.join();
  close(pipe_write_end.exchange(-1));
  close(pipe_read_end);
}

void StopSignal::Wait() const {
  std::mutex mutex;
  std::condition_variable_any requested;
  std::unique_lock lock(mutex);
  requested.wait(lock, token(), [] { return false; });
}

}  // namespace playhead
