#include "playhead/sim/content.h"

#include "playhead/sim/calendar.h"
#include "playhead/sim/content_truth.h"
#include "playhead/sim/event_queue.h"
#include "playhead/sim/json_text.h"

#include <algorithm>

namespace playhead::sim {
namespace {

constexpr int64_t kUserEventsPerDay = 4;
constexpr int64_t kDefaultDays = 3;
constexpr int64_t kMeanGapMs = 22 * kMillisPerHour;  // of a viewer of middling zeal
constexpr CatalogueSize kCatalogueSize{
    .movies = 48, .series = 12, .episodes_per_series = 6, .ads = 12};

// Where the facts of an Event stand.
enum Fact : size_t { kActionFact, kWorkFact, kUserFact, kPositionFact };

struct PlayerKind {
  std::string_view name;
  uint64_t percent;
};
constexpr PlayerKind kPlayers[] = {
    {"smart_tv", 34}, {"mobile_app", 30}, {"web_app", 22}, {"streaming_device", 14}};

struct Device {
  std::string head;  // ,"user_id":…,"device_id":…
  std::string ip;    // ,"ip_address":…,
  std::string tail;  // ,"schema_version":…,"event_source":…}
  bool sends_session = true;
};

// What a viewer does next, and with what.
struct Viewer {
  uint32_t user = 0;
  uint32_t first_device = 0;
  uint8_t devices = 1;
  uint8_t device = 0;
  int8_t utc_offset_hours = 0;
  bool sees_ads = false;
  int64_t mean_gap_ms = 0;

  MediaAction next_action = MediaAction::kPlay;
  bool is_in_session = false;
  uint32_t work = 0;
  int64_t position_ms = 0;  // at the next event
  int64_t target_ms = 0;    // where this viewer will stop
  int32_t after_ad = -1;    // work to begin when the ad is over
  int64_t after_ad_ms = 0;
  int32_t unfinished = -1;  // work to resume in the next session
  int64_t unfinished_ms = 0;
  char session_id[36] = {};
};

class ContentSource final : public EventSource {
 public:
  explicit ContentSource(const SimOptions& options);

  const std::vector<StreamShape>& streams() const override { return streams_; }
  bool Next(Event& event) override;
  void Count(const Event& event, bool is_repeat) override;
  std::vector<PartitionCount> Partitions(size_t /*stream*/) const override {
    return truth_.Partitions();
  }
  std::vector<Answer> Answers() const override { return truth_.Answers(); }

 private:
  void AddViewer(uint32_t user, int64_t start_ms);
  void AddDevice(const std::string& user_id, std::string_view home_ip);
  void Write(int64_t time_ms, const Viewer& viewer, Event& event);

  // Each takes the instant of the event that was just made and returns that of the viewer's next.
  int64_t AfterPlay(Viewer& viewer, int64_t time_ms);
  int64_t AfterPause(Viewer& viewer, int64_t time_ms);
  int64_t AfterStop(Viewer& viewer, int64_t time_ms);
  int64_t NextSession(Viewer& viewer, int64_t time_ms);

  void StartSession(Viewer& viewer);
  void Choose(Viewer& viewer, uint32_t work, int64_t position_ms);
  void Begin(Viewer& viewer, uint32_t work, int64_t position_ms);

  std::vector<StreamShape> streams_;
  Random random_;
  WeeklyCurve curve_;
  Catalogue catalogue_;
  std::vector<std::string> work_texts_;  // ,"content_id":… up to the position's value
  std::vector<Device> devices_;
  std::vector<Viewer> viewers_;
  EventQueue queue_;
  TimestampText timestamp_;
  ContentTruth truth_;
};

int32_t ChooseUsers(const SimOptions& options, int64_t start_ms) {
  if (options.users > 0) return options.users;
  if (options.events == 0) return 1000;
  int64_t days = kDefaultDays;
  if (options.to_us != 0) days = (options.to_us / 1000 - start_ms) / kMillisPerDay;
  return static_cast<int32_t>(std::clamp<int64_t>(
      options.events / (kUserEventsPerDay * std::max<int64_t>(days, 1)), 10, 5'000'000));
}

std::string WorkText(const Work& work) {
  std::string text = R"(,"content_id":)";
  AppendQuoted(work.id, text);
  text.append(R"(,"content_type":)");
  AppendQuoted(WorkKindName(work.kind), text);
  text.append(R"(,"title":)");
  AppendQuoted(work.title, text);
  text.append(R"(,"genre":[)");
  for (size_t i = 0; i < work.genres.size(); ++i) {
    if (i > 0) text.push_back(',');
    AppendQuoted(work.genres[i], text);
  }
  text.append(R"(],"duration_seconds":)");
  AppendInt(work.duration_ms / kMillisPerSecond, text);
  text.append(R"(,"language":)");
  AppendQuoted(work.language, text);
  text.append(R"(,"current_timestamp":)");
  return text;
}

ContentSource::ContentSource(const SimOptions& options)
    : streams_{{.name = "media_events",
                .fault_fields = {.text = "event_id",
                                 .required = "event_id",
                                 .number = "duration_seconds",
                                 .time = "timestamp",
                                 .time_too_early = R"("1999-12-31T23:59:59.999Z")",
                                 .time_too_late = R"("2199-01-01T00:00:00.000Z")"}}},
      random_(options.seed, "content"),
      catalogue_(options.seed, kCatalogueSize),
      truth_(catalogue_.works()) {
  for (const Work& work : catalogue_.works()) work_texts_.push_back(WorkText(work));
  const int64_t start_ms =
      options.from_us != 0 ? options.from_us / 1000 : DayNumber(2025, 3, 3) * kMillisPerDay;
  const auto users = static_cast<uint32_t>(ChooseUsers(options, start_ms));
  viewers_.reserve(users);
  for (uint32_t user = 0; user < users; ++user) AddViewer(user, start_ms);
}

void ContentSource::AddViewer(uint32_t user, int64_t start_ms) {
  Viewer& viewer = viewers_.emplace_back();
  viewer.user = user;
  viewer.first_device = static_cast<uint32_t>(devices_.size());
  viewer.devices = static_cast<uint8_t>(1 + random_.Below(3));
  viewer.utc_offset_hours = static_cast<int8_t>(random_.Below(3));
  viewer.sees_ads = random_.Percent(45);
  // From three times as often as the middling viewer to a third as often.
  viewer.mean_gap_ms = kMeanGapMs * random_.Between(33, 300) / 100;
  std::string user_id;
  AppendUuid(random_, user_id);
  std::string home_ip = "10.";
  AppendInt(random_.Between(0, 255), home_ip);
  home_ip.push_back('.');
  AppendInt(random_.Between(0, 255), home_ip);
  home_ip.push_back('.');
  for (int i = 0; i < viewer.devices; ++i) AddDevice(user_id, home_ip);
  queue_.Push(NextSession(viewer, start_ms), user);
}

void ContentSource::AddDevice(const std::string& user_id, std::string_view home_ip) {
  Device& device = devices_.emplace_back();
  device.head = R"(,"user_id":")" + user_id + R"(","device_id":")";
  AppendUuid(random_, device.head);
  device.head.push_back('"');
  device.ip = R"(,"ip_address":")";
  device.ip.append(home_ip);
  AppendInt(random_.Between(2, 254), device.ip);
  device.ip.push_back('"');
  uint64_t draw = random_.Below(100);
  const PlayerKind* kind = kPlayers;
  for (; draw >= kind->percent; ++kind) draw -= kind->percent;
  device.tail = R"(,"schema_version":"1.0","event_source":")" + std::string(kind->name) + "\"}";
  device.sends_session = !random_.Percent(4);
}

bool ContentSource::Next(Event& event) {
  const auto [time_ms, who] = queue_.top();
  Viewer& viewer = viewers_[who];
  if (!viewer.is_in_session) StartSession(viewer);
  Write(time_ms, viewer, event);
  switch (viewer.next_action) {
    case MediaAction::kPlay:
      queue_.MoveTop(AfterPlay(viewer, time_ms));
      break;
    case MediaAction::kPause:
      queue_.MoveTop(AfterPause(viewer, time_ms));
      break;
    case MediaAction::kStop:
      queue_.MoveTop(AfterStop(viewer, time_ms));
      break;
  }
  return true;
}

void ContentSource::Write(int64_t time_ms, const Viewer& viewer, Event& event) {
  event.stream = 0;
  event.time_ms = time_ms;
  event.facts[kActionFact] = static_cast<int64_t>(viewer.next_action);
  event.facts[kWorkFact] = viewer.work;
  event.facts[kUserFact] = viewer.user;
  event.facts[kPositionFact] = viewer.position_ms;

  const Device& device = devices_[viewer.first_device + viewer.device];
  std::string& text = event.text;
  text.assign(R"({"event_id":")");
  AppendUuid(random_, text);
  text.append(R"(","event_type":")");
  text.append(MediaActionName(viewer.next_action));
  text.append(R"(","timestamp":")");
  timestamp_.Append(time_ms, text);
  text.push_back('"');
  text.append(device.head);
  if (device.sends_session) {
    text.append(R"(,"session_id":")");
    text.append(viewer.session_id, sizeof(viewer.session_id));
    text.push_back('"');
  }
  text.append(device.ip);
  text.append(work_texts_[viewer.work]);
  AppendThousandths(viewer.position_ms, text);
  text.append(device.tail);
}

int64_t ContentSource::AfterPlay(Viewer& viewer, int64_t time_ms) {
  const int64_t rest_ms = viewer.target_ms - viewer.position_ms;
  if (rest_ms > kMillisPerMinute && random_.Percent(38)) {
    const int64_t watched_ms =
        random_.Between(5 * kMillisPerSecond, rest_ms - 5 * kMillisPerSecond);
    viewer.next_action = MediaAction::kPause;
    viewer.position_ms += watched_ms;
    return time_ms + watched_ms;
  }
  viewer.next_action = MediaAction::kStop;
  viewer.position_ms = viewer.target_ms;
  return time_ms + rest_ms;
}

int64_t ContentSource::AfterPause(Viewer& viewer, int64_t time_ms) {
  viewer.next_action = random_.Percent(15) ? MediaAction::kStop : MediaAction::kPlay;
  return time_ms + 2 * kMillisPerSecond +
         std::min(random_.Exponential(4 * kMillisPerMinute), kMillisPerHour);
}

int64_t ContentSource::AfterStop(Viewer& viewer, int64_t time_ms) {
  const Work& work = catalogue_.works()[viewer.work];
  if (viewer.after_ad >= 0) {
    Begin(viewer, static_cast<uint32_t>(viewer.after_ad), viewer.after_ad_ms);
    viewer.after_ad = -1;
    return time_ms + random_.Between(200, 2500);
  }
  const bool is_finished = viewer.position_ms >= work.duration_ms / 100 * 95;
  viewer.unfinished = is_finished ? -1 : static_cast<int32_t>(viewer.work);
  viewer.unfinished_ms = viewer.position_ms;
  if (is_finished && work.next_episode >= 0 && random_.Percent(70)) {
    Choose(viewer, static_cast<uint32_t>(work.next_episode), 0);
    return time_ms + random_.Between(3000, 12'000);
  }
  if (random_.Percent(is_finished ? 15 : 40)) {
    Choose(viewer, catalogue_.DrawFeature(random_), 0);
    return time_ms + random_.Between(5000, 90'000);
  }
  viewer.is_in_session = false;
  return NextSession(viewer, time_ms + kMillisPerMinute);
}

int64_t ContentSource::NextSession(Viewer& viewer, int64_t time_ms) {
  const int64_t offset_ms = viewer.utc_offset_hours * kMillisPerHour;
  return curve_.After(time_ms + offset_ms, random_.Exponential(viewer.mean_gap_ms)) - offset_ms;
}

void ContentSource::StartSession(Viewer& viewer) {
  viewer.is_in_session = true;
  viewer.device = static_cast<uint8_t>(random_.Below(viewer.devices));
  std::string id;
  AppendUuid(random_, id);
  id.copy(viewer.session_id, sizeof(viewer.session_id));
  if (viewer.unfinished >= 0 && random_.Percent(45)) {
    Choose(viewer, static_cast<uint32_t>(viewer.unfinished), viewer.unfinished_ms);
  } else {
    Choose(viewer, catalogue_.DrawFeature(random_), 0);
  }
}

void ContentSource::Choose(Viewer& viewer, uint32_t work, int64_t position_ms) {
  if (viewer.sees_ads && random_.Percent(60)) {
    viewer.after_ad = static_cast<int32_t>(work);
    viewer.after_ad_ms = position_ms;
    Begin(viewer, catalogue_.DrawAd(random_), 0);
  } else {
    Begin(viewer, work, position_ms);
  }
}

void ContentSource::Begin(Viewer& viewer, uint32_t work, int64_t position_ms) {
  const int64_t duration_ms = catalogue_.works()[work].duration_ms;
  const int64_t rest_ms = duration_ms - position_ms;
  viewer.next_action = MediaAction::kPlay;
  viewer.work = work;
  viewer.position_ms = position_ms;
  viewer.target_ms = duration_ms;
  if (random_.Percent(45)) return;
  // Who leaves does so rather early: the smaller of two draws.
  const int64_t watched_ms = std::min(random_.Between(1, rest_ms), random_.Between(1, rest_ms));
  viewer.target_ms = position_ms + std::max(watched_ms, std::min<int64_t>(rest_ms, 1500));
}

void ContentSource::Count(const Event& event, bool is_repeat) {
  truth_.Count(static_cast<MediaAction>(event.facts[kActionFact]), DayOf(event.time_ms),
               static_cast<uint32_t>(event.facts[kWorkFact]),
               static_cast<uint32_t>(event.facts[kUserFact]), event.facts[kPositionFact],
               is_repeat);
}

}  // namespace

std::unique_ptr<EventSource> MakeContentSource(const SimOptions& options) {
  return std::make_unique<ContentSource>(options);
}

}  // namespace playhead::sim
