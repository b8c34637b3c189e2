#include "playhead/log/kafka_headers.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

namespace playhead::log {
namespace {

class HeadersJsonTest : public testing::Test {
 protected:
  ~HeadersJsonTest() override { rd_kafka_headers_destroy(headers_); }

  void Add(const char* name, std::string_view value) {
    rd_kafka_header_add(headers_, name, -1, value.data(), static_cast<ssize_t>(value.size()));
  }

  rd_kafka_headers_t* headers_ = rd_kafka_headers_new(4);
};

TEST_F(HeadersJsonTest, NoneIsEmpty) { EXPECT_EQ(HeadersJson(*headers_), ""); }

TEST_F(HeadersJsonTest, KeepsTheOrder) {
  Add("b", "1");
  Add("a", "");
  EXPECT_EQ(HeadersJson(*headers_), R"({"b":"1","a":""})");
}

TEST_F(HeadersJsonTest, KeepsNullApartFromEmpty) {
  rd_kafka_header_add(headers_, "n", -1, nullptr, 0);
  EXPECT_EQ(HeadersJson(*headers_), R"({"n":null})");
}

TEST_F(HeadersJsonTest, GathersRepeatedNames) {
  Add("a", "1");
  Add("b", "2");
  Add("a", "3");
  Add("a", "4");
  EXPECT_EQ(HeadersJson(*headers_), R"({"a":["1","3","4"],"b":"2"})");
}

// RFC 4648, section 10: "f", "fo", "foo" are Zg==, Zm8=, Zm9v; here with bytes that are no text.
TEST_F(HeadersJsonTest, WritesBytesAsBase64) {
  Add("1", "\xFF");
  Add("2", "\xFF\xFE");
  Add("3", "\xFF\xFE\xFD");
  EXPECT_EQ(HeadersJson(*headers_),
            R"({"1":{"base64":"/w=="},"2":{"base64":"//4="},"3":{"base64":"//79"}})");
}

TEST_F(HeadersJsonTest, EscapesText) {
  Add("q", "a\"\n\xC3\xA9");
  EXPECT_EQ(HeadersJson(*headers_), "{\"q\":\"a\\\"\\n\xC3\xA9\"}");
}

TEST(HeadersFromJson, IsTheReverse) {
  EXPECT_EQ(HeadersFromJson(""), nullptr);
  const std::string json = R"({"user-agent":"player/\"4\"","x-request-id":""})";
  EXPECT_EQ(HeadersJson(*HeadersFromJson(json)), json);
}

}  // namespace
}  // namespace playhead::log
