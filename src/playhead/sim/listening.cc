#include "playhead/sim/listening.h"

#include "playhead/sim/calendar.h"
#include "playhead/sim/event_queue.h"
#include "playhead/sim/json_text.h"
#include "playhead/sim/music.h"
#include "playhead/sim/names.h"

#include <algorithm>
#include <map>

namespace playhead::sim {
namespace {

constexpr int64_t kUserEventsPerDay = 14;
constexpr int64_t kDefaultDays = 7;
constexpr int64_t kMillisPerYear = 365 * kMillisPerDay;
constexpr int64_t kNever = INT64_MAX;

enum StreamIndex : size_t { kAuth, kListen, kPageView, kStatusChange };

struct City {
  std::string_view text;  // "city":…,"zip":…,"state":…  and  "lon":…,"lat":…
  std::string_view place;
};
constexpr City kCities[] = {
    {R"("city":"Port Tamsin","zip":"98107","state":"WA")", R"("lon":-122.371,"lat":47.668)"},
    {R"("city":"Ashgrove","zip":"04210","state":"ME")", R"("lon":-70.231,"lat":44.098)"},
    {R"("city":"Quillon","zip":"78702","state":"TX")", R"("lon":-97.716,"lat":30.263)"},
    {R"("city":"Old Ferren","zip":"02139","state":"MA")", R"("lon":-71.104,"lat":42.365)"},
    {R"("city":"Lake Ondeno","zip":"55408","state":"MN")", R"("lon":-93.288,"lat":44.947)"},
    {R"("city":"Santa Perdida","zip":"90039","state":"CA")", R"("lon":-118.26,"lat":34.111)"},
    {R"("city":"Dunmarrow","zip":"30310","state":"GA")", R"("lon":-84.423,"lat":33.727)"},
    {R"("city":"Upper Wexling","zip":"60618","state":"IL")", R"("lon":-87.702,"lat":41.947)"}};

constexpr std::string_view kUserAgents[] = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:136.0) Gecko/20100101 Firefox/136.0",
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.3 "
     "Safari/605.1.15"),
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/134.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_3 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/134.0.0.0 Mobile Safari/537.36"};

constexpr std::string_view kSidePages[] = {"Thumbs Up",       "Thumbs Up", "Thumbs Down",
                                           "Add to Playlist", "Home",      "Add Friend",
                                           "Settings",        "Help"};

// What a listener does next.
enum class Step {
  kLoginPage,
  kLogin,
  kHomePage,
  kSong,
  kSongPage,
  kSidePage,
  kChangePage,  // Upgrade or Downgrade
  kSubmitPage,  // Submit Upgrade or Submit Downgrade
  kLevelChange,
  kLogoutPage,
  kCancelPage,
  kCancellation,
};

struct Listener {
  std::string where;  // ,"city":… to "lat":…
  std::string who;    // ,"userId":… to "registration":…
  int64_t mean_gap_ms = 0;
  Step step = Step::kLoginPage;
  bool is_paying = false;
  bool is_leaving = false;  // once this session's cancellation is confirmed
  int64_t session = 0;
  int64_t item = 0;
  int64_t songs_left = 0;
  uint32_t song = 0;
  int64_t song_end_ms = 0;
};

// What is the same in most records of one step.
struct PageView {
  std::string_view page;
  std::string_view method;
  int64_t status;
};

class ListeningSource final : public EventSource {
 public:
  explicit ListeningSource(const SimOptions& options);

  const std::vector<StreamShape>& streams() const override { return streams_; }
  bool Next(Event& event) override;
  void Count(const Event& event, bool is_repeat) override;
  std::vector<PartitionCount> Partitions(size_t stream) const override;
  std::vector<Answer> Answers() const override;

 private:
  void AddListener(int64_t registered_ms, int64_t start_ms);
  void Act(Listener& listener, int64_t time_ms, Event& event);

  // Each step writes its record, sets the next step and returns the time until then.
  int64_t Log(Listener& listener, Event& event);
  int64_t AfterPage(Listener& listener, int64_t time_ms);
  int64_t AfterSong(Listener& listener);
  int64_t EndSession(Listener& listener, int64_t time_ms);

  void Start(StreamIndex stream, int64_t time_ms, const Listener& listener, Event& event) const;
  void WritePage(const PageView& view, const Listener& listener, bool is_logged_in,
                 Event& event) const;
  void Finish(const Listener& listener, bool is_logged_in, Event& event) const;

  ListeningOptions options_;
  std::vector<StreamShape> streams_;
  Random random_;
  NameMaker names_;
  WeeklyCurve curve_;
  Music music_;
  std::vector<Listener> listeners_;
  EventQueue queue_;
  int64_t sessions_ = 0;
  int64_t next_registration_ms_ = 0;
  int64_t registration_gap_ms_ = 0;

  std::vector<std::map<int64_t, int64_t>> rows_;  // by stream, by hours since 1970
  std::map<int64_t, int64_t> listens_;            // by day
};

FaultFields ListeningFaults() {
  return {.text = "city",
          .required = "sessionId",
          .number = "itemInSession",
          .time = "ts",
          .time_too_early = "946684799999",
          .time_too_late = "7226582400000"};
}

int64_t ChooseUsers(const SimOptions& options, int64_t start_ms) {
  if (options.users > 0) return options.users;
  if (options.events == 0) return 1000;
  int64_t days = kDefaultDays;
  if (options.to_us != 0) days = (options.to_us / 1000 - start_ms) / kMillisPerDay;
  return std::clamp<int64_t>(options.events / (kUserEventsPerDay * std::max<int64_t>(days, 1)), 5,
                             5'000'000);
}

ListeningSource::ListeningSource(const SimOptions& options)
    : options_(options.listening),
      streams_{{.name = "auth_events", .fault_fields = ListeningFaults()},
               {.name = "listen_events", .fault_fields = ListeningFaults()},
               {.name = "page_view_events", .fault_fields = ListeningFaults()},
               {.name = "status_change_events", .fault_fields = ListeningFaults()}},
      random_(options.seed, "listening"),
      names_(options.seed, "listeners"),
      music_(options.seed),
      rows_(streams_.size()) {
  const int64_t start_ms =
      options.from_us != 0 ? options.from_us / 1000 : DayNumber(2025, 3, 3) * kMillisPerDay;
  const int64_t users = ChooseUsers(options, start_ms);
  next_registration_ms_ = kNever;
  if (const int64_t a_year = users * options_.growth_permille_a_year / 1000; a_year > 0) {
    registration_gap_ms_ = kMillisPerYear / a_year;
    next_registration_ms_ = start_ms + random_.Exponential(registration_gap_ms_);
  }
  for (int64_t i = 0; i < users; ++i) {
    int64_t age_ms = random_.Between(1, 700) * kMillisPerDay;
    age_ms += random_.Between(0, kMillisPerDay - 1);
    AddListener(start_ms - age_ms, start_ms);
  }
}

void ListeningSource::AddListener(int64_t registered_ms, int64_t start_ms) {
  Listener& listener = listeners_.emplace_back();
  const City& city = random_.Pick(kCities);
  listener.where.push_back(',');
  listener.where.append(city.text);
  listener.where.append(R"(,"userAgent":)");
  AppendQuoted(random_.Pick(kUserAgents), listener.where);
  listener.where.push_back(',');
  listener.where.append(city.place);
  const Person person = names_.MakePerson();
  listener.who = R"(,"userId":)";
  AppendInt(options_.first_user_id + std::ssize(listeners_) - 1, listener.who);
  listener.who.append(R"(,"lastName":)");
  AppendQuoted(person.last_name, listener.who);
  listener.who.append(R"(,"firstName":)");
  AppendQuoted(person.first_name, listener.who);
  listener.who.append(random_.Percent(50) ? R"(,"gender":"F","registration":)"
                                          : R"(,"gender":"M","registration":)");
  AppendInt(registered_ms, listener.who);
  listener.is_paying = random_.Percent(25);
  listener.mean_gap_ms =
      std::max<int64_t>(options_.session_interval_ms - options_.session_gap_ms, 0);
  listener.mean_gap_ms = listener.mean_gap_ms / 100 * random_.Between(20, 180);
  // Who has just registered logs in at once; the others come when they come.
  const int64_t first_ms = registered_ms == start_ms
                               ? start_ms
                               : curve_.After(start_ms, random_.Exponential(listener.mean_gap_ms));
  queue_.Push(first_ms, static_cast<uint32_t>(listeners_.size() - 1));
}

bool ListeningSource::Next(Event& event) {
  while (next_registration_ms_ <= (queue_.empty() ? kNever - 1 : queue_.top().time_ms)) {
    AddListener(next_registration_ms_, next_registration_ms_);
    next_registration_ms_ += 1 + random_.Exponential(registration_gap_ms_);
  }
  if (queue_.empty()) return false;
  const auto [time_ms, who] = queue_.top();
  Act(listeners_[who], time_ms, event);
  return true;
}

void ListeningSource::Act(Listener& listener, int64_t time_ms, Event& event) {
  event.time_ms = time_ms;
  if (listener.step == Step::kLoginPage && listener.item == 0) {
    listener.session = ++sessions_;
    listener.songs_left = 1 + random_.Exponential(9);
  }
  const int64_t wait_ms = Log(listener, event);
  if (wait_ms >= 0) {
    queue_.MoveTop(time_ms + wait_ms);
  } else if (listener.is_leaving) {
    queue_.Pop();
  } else {
    queue_.MoveTop(EndSession(listener, time_ms));
  }
}

int64_t ListeningSource::EndSession(Listener& listener, int64_t time_ms) {
  listener.step = Step::kLoginPage;
  listener.item = 0;
  return curve_.After(time_ms + options_.session_gap_ms, random_.Exponential(listener.mean_gap_ms));
}

constexpr int64_t kSessionOver = -1;

int64_t ListeningSource::Log(Listener& listener, Event& event) {
  const auto page = [&](const PageView& view, bool is_logged_in = true) {
    Start(kPageView, event.time_ms, listener, event);
    WritePage(view, listener, is_logged_in, event);
    ++listener.item;
  };
  switch (listener.step) {
    case Step::kLoginPage:
      page({"Login", "PUT", 307}, false);
      listener.step = Step::kLogin;
      return 0;
    case Step::kLogin: {
      const bool has_succeeded = !random_.Percent(6);
      Start(kAuth, event.time_ms, listener, event);
      event.text.append(has_succeeded ? R"(,"success":true)" : R"(,"success":false)");
      Finish(listener, has_succeeded, event);
      listener.step = has_succeeded ? Step::kHomePage : Step::kLoginPage;
      return has_succeeded ? random_.Between(300, 1500) : random_.Between(4000, 20'000);
    }
    case Step::kHomePage:
      page({"Home", "GET", 200});
      return AfterPage(listener, event.time_ms);
    case Step::kSong:
      listener.song = music_.DrawSong(random_);
      listener.song_end_ms = event.time_ms + music_.songs()[listener.song].duration_ms;
      Start(kListen, event.time_ms, listener, event);
      event.text.append(R"(,"auth":"Logged In",)").append(music_.songs()[listener.song].text);
      Finish(listener, true, event);
      listener.step = Step::kSongPage;
      return 0;
    case Step::kSongPage:
      page({"NextSong", "PUT", 200});
      --listener.songs_left;
      return AfterSong(listener);
    case Step::kSidePage:
      page({listener.is_paying || random_.Percent(50) ? random_.Pick(kSidePages) : "Roll Advert",
            "PUT", random_.Percent(1) ? 404 : 200});
      return AfterPage(listener, event.time_ms);
    case Step::kChangePage:
      page({listener.is_paying ? "Downgrade" : "Upgrade", "GET", 200});
      if (!random_.Percent(55)) return AfterPage(listener, event.time_ms);
      listener.step = Step::kSubmitPage;
      return random_.Between(8000, 60'000);
    case Step::kSubmitPage:
      page({listener.is_paying ? "Submit Downgrade" : "Submit Upgrade", "PUT", 307});
      listener.step = Step::kLevelChange;
      return 0;
    case Step::kLevelChange:
      listener.is_paying = !listener.is_paying;
      Start(kStatusChange, event.time_ms, listener, event);
      event.text.append(R"(,"auth":"Logged In")");
      Finish(listener, true, event);
      return AfterPage(listener, event.time_ms);
    case Step::kLogoutPage:
      page({"Logout", "PUT", 307});
      return kSessionOver;
    case Step::kCancelPage:
      page({"Cancel", "PUT", 307});
      listener.step = Step::kCancellation;
      return random_.Between(2000, 15'000);
    case Step::kCancellation:
      Start(kStatusChange, event.time_ms, listener, event);
      event.text.append(R"(,"auth":"Cancelled")");
      Finish(listener, true, event);
      listener.is_leaving = true;
      return kSessionOver;
  }
  return kSessionOver;
}

int64_t ListeningSource::AfterPage(Listener& listener, int64_t time_ms) {
  const uint64_t draw = random_.Below(1000);
  const int64_t wait_ms = random_.Between(1000, 15'000);
  if (draw < 4) {
    listener.step = Step::kCancelPage;
  } else if (draw < (listener.is_paying ? 8u : 40u)) {
    listener.step = Step::kChangePage;
  } else {
    // The song that is on plays to its end.
    listener.step = Step::kSong;
    return std::max(wait_ms, listener.song_end_ms - time_ms);
  }
  return wait_ms;
}

int64_t ListeningSource::AfterSong(Listener& listener) {
  const int64_t duration_ms = music_.songs()[listener.song].duration_ms;
  if (listener.songs_left <= 0) {
    if (random_.Percent(45)) return kSessionOver;
    listener.step = Step::kLogoutPage;
    return duration_ms;
  }
  if (random_.Percent(18)) {
    listener.step = Step::kSidePage;
    return random_.Between(5000, duration_ms - 5000);
  }
  listener.step = Step::kSong;
  return duration_ms;
}

void ListeningSource::Start(StreamIndex stream, int64_t time_ms, const Listener& listener,
                            Event& event) const {
  event.stream = stream;
  std::string& text = event.text;
  text.assign(R"({"ts":)");
  AppendInt(time_ms, text);
  text.append(R"(,"sessionId":)");
  AppendInt(listener.session, text);
  text.append(R"(,"itemInSession":)");
  AppendInt(listener.item, text);
  text.append(listener.is_paying ? R"(,"level":"paid")" : R"(,"level":"free")");
}

void ListeningSource::WritePage(const PageView& view, const Listener& listener, bool is_logged_in,
                                Event& event) const {
  std::string& text = event.text;
  text.append(R"(,"page":)");
  AppendQuoted(view.page, text);
  text.append(is_logged_in ? R"(,"auth":"Logged In","method":)"
                           : R"(,"auth":"Logged Out","method":)");
  AppendQuoted(view.method, text);
  text.append(R"(,"status":)");
  AppendInt(view.status, text);
  if (view.page == "NextSong") {
    text.push_back(',');
    text.append(music_.songs()[listener.song].text);
  }
  Finish(listener, is_logged_in, event);
}

void ListeningSource::Finish(const Listener& listener, bool is_logged_in, Event& event) const {
  event.text.append(listener.where);
  if (is_logged_in) event.text.append(listener.who);
  event.text.push_back('}');
}

void ListeningSource::Count(const Event& event, bool is_repeat) {
  ++rows_[event.stream][event.time_ms / kMillisPerHour];
  if (event.stream == kListen && !is_repeat) ++listens_[DayOf(event.time_ms)];
}

std::vector<PartitionCount> ListeningSource::Partitions(size_t stream) const {
  std::vector<PartitionCount> partitions;
  for (const auto& [hour, rows] : rows_[stream]) {
    const std::string date = DateText(hour / 24);
    std::string hour_text = date + "-";
    AppendPadded(hour % 24, 2, hour_text);
    partitions.push_back({.key = {{"date", date}, {"hour", std::move(hour_text)}}, .good = rows});
  }
  return partitions;
}

std::vector<Answer> ListeningSource::Answers() const {
  Answer answer{"listens_per_day", {"date", "listens"}, {}};
  for (const auto& [day, listens] : listens_) answer.rows.push_back({DateText(day), listens});
  return {std::move(answer)};
}

}  // namespace

std::unique_ptr<EventSource> MakeListeningSource(const SimOptions& options) {
  return std::make_unique<ListeningSource>(options);
}

}  // namespace playhead::sim
