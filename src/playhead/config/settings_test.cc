#include "playhead/config/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace playhead::config {
namespace {

TEST(Settings, EveryDefaultIsAllowed) {
  for (const Setting& setting : AllSettings()) {
    if (setting.default_value.empty()) continue;
    EXPECT_TRUE(CheckValue(setting, setting.default_value).ok()) << setting.key;
  }
}

TEST(Settings, EverySettingIsASentence) {
  for (const Setting& setting : AllSettings()) {
    EXPECT_TRUE(setting.doc.ends_with('.')) << setting.key;
    EXPECT_FALSE(setting.key.empty());
  }
}

TEST(Settings, VariablesAndFlagsAreNamedAfterKeys) {
  EXPECT_EQ(FlagName("collector.body_bytes_max"), "--collector-body-bytes-max");
  EXPECT_EQ(FlagName("warehouse"), "--warehouse");
  EXPECT_EQ(VariableName("collector.body_bytes_max"), "PLAYHEAD_COLLECTOR_BODY_BYTES_MAX");
  EXPECT_EQ(VariableName("warehouse"), "PLAYHEAD_WAREHOUSE");
}

TEST(Settings, BadValuesSayWhatWasExpected) {
  const Setting* interval = FindSetting("epoch.interval_ms");
  ASSERT_NE(interval, nullptr);
  EXPECT_TRUE(CheckValue(*interval, "10").ok());
  for (const char* bad : {"9", "3600001", "1.5", "10ms", "", "-10", "0x10", " 10"}) {
    EXPECT_EQ(CheckValue(*interval, bad).message(),
              std::string("got '") + bad + "', expected a whole number 10 … 3600000 ms");
  }
  const Setting* level = FindSetting("log_level");
  EXPECT_TRUE(CheckValue(*level, "warn").ok());
  EXPECT_EQ(CheckValue(*level, "verbose").message(),
            "got 'verbose', expected one of debug, info, warn, error, off");
  EXPECT_FALSE(CheckValue(*level, "debug|info").ok());
}

TEST(Settings, HeadersWithSecretsAreRefused) {
  const Setting* headers = FindSetting("collector.record_headers");
  ASSERT_NE(headers, nullptr);
  EXPECT_TRUE(CheckValue(*headers, headers->default_value).ok());
  EXPECT_TRUE(CheckValue(*headers, "").ok());
  EXPECT_EQ(CheckValue(*headers, "user-agent,Cookie").message(),
            "got 'cookie', which carries secrets and is never kept");
}

TEST(Settings, ListenAddressesAreCheckedBeforeTheyAreUsed) {
  const Setting* listen = FindSetting("listen");
  ASSERT_NE(listen, nullptr);
  EXPECT_TRUE(CheckValue(*listen, "localhost:0").ok());
  EXPECT_THAT(CheckValue(*listen, "abc").message(),
              testing::HasSubstr("got 'abc', expected HOST:PORT"));
  EXPECT_THAT(CheckValue(*listen, "0.0.0.0:80").message(),
              testing::HasSubstr("expected a loopback address"));
}

TEST(Settings, UnknownKeysAreNotFound) {
  EXPECT_EQ(FindSetting("epoch.interval"), nullptr);
  EXPECT_EQ(FindSetting(""), nullptr);
}

TEST(Settings, TheReferencePageIsGenerated) {
  const std::string path = PLAYHEAD_SOURCE_DIR "/docs/reference/settings.md";
  if (std::getenv("PLAYHEAD_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << SettingsReference();
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), SettingsReference())
      << "run config_test with PLAYHEAD_UPDATE_GOLDEN=1 and read the difference";
}

}  // namespace
}  // namespace playhead::config
