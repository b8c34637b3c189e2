#pragma once

#include "playhead/sim/calendar.h"
#include "playhead/sim/event_queue.h"
#include "playhead/sim/event_stream.h"
#include "playhead/sim/truth.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::sim {

/// The users of `streampro`, their sessions (see streampro.h), and the lists the app exports daily.
class StreamproSource final : public EventSource {
 public:
  explicit StreamproSource(const SimOptions& options);

  const std::vector<StreamShape>& streams() const override { return streams_; }
  bool Next(Event& event) override;
  void Count(const Event& /*event*/, bool /*is_repeat*/) override {}
  /// Partitions are days of arrival, which only the writer of the files knows.
  std::vector<PartitionCount> Partitions(size_t /*stream*/) const override { return {}; }
  std::vector<Answer> Answers() const override { return {}; }

  struct Csv {
    std::string text;
    int64_t records = 0;
  };
  /// Users who signed up on `day` or before.
  Csv UsersCsv(int64_t day) const;
  Csv VideosCsv() const;
  Csv DevicesCsv() const;

 private:
  enum class Step { kFirstLogin, kSessionStart, kWatch, kReact, kSessionEnd, kKilled };
  struct User {
    std::string head;  // "account_id":…,"user_id":…
    std::string tail;  // ,"device":… to "app_version":…
    std::string_view country;
    int64_t signup_ms = 0;
    std::string_view tier, age_group, gender;
    int32_t client = 0;
    Step step = Step::kSessionStart;
    std::string session_text;  // ,"session_id":…
    std::string network_text;  // ,"network_type":…,"ip":…
    uint32_t video = 0;
    // In quarters of a second:
    int64_t video_left = 0;
    int64_t session_left = 0;
    int64_t session_watched = 0;
    int64_t next_watched = 0;
  };
  struct Video {
    std::string id, title, patent_id;
    size_t genre = 0;
    int64_t duration_seconds = 0;
  };

  void AddVideos(uint64_t seed);
  void AddUser(uint32_t number, int64_t start_ms, int64_t end_ms);
  void StartSession(User& user);
  // Writes the user's next event; this and the two below return the time until the one after it.
  int64_t Act(User& user, Event& event);
  int64_t PlanNext(User& user);
  int64_t GapAfterSession(User& user, int64_t time_ms);
  void Write(std::string_view name, const User& user, int64_t quarters, Event& event);

  std::vector<StreamShape> streams_;
  Random random_;
  WeeklyCurve curve_;
  TimestampText timestamp_;
  std::vector<Video> videos_;
  WeightedIndex popular_videos_;
  std::vector<User> users_;
  EventQueue queue_;
};

}  // namespace playhead::sim
