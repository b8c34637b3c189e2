#include "playhead/config/settings.h"

#include "playhead/collector/record_headers.h"
#include "playhead/http/listen_address.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <utility>

namespace playhead::config {
namespace {

constexpr int64_t kKiB = 1024;
constexpr int64_t kMiB = 1024 * kKiB;
constexpr int64_t kGiB = 1024 * kMiB;

Status CheckListenAddress(std::string_view value) {
  return http::ParseListenAddress(value).status();
}

Status CheckRecordHeaders(std::string_view value) {
  return collector::ParseRecordHeaders(value).status();
}

constexpr std::array kSettings = {
    Setting{.key = "catalog",
            .doc = "The SQL catalog, sqlite:PATH; by default catalog.db inside the warehouse."},
    Setting{.key = "collector.body_bytes_max",
            .type = SettingType::kInteger,
            .default_value = "16777216",
            .min = kKiB,
            .max = kGiB,
            .unit = "bytes",
            .doc = "A request body as sent; a larger one is answered 413."},
    Setting{.key = "collector.connections_max",
            .type = SettingType::kInteger,
            .default_value = "512",
            .min = 1,
            .max = 65'536,
            .unit = "connections",
            .doc = "Connections at a time; further ones are answered 503."},
    Setting{.key = "collector.decompressed_bytes_max",
            .type = SettingType::kInteger,
            .default_value = "67108864",
            .min = kKiB,
            .max = 4 * kGiB,
            .unit = "bytes",
            .doc = "A gzip body once unpacked; a larger one is answered 413."},
    Setting{.key = "collector.decompression_ratio_max",
            .type = SettingType::kInteger,
            .default_value = "200",
            .min = 2,
            .max = 100'000,
            .doc = "A gzip body over 1 MiB that grows by more than this factor is answered 413."},
    Setting{.key = "collector.header_bytes_max",
            .type = SettingType::kInteger,
            .default_value = "16384",
            .min = kKiB,
            .max = kMiB,
            .unit = "bytes",
            .doc = "Request line and headers; larger ones are answered 431."},
    Setting{.key = "collector.idle_timeout_ms",
            .type = SettingType::kInteger,
            .default_value = "60000",
            .min = 100,
            .max = 3'600'000,
            .unit = "ms",
            .doc = "A connection without a request is closed after this time."},
    Setting{.key = "collector.in_flight_bytes_max",
            .type = SettingType::kInteger,
            .default_value = "268435456",
            .min = kMiB,
            .max = 64 * kGiB,
            .unit = "bytes",
            .doc = "Bodies in memory, all together; more are answered 429."},
    Setting{.key = "collector.record_headers",
            .default_value = "user-agent,x-request-id",
            .doc = "Request headers kept with the records, for the _headers of dead letters.",
            .check = CheckRecordHeaders},
    Setting{.key = "collector.records_max",
            .type = SettingType::kInteger,
            .default_value = "100000",
            .min = 1,
            .max = 10'000'000,
            .unit = "records",
            .doc = "Records in one body; more are answered 413."},
    Setting{.key = "collector.request_timeout_ms",
            .type = SettingType::kInteger,
            .default_value = "30000",
            .min = 100,
            .max = 3'600'000,
            .unit = "ms",
            .doc = "A request that takes longer to arrive is answered 408."},
    Setting{.key = "collector.stop_timeout_ms",
            .type = SettingType::kInteger,
            .default_value = "10000",
            .min = 0,
            .max = 600'000,
            .unit = "ms",
            .doc = "How long a stop waits for requests in flight."},
    Setting{.key = "collector.threads",
            .type = SettingType::kInteger,
            .default_value = "2",
            .min = 1,
            .max = 256,
            .unit = "threads",
            .doc = "Threads that serve connections."},
    Setting{.key = "epoch.bytes_max",
            .type = SettingType::kInteger,
            .default_value = "268435456",
            .min = kKiB,
            .max = 16 * kGiB,
            .unit = "bytes",
            .doc = "An epoch is committed at this many delivered bytes."},
    Setting{.key = "epoch.interval_ms",
            .type = SettingType::kInteger,
            .default_value = "1000",
            .min = 10,
            .max = 3'600'000,
            .unit = "ms",
            .doc = "An epoch is committed this long after its first record."},
    Setting{.key = "epoch.rows_max",
            .type = SettingType::kInteger,
            .default_value = "1000000",
            .min = 1,
            .max = 100'000'000,
            .unit = "rows",
            .doc = "An epoch is committed at this many rows."},
    Setting{.key = "journal.folder",
            .doc = "Local folder of the journal; by default journal inside the warehouse, required "
                   "when that is not on local disk."},
    Setting{.key = "journal.queue_bytes_max",
            .type = SettingType::kInteger,
            .default_value = "67108864",
            .min = kMiB,
            .max = 4 * kGiB,
            .unit = "bytes",
            .doc = "Bodies waiting to be journaled; more are answered 429."},
    Setting{.key = "journal.retention_hours",
            .type = SettingType::kInteger,
            .default_value = "24",
            .min = 24,
            .max = 24LL * 366,
            .unit = "hours",
            .doc = "Records and idempotency keys stay in the journal at least this long."},
    Setting{.key = "journal.segment_bytes_max",
            .type = SettingType::kInteger,
            .default_value = "268435456",
            .min = kMiB,
            .max = 16 * kGiB,
            .unit = "bytes",
            .doc = "A journal segment is closed at this size."},
    Setting{.key = "landing",
            .doc = "Folder that is searched for landing files; it need not exist."},
    Setting{.key = "landing_poll_ms",
            .type = SettingType::kInteger,
            .default_value = "2000",
            .min = 10,
            .max = 3'600'000,
            .unit = "ms",
            .doc =
                "The landing folder is looked at this often; a new file is seen at once where the "
                "kernel can tell."},
    Setting{.key = "landing_rest_ms",
            .type = SettingType::kInteger,
            .default_value = "1000",
            .min = 0,
            .max = 3'600'000,
            .unit = "ms",
            .doc = "A landing file is taken once it has not changed for this time."},
    Setting{.key = "listen",
            .default_value = "127.0.0.1:8090",
            .doc = "Loopback address and port of the collector.",
            .check = CheckListenAddress},
    Setting{.key = "lock_file",
            .doc = "Local file that keeps a second ingest out; by default ingest.lock inside the "
                   "warehouse, required when that is not on local disk."},
    Setting{.key = "log_level",
            .type = SettingType::kChoice,
            .default_value = "info",
            .choices = "debug|info|warn|error|off",
            .doc = "Lines below this level are not logged."},
    Setting{.key = "project",
            .doc = "Project folder; by default the current folder or its nearest parent with a "
                   "playhead.yml.",
            .is_in_file = false},
    Setting{.key = "sql.memory_bytes_max",
            .type = SettingType::kInteger,
            .default_value = "2147483648",
            .min = 64 * kMiB,
            .max = 1024 * kGiB,
            .unit = "bytes",
            .doc = "Memory of the SQL engine; beyond it sorts and joins spill to disk."},
    Setting{.key = "sql.temp_folder",
            .doc = "Local folder the SQL engine spills to; by default _staging/duckdb inside the "
                   "warehouse, required when that is not on local disk."},
    Setting{.key = "sql.threads",
            .type = SettingType::kInteger,
            .default_value = "0",
            .min = 0,
            .max = 1024,
            .unit = "threads",
            .doc = "Threads of the SQL engine; 0 = one per core."},
    Setting{.key = "target",
            .doc = "Target of playhead.yml; by default its default_target.",
            .is_in_file = false},
    Setting{.key = "vars",
            .doc = "Values of var() in SQL, as a YAML or JSON map; over those of dbt_project.yml.",
            .is_in_file = false},
    Setting{.key = "warehouse", .doc = "Folder or URI that holds the lake."},
};

constexpr bool IsSorted() {
  for (size_t i = 1; i < kSettings.size(); ++i) {
    if (kSettings[i - 1].key >= kSettings[i].key) return false;
  }
  return true;
}
static_assert(IsSorted(), "settings are found by binary search");

bool ParseInteger(std::string_view text, int64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

std::string_view TypeName(SettingType type) {
  switch (type) {
    case SettingType::kText:
      return "text";
    case SettingType::kInteger:
      return "integer";
    case SettingType::kBoolean:
      return "boolean";
    case SettingType::kChoice:
      return "choice";
  }
  return "";
}

std::string DescribeRange(const Setting& setting) {
  switch (setting.type) {
    case SettingType::kText:
      return "";
    case SettingType::kInteger:
      return fmt::format("{} … {}", setting.min, setting.max);
    case SettingType::kBoolean:
      return "true, false";
    case SettingType::kChoice:
      break;
  }
  std::string choices;
  for (char c : setting.choices) choices += c == '|' ? ", " : std::string(1, c);
  return choices;
}

}  // namespace

std::span<const Setting> AllSettings() { return kSettings; }

const Setting* FindSetting(std::string_view key) {
  const auto* found =
      std::lower_bound(kSettings.begin(), kSettings.end(), key,
                       [](const Setting& setting, std::string_view k) { return setting.key < k; });
  return found == kSettings.end() || found->key != key ? nullptr : found;
}

std::string VariableName(std::string_view key) {
  std::string name = "PLAYHEAD_";
  for (char c : key) {
    name += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

std::string FlagName(std::string_view key) {
  std::string name = "--";
  for (const char c : key) name += c == '.' || c == '_' ? '-' : c;
  return name;
}

Status CheckValue(const Setting& setting, std::string_view value) {
  if (setting.check != nullptr) {
    PH_RETURN_IF_ERROR(setting.check(value));
  }
  bool is_good = true;
  switch (setting.type) {
    case SettingType::kText:
      break;
    case SettingType::kInteger: {
      int64_t number = 0;
      is_good = ParseInteger(value, number) && number >= setting.min && number <= setting.max;
      break;
    }
    case SettingType::kBoolean:
      is_good = value == "true" || value == "false";
      break;
    case SettingType::kChoice:
      is_good = !value.empty() && value.find('|') == std::string_view::npos &&
                fmt::format("|{}|", setting.choices).find(fmt::format("|{}|", value)) !=
                    std::string::npos;
      break;
  }
  if (is_good) return OkStatus();
  return Error(StatusCode::kInvalidArgument, "got '{}', expected {} {}{}{}", value,
               setting.type == SettingType::kInteger ? "a whole number" : "one of",
               DescribeRange(setting), setting.unit.empty() ? "" : " ", setting.unit);
}

std::string SettingsReference() {
  std::string text =
      "# Settings\n\n"
      "Generated from `src/playhead/config/settings.cc`; a test compares the two.\n\n"
      "A setting comes from, first wins: its flag (`--listen ADDRESS`, or `--set KEY=VALUE` for\n"
      "any), its variable, the target in `playhead.yml` (`collector.body_bytes_max` is\n"
      "`collector: {body_bytes_max: …}`), its default. `playhead config` prints every value with\n"
      "its origin. Unknown keys and bad values stop the start, all of them listed at once.\n\n"
      "| key | variable | type | default | range | what it says |\n"
      "|---|---|---|---|---|---|\n";
  for (const Setting& setting : kSettings) {
    std::string type(TypeName(setting.type));
    if (!setting.unit.empty()) type += fmt::format(", {}", setting.unit);
    text += fmt::format(
        "| `{}` | `{}` | {} | {} | {} | {}{} |\n", setting.key, VariableName(setting.key), type,
        setting.default_value.empty() ? "" : fmt::format("`{}`", setting.default_value),
        DescribeRange(setting), setting.doc, setting.is_in_file ? "" : " Not in playhead.yml.");
  }
  return text;
}

Settings::Settings() {
  for (const Setting& setting : kSettings) {
    values_.emplace(
        setting.key,
        Value{.text = std::string(setting.default_value), .origin = Origin::kDefault, .place = {}});
  }
}

void Settings::Set(std::string_view key, Value value) {
  auto slot = values_.find(key);
  PH_CHECK(slot != values_.end());
  slot->second = std::move(value);
}

const std::string& Settings::Text(std::string_view key) const {
  auto slot = values_.find(key);
  PH_CHECK(slot != values_.end());
  return slot->second.text;
}

int64_t Settings::Integer(std::string_view key) const {
  int64_t value = 0;
  PH_CHECK(ParseInteger(Text(key), value));
  return value;
}

bool Settings::Boolean(std::string_view key) const { return Text(key) == "true"; }

}  // namespace playhead::config
