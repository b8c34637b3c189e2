#include "playhead/sim/streampro_truth.h"

#include "playhead/sim/calendar.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <tuple>
#include <utility>

namespace playhead::sim {
namespace {

constexpr int64_t kEnoughQuarters = 30 * 4;
constexpr int64_t kDropQuarters = 10 * 4;
constexpr int64_t kReturnMs = 72 * kMillisPerHour;

struct GenreCount {
  int64_t users = 0;
  int64_t returned = 0;
};
struct ClientCount {
  int64_t sessions = 0;
  int64_t dropped = 0;
};

/// One user's events, in order of time.
class UserEvents {
 public:
  explicit UserEvents(std::span<const AppEvent> events) : events_(events) {}

  /// The session of the first first_login, else of the first session_start.
  std::optional<uint32_t> FirstSession() const {
    for (const auto kind : {AppEvent::Kind::kFirstLogin, AppEvent::Kind::kSessionStart}) {
      for (const AppEvent& event : events_) {
        if (event.kind == kind) return event.session;
      }
    }
    return std::nullopt;
  }

  /// Whether another session starts within three days after this one's earliest session_start.
  bool HasReturned(uint32_t session) const {
    std::optional<int64_t> started_ms;
    for (const AppEvent& event : events_) {
      if (event.kind != AppEvent::Kind::kSessionStart) continue;
      if (event.session == session) {
        if (!started_ms) started_ms = event.time_ms;
      } else if (started_ms && event.time_ms <= *started_ms + kReturnMs) {
        return true;
      }
    }
    return false;
  }

  std::span<const AppEvent> events() const { return events_; }

 private:
  std::span<const AppEvent> events_;
};

class Counter {
 public:
  Counter(size_t genres, size_t clients) : genres_(genres), clients_(clients) {}

  void Count(const UserEvents& user) {
    const std::optional<uint32_t> session = user.FirstSession();
    if (!session) return;
    std::vector<int64_t> by_genre(genres_.size());
    int64_t quarters = 0;
    int32_t client = -1;
    for (const AppEvent& event : user.events()) {
      if (event.session != *session) continue;
      if (client < 0) client = event.client;
      if (event.kind != AppEvent::Kind::kWatchTime) continue;
      quarters += event.quarter_seconds;
      if (event.genre >= 0) by_genre[event.genre] += event.quarter_seconds;
    }
    ++users_;
    users_with_enough_ += quarters >= kEnoughQuarters ? 1 : 0;
    ++clients_[client].sessions;
    clients_[client].dropped += quarters < kDropQuarters ? 1 : 0;
    const bool has_returned = user.HasReturned(*session);
    for (size_t genre = 0; genre < by_genre.size(); ++genre) {
      if (by_genre[genre] < kEnoughQuarters) continue;
      ++genres_[genre].users;
      genres_[genre].returned += has_returned ? 1 : 0;
    }
  }

  Answer WatchInFirstSession() const {
    Value percent;
    if (users_ > 0) {
      percent = 100.0 * static_cast<double>(users_with_enough_) / static_cast<double>(users_);
    }
    return {"watch_30s_first_session", {"percent"}, {{percent}}};
  }

  Answer RetentionByGenre(const std::vector<std::string_view>& names) const {
    Answer answer{
        "second_session_retention_by_genre", {"genre", "returned", "users", "percent"}, {}};
    std::vector<std::tuple<double, int64_t, std::string_view, int64_t>> ranked;
    for (size_t i = 0; i < genres_.size(); ++i) {
      const auto [users, returned] = genres_[i];
      if (users == 0) continue;
      ranked.emplace_back(-100.0 * static_cast<double>(returned) / static_cast<double>(users),
                          -users, names[i], returned);
    }
    std::sort(ranked.begin(), ranked.end());
    for (const auto& [minus_percent, minus_users, name, returned] : ranked) {
      // Not "-0": none returned is 0 percent.
      answer.rows.push_back(
          {std::string(name), returned, -minus_users, returned == 0 ? 0.0 : -minus_percent});
    }
    return answer;
  }

  Answer DropOff(const std::vector<AppClient>& names) const {
    Answer answer{"drop_off",
                  {"device_os", "app_version", "sessions", "dropped", "rate", "overall_rate",
                   "rate_low", "abnormal"},
                  {}};
    ClientCount all;
    for (const ClientCount& client : clients_) {
      all.sessions += client.sessions;
      all.dropped += client.dropped;
    }
    const double overall = Rate(all);
    using Row =
        std::tuple<bool, double, int64_t, std::string_view, std::string_view, int64_t, double>;
    std::vector<Row> ranked;
    for (size_t i = 0; i < clients_.size(); ++i) {
      if (clients_[i].sessions == 0) continue;
      const double low = RateLow(clients_[i]);
      ranked.emplace_back(low <= overall, -Rate(clients_[i]), -clients_[i].sessions, names[i].os,
                          names[i].app_version, clients_[i].dropped, low);
    }
    std::sort(ranked.begin(), ranked.end());
    for (const auto& [is_normal, minus_rate, minus_sessions, os, version, dropped, low] : ranked) {
      answer.rows.push_back({std::string(os), std::string(version), -minus_sessions, dropped,
                             dropped == 0 ? 0.0 : -minus_rate, overall, low, !is_normal});
    }
    return answer;
  }

 private:
  static double Rate(const ClientCount& client) {
    return 100.0 * static_cast<double>(client.dropped) / static_cast<double>(client.sessions);
  }

  // The lower end of Wilson's 95 % interval, in percent.
  static double RateLow(const ClientCount& client) {
    constexpr double kZ = 1.959963984540054;
    const auto n = static_cast<double>(client.sessions);
    const double p = static_cast<double>(client.dropped) / n;
    return 100.0 *
           (p + kZ * kZ / (2 * n) - kZ * std::sqrt(p * (1 - p) / n + kZ * kZ / (4 * n * n))) /
           (1 + kZ * kZ / n);
  }

  int64_t users_ = 0;
  int64_t users_with_enough_ = 0;
  std::vector<GenreCount> genres_;
  std::vector<ClientCount> clients_;
};

}  // namespace

std::vector<Answer> StreamproAnswers(std::vector<AppEvent> events,
                                     const std::vector<std::string_view>& genres,
                                     const std::vector<AppClient>& clients) {
  std::sort(events.begin(), events.end(), [](const AppEvent& a, const AppEvent& b) {
    return std::pair(a.user, a.time_ms) < std::pair(b.user, b.time_ms);
  });
  Counter counter(genres.size(), clients.size());
  for (auto user = events.begin(); user != events.end();) {
    const auto end = std::find_if(
        user, events.end(), [id = user->user](const AppEvent& event) { return event.user != id; });
    counter.Count(UserEvents({user, end}));
    user = end;
  }
  return {counter.WatchInFirstSession(), counter.RetentionByGenre(genres),
          counter.DropOff(clients)};
}

}  // namespace playhead::sim
