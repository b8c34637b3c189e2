#include "playhead/sim/streampro_source.h"

#include "playhead/sim/json_text.h"
#include "playhead/sim/names.h"

#include <algorithm>

namespace playhead::sim {
namespace {

constexpr int64_t kEventsPerUser = 22;
constexpr int64_t kDefaultDays = 5;
constexpr size_t kVideos = 400;
constexpr int64_t kMillisPerQuarter = 250;
constexpr int64_t kMeanGapMs = 20 * kMillisPerHour;

struct Device {
  std::string_view name, os, model, os_version;
};
constexpr Device kDevices[] = {
    {"Lumo 7", "Android", "LM-700", "14"},    {"Lumo 7 Mini", "Android", "LM-710", "14"},
    {"Kestrel X", "Android", "KX-1", "15"},   {"Kestrel Lite", "Android", "KX-0", "13"},
    {"Orbit Tab", "Android", "OT-10", "14"},  {"Pearl 12", "iOS", "P12,1", "18.1"},
    {"Pearl 12 Max", "iOS", "P12,2", "18.1"}, {"Pearl 11", "iOS", "P11,1", "17.6"},
    {"Slate Air", "iPadOS", "SA4,3", "18.1"}, {"Vista Box", "tvOS", "VB2,1", "18.0"}};
constexpr std::string_view kSystems[] = {"Android", "iOS", "iPadOS", "tvOS"};
constexpr std::string_view kVersions[] = {"4.0.3", "4.1.0", "4.1.2", "4.2.0"};
constexpr std::string_view kBrokenSystem = "Android";
constexpr std::string_view kBrokenVersion = "4.2.0";

constexpr std::string_view kGenres[] = {"Cooking", "Travel", "Comedy",  "Music",
                                        "Sports",  "Crafts", "Animals", "Science"};
constexpr std::string_view kTiers[] = {"free", "free", "free", "basic", "basic", "premium"};
constexpr std::string_view kAges[] = {"13-17", "18-24", "18-24", "25-34",
                                      "25-34", "35-44", "45-54", "55+"};
constexpr std::string_view kGenders[] = {"female", "male", "female", "male", "other", ""};
constexpr std::string_view kCountries[] = {"DE", "FR", "SE", "US", "US", "BR", "IN", "KE", "JP"};
constexpr std::string_view kNetworks[] = {"wifi", "wifi", "wifi", "5g", "4g", "4g", "3g"};
constexpr std::string_view kReactions[] = {"like",  "like",  "like",   "heart",
                                           "heart", "share", "comment"};

int32_t ClientIndex(std::string_view os, size_t version) {
  const auto system =
      std::find(std::begin(kSystems), std::end(kSystems), os) - std::begin(kSystems);
  return static_cast<int32_t>(static_cast<size_t>(system) * std::size(kVersions) + version);
}

bool IsBroken(int32_t client) {
  return kSystems[client / std::size(kVersions)] == kBrokenSystem &&
         kVersions[client % std::size(kVersions)] == kBrokenVersion;
}

int64_t StartMs(const SimOptions& options) {
  return options.from_us != 0 ? options.from_us / 1000 : DayNumber(2025, 9, 8) * kMillisPerDay;
}

std::string Numbered(char letter, size_t number, int digits) {
  std::string id(1, letter);
  AppendPadded(static_cast<int64_t>(number), digits, id);
  return id;
}

std::string UserId(size_t number) { return Numbered('u', number + 1, 7); }

void AppendField(std::string_view name, std::string_view value, std::string& text) {
  text.push_back(',');
  AppendQuoted(name, text);
  text.push_back(':');
  AppendQuoted(value, text);
}

void AppendCsvLine(std::initializer_list<std::string_view> fields, std::string& text) {
  bool is_first = true;
  for (const std::string_view field : fields) {
    if (!is_first) text.push_back(',');
    is_first = false;
    AppendCsvField(field, text);
  }
  text.push_back('\n');
}

}  // namespace

StreamproSource::StreamproSource(const SimOptions& options)
    : streams_{{.name = "events",
                .fault_fields = {.text = "user_id",
                                 .required = "user_id",
                                 .number = "value",
                                 .time = "timestamp",
                                 .time_too_early = R"("1999-12-31T23:59:59.999Z")",
                                 .time_too_late = R"("2199-01-01T00:00:00.000Z")"}}},
      random_(options.seed, "streampro") {
  AddVideos(options.seed);
  const int64_t start_ms = StartMs(options);
  const int64_t end_ms =
      options.to_us != 0 ? options.to_us / 1000 : start_ms + kDefaultDays * kMillisPerDay;
  int64_t users = options.users > 0 ? options.users : options.events / kEventsPerUser;
  if (users == 0 && options.events == 0) users = 1000;
  users = std::clamp<int64_t>(users, 5, 5'000'000);
  for (int64_t i = 0; i < users; ++i) AddUser(static_cast<uint32_t>(i), start_ms, end_ms);
}

void StreamproSource::AddVideos(uint64_t seed) {
  NameMaker names(seed, "videos");
  for (size_t i = 0; i < kVideos; ++i) {
    Video& video = videos_.emplace_back();
    video.id = Numbered('v', i + 1, 5);
    video.title = names.Title();
    video.patent_id = Numbered('P', 100'000 + random_.Below(900'000), 6);
    video.genre = random_.Below(std::size(kGenres));
    video.duration_seconds = random_.Between(15, 180);
  }
  popular_videos_ = WeightedIndex(ZipfWeights(kVideos, 8));
}

void StreamproSource::AddUser(uint32_t number, int64_t start_ms, int64_t end_ms) {
  User& user = users_.emplace_back();
  const bool is_new = random_.Percent(60);
  const int64_t span_minutes = std::max<int64_t>((end_ms - start_ms) / kMillisPerMinute, 1);
  if (is_new) {
    user.signup_ms = start_ms + random_.Between(0, span_minutes - 1) * kMillisPerMinute;
    user.signup_ms += random_.Between(0, kMillisPerMinute - 1);
  } else {
    user.signup_ms = start_ms - random_.Between(1, 600) * kMillisPerDay;
  }
  // A family shares an account.
  user.head = R"("account_id":")" + Numbered('a', number / 3 + 1, 7) + R"(","user_id":")" +
              UserId(number) + '"';
  const Device& device = random_.Pick(kDevices);
  const size_t version = random_.Below(std::size(kVersions));
  AppendField("device", device.name, user.tail);
  AppendField("device_os", device.os, user.tail);
  AppendField("app_version", kVersions[version], user.tail);
  user.client = ClientIndex(device.os, version);
  user.country = random_.Pick(kCountries);
  user.tier = random_.Pick(kTiers);
  user.age_group = random_.Pick(kAges);
  user.gender = random_.Pick(kGenders);
  user.step = is_new ? Step::kFirstLogin : Step::kSessionStart;
  StartSession(user);
  const int64_t first_ms =
      is_new ? user.signup_ms : curve_.After(start_ms, random_.Exponential(3 * kMeanGapMs));
  queue_.Push(first_ms, number);
}

void StreamproSource::StartSession(User& user) {
  user.session_text = R"(,"session_id":")";
  AppendUuid(random_, user.session_text);
  user.session_text.push_back('"');
  user.network_text.clear();
  AppendField("network_type", random_.Pick(kNetworks), user.network_text);
  user.network_text.append(R"(,"ip":"10.)");
  AppendInt(random_.Between(0, 255), user.network_text);
  user.network_text.push_back('.');
  AppendInt(random_.Between(0, 255), user.network_text);
  user.network_text.push_back('.');
  AppendInt(random_.Between(2, 254), user.network_text);
  user.network_text.push_back('"');
  user.video_left = 0;
  user.session_watched = 0;
  const bool is_given_up = random_.Percent(IsBroken(user.client) ? 45 : 14);
  user.session_left = is_given_up ? random_.Between(0, 39) : 40 + random_.Exponential(4 * 70);
}

bool StreamproSource::Next(Event& event) {
  while (users_[queue_.top().who].step == Step::kKilled) {
    const auto [time_ms, who] = queue_.top();
    queue_.MoveTop(time_ms + GapAfterSession(users_[who], time_ms));
  }
  const auto [time_ms, who] = queue_.top();
  event.time_ms = time_ms;
  queue_.MoveTop(time_ms + Act(users_[who], event));
  return true;
}

int64_t StreamproSource::Act(User& user, Event& event) {
  switch (user.step) {
    case Step::kFirstLogin:
      Write("first_login", user, 0, event);
      user.step = Step::kSessionStart;
      return random_.Between(20, 900);
    case Step::kSessionStart: {
      Write("session_start", user, 0, event);
      const int64_t loading_ms = random_.Between(500, 6000);
      return loading_ms + PlanNext(user);
    }
    case Step::kWatch:
      Write("watch_time", user, user.next_watched, event);
      user.session_watched += user.next_watched;
      user.session_left -= user.next_watched;
      user.video_left -= user.next_watched;
      if (random_.Percent(18)) {
        user.step = Step::kReact;
        return random_.Between(100, 2000);
      }
      return 1 + PlanNext(user);
    case Step::kReact: {
      Write(random_.Pick(kReactions), user, 4, event);
      const int64_t pause_ms = random_.Between(200, 3000);
      return pause_ms + PlanNext(user);
    }
    case Step::kSessionEnd:
      Write("session_end", user, user.session_watched, event);
      return GapAfterSession(user, event.time_ms);
    case Step::kKilled:
      break;
  }
  return kMillisPerDay;
}

int64_t StreamproSource::PlanNext(User& user) {
  if (user.session_left <= 0) {
    user.step = random_.Percent(12) ? Step::kKilled : Step::kSessionEnd;
    return random_.Between(100, 8000);
  }
  if (user.video_left <= 0) {
    user.video = static_cast<uint32_t>(popular_videos_.Draw(random_));
    user.video_left = videos_[user.video].duration_seconds * 4;
  }
  user.step = Step::kWatch;
  user.next_watched = std::min({user.session_left, user.video_left, random_.Between(4, 60)});
  return user.next_watched * kMillisPerQuarter;
}

int64_t StreamproSource::GapAfterSession(User& user, int64_t time_ms) {
  user.step = Step::kSessionStart;
  StartSession(user);
  const int64_t mean_ms = random_.Percent(35) ? 40 * kMillisPerDay : kMeanGapMs;
  return curve_.After(time_ms + kMillisPerMinute, random_.Exponential(mean_ms)) - time_ms;
}

void StreamproSource::Write(std::string_view name, const User& user, int64_t quarters,
                            Event& event) {
  const bool has_video = user.step == Step::kWatch || user.step == Step::kReact;
  const Video& video = videos_[user.video];
  event.stream = 0;

  std::string& text = event.text;
  text.assign(R"({"timestamp":")");
  timestamp_.Append(event.time_ms, text);
  text.append("\",");
  text.append(user.head);
  if (has_video) AppendField("video_id", video.id, text);
  text.append(user.session_text);
  AppendField("event_name", name, text);
  text.append(R"(,"value":)");
  AppendThousandths(quarters * 250, text);
  text.append(user.tail);
  text.append(user.network_text);
  AppendField("country", user.country, text);
  text.push_back('}');
}

StreamproSource::Csv StreamproSource::UsersCsv(int64_t day) const {
  Csv csv{"user_id,signup_date,subscription_tier,age_group,gender\n", 0};
  for (size_t i = 0; i < users_.size(); ++i) {
    const User& user = users_[i];
    if (DayOf(user.signup_ms) > day) continue;
    AppendCsvLine(
        {UserId(i), DateText(DayOf(user.signup_ms)), user.tier, user.age_group, user.gender},
        csv.text);
    ++csv.records;
  }
  return csv;
}

StreamproSource::Csv StreamproSource::VideosCsv() const {
  Csv csv{"video_id,title,genre,duration_seconds,patent_id\n", std::ssize(videos_)};
  for (const Video& video : videos_) {
    AppendCsvLine({video.id, video.title, kGenres[video.genre],
                   std::to_string(video.duration_seconds), video.patent_id},
                  csv.text);
  }
  return csv;
}

StreamproSource::Csv StreamproSource::DevicesCsv() const {
  Csv csv{"device,os,model,os_version\n", std::ssize(kDevices)};
  for (const Device& device : kDevices) {
    AppendCsvLine({device.name, device.os, device.model, device.os_version}, csv.text);
  }
  return csv;
}

}  // namespace playhead::sim
