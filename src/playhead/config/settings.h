#pragma once

#include "playhead/base/status.h"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::config {

enum class SettingType { kText, kInteger, kBoolean, kChoice };

/// One setting, declared once: the reader of playhead.yml, the PLAYHEAD_* variables, the flags,
/// `playhead config` and docs/reference/settings.md all come from this table.
struct Setting {
  std::string_view key;  ///< `collector.body_bytes_max`
  SettingType type = SettingType::kText;
  std::string_view default_value;  ///< as text; empty text may mean "derived", see `doc`
  int64_t min = 0;                 ///< kInteger
  int64_t max = 0;                 ///< kInteger
  std::string_view unit;           ///< `bytes`, `ms`; empty for none
  std::string_view choices;        ///< kChoice: `debug|info|warn`
  std::string_view doc;            ///< one sentence
  bool is_in_file = true;          ///< may stand in a target of playhead.yml
  bool is_secret = false;          ///< `playhead config` hides it
  Status (*check)(std::string_view value) = nullptr;  ///< what else must hold; `got …, expected …`
};

/// All settings, by key.
std::span<const Setting> AllSettings();
const Setting* FindSetting(std::string_view key);
/// `PLAYHEAD_COLLECTOR_BODY_BYTES_MAX`.
std::string VariableName(std::string_view key);
/// `--collector-body-bytes-max`; few settings have a flag of their own, all have `--set`.
std::string FlagName(std::string_view key);
/// OK, or a failure that says what was given and what was expected.
Status CheckValue(const Setting& setting, std::string_view value);

/// The text of docs/reference/settings.md.
std::string SettingsReference();

enum class Origin { kDefault, kFile, kVariable, kFlag };

/// The value of every setting and where it came from.
class Settings {
 public:
  struct Value {
    std::string text;
    Origin origin = Origin::kDefault;
    std::string place;  ///< `playhead.yml:12`, `PLAYHEAD_LISTEN`, `--listen`, or empty
  };

  /// All defaults.
  Settings();

  void Set(std::string_view key, Value value);
  /// The key must be in the table: anything else is a bug of ours and aborts.
  const std::string& Text(std::string_view key) const;
  int64_t Integer(std::string_view key) const;
  bool Boolean(std::string_view key) const;
  const std::map<std::string, Value, std::less<>>& values() const { return values_; }

 private:
  std::map<std::string, Value, std::less<>> values_;
};

}  // namespace playhead::config
