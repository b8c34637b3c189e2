#include "playhead/collector/record_headers.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace playhead::collector {
namespace {

using http::HttpRequest;

using Names = std::vector<std::string>;

TEST(RecordHeaders, NamesAreReadWithoutCaseAndBlanks) {
  EXPECT_EQ(*ParseRecordHeaders("User-Agent, x-request-id"), (Names{"user-agent", "x-request-id"}));
  EXPECT_EQ(*ParseRecordHeaders(""), Names());
}

TEST(RecordHeaders, RefusesSecretsAndWhatIsNoName) {
  for (const char* bad : {"Authorization", "x-request-id,cookie", "x-api-key", "a b:c", "a,,b",
                          "user-agent,User-Agent"}) {
    EXPECT_EQ(ParseRecordHeaders(bad).status().code(), StatusCode::kInvalidArgument) << bad;
  }
  std::string many = "h0";
  for (int i = 1; i < 16; ++i) many += ",h" + std::to_string(i);
  EXPECT_TRUE(ParseRecordHeaders(many).ok());
  EXPECT_FALSE(ParseRecordHeaders(many + ",h16").ok());
}

TEST(RecordHeaders, OnlyNamedOnesAreKept) {
  const HttpRequest request{.fields = {{"Authorization", "Bearer s"},
                                       {"USER-AGENT", "player/\"4.2\""},
                                       {"X-Request-Id", "r1"},
                                       {"x-request-id", "r2"}}};
  EXPECT_EQ(RecordHeadersJson(request, {"x-request-id", "user-agent", "referer"}),
            R"({"x-request-id":"r1, r2","user-agent":"player/\"4.2\""})");
  EXPECT_EQ(RecordHeadersJson(request, {"referer"}), "");
  EXPECT_EQ(RecordHeadersJson(request, {}), "");
}

TEST(RecordHeaders, LongValuesAreCutBetweenCharacters) {
  // The 256th byte is the first of a character of two.
  const std::string value = std::string(255, 'a') + "\u00e9" + "b";
  const HttpRequest request{.fields = {{"user-agent", value}}};
  EXPECT_EQ(RecordHeadersJson(request, {"user-agent"}),
            "{\"user-agent\":\"" + std::string(255, 'a') + "\"}");
}

TEST(RecordHeaders, BytesThatAreNoTextAreReplaced) {
  const HttpRequest request{.fields = {{"user-agent", "a\xff"}}};
  EXPECT_EQ(RecordHeadersJson(request, {"user-agent"}), "{\"user-agent\":\"a\xEF\xBF\xBD\"}");
}

}  // namespace
}  // namespace playhead::collector
