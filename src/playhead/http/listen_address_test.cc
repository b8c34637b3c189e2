#include "playhead/http/listen_address.h"

#include <gtest/gtest.h>

#include <string>

namespace playhead::http {
namespace {

TEST(ListenAddress, LoopbackInEveryFormIsTaken) {
  EXPECT_EQ(ParseListenAddress("127.0.0.1:8090")->ToString(), "127.0.0.1:8090");
  EXPECT_EQ(ParseListenAddress("127.9.9.9:1")->ToString(), "127.9.9.9:1");
  EXPECT_EQ(ParseListenAddress("localhost:0")->ToString(), "127.0.0.1:0");
  EXPECT_EQ(ParseListenAddress("[::1]:65535")->ToString(), "[::1]:65535");
}

TEST(ListenAddress, AnythingElseIsRefused) {
  for (const char* address :
       {"0.0.0.0:8090", "192.168.1.2:8090", "[::]:8090", ":8090", "*:8090", "example.com:80",
        "[::ffff:127.0.0.1]:80", "127.1:80", "localhost.example.com:80", "128.0.0.1:80"}) {
    const auto result = ParseListenAddress(address);
    EXPECT_EQ(result.status().code(), StatusCode::kPermissionDenied) << address;
    EXPECT_NE(result.status().message().find(address), std::string::npos);
  }
}

TEST(ListenAddress, WrongFormIsNamed) {
  for (const char* address :
       {"", "127.0.0.1", "8090", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:80x",
        "::1:8090", "[127.0.0.1]:80", "127.0.0.1: 80"}) {
    EXPECT_EQ(ParseListenAddress(address).status().code(), StatusCode::kInvalidArgument) << address;
  }
}

}  // namespace
}  // namespace playhead::http
