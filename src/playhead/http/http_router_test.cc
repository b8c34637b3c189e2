#include "playhead/http/http_router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace playhead::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

HttpRoute Route(std::string method, std::string pattern) {
  const std::string name = method + " " + pattern;
  return {.method = std::move(method),
          .pattern = std::move(pattern),
          .refuse = [](const HttpRequest&, const auto& arguments) -> std::optional<HttpResponse> {
            if (arguments.empty() || arguments[0] != "no") return std::nullopt;
            return ErrorResponse(403, "refused", "no");
          },
          .handle =
              [name](HttpRequest, const auto& arguments, InFlightShare, const Respond& respond) {
                std::string body = name;
                for (const std::string& argument : arguments) body += " " + argument;
                respond([body] { return HttpResponse{.body = body}; });
              }};
}

class RouterTest : public testing::Test {
 protected:
  HttpResponse Ask(std::string method, std::string path) {
    const HttpRequest request{.method = method, .path = std::move(path), .fields = {}, .body = {}};
    if (auto refusal = router_.Refuse(request)) return *std::move(refusal);
    HttpResponse response;
    router_.Handle(request, InFlightShare(budget_),
                   [&](const MakeResponse& make) { response = make(); });
    return response;
  }

  InFlightBudget budget_{1};
  HttpRouter router_{{Route("GET", "/healthz"), Route("GET", "/a/{x}/c/{y}"),
                      Route("POST", "/a/{x}/c/{y}"), Route("PUT", "/only")}};
};

TEST(PathSegments, AreDecodedOneByOne) {
  EXPECT_THAT(*PathSegments("/v1/events/plays"), ElementsAre("v1", "events", "plays"));
  EXPECT_THAT(*PathSegments("/a/b/"), ElementsAre("a", "b"));
  EXPECT_THAT(*PathSegments("/%61%2Fb/%C3%A9"), ElementsAre("a/b", "\xC3\xA9"));
  EXPECT_THAT(*PathSegments("/a//b"), ElementsAre("a", "", "b"));
  EXPECT_THAT(*PathSegments("/"), ElementsAre());
  for (const char* bad : {"/%", "/a%4", "/%4/a", "/%zz", "/%-1", "/%+1"}) {
    EXPECT_FALSE(PathSegments(bad).has_value()) << bad;
  }
}

TEST_F(RouterTest, FindsRouteByMethodAndPattern) {
  EXPECT_EQ(Ask("GET", "/healthz").body, "GET /healthz");
  EXPECT_EQ(Ask("GET", "/a/1/c/%32/").body, "GET /a/{x}/c/{y} 1 2");
  EXPECT_EQ(Ask("POST", "/a/1%2F/c/2").body, "POST /a/{x}/c/{y} 1/ 2");
  EXPECT_EQ(Ask("POST", "/a/no/c/2").status, 403);
}

TEST_F(RouterTest, SaysWhatThereIs) {
  const HttpResponse unknown = Ask("GET", "/a/1/b/2");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_THAT(unknown.body, HasSubstr("GET /healthz, GET /a/{x}/c/{y}"));
  EXPECT_EQ(Ask("GET", "/%zz").status, 404);
  const HttpResponse wrong_method = Ask("DELETE", "/a/1/c/2");
  EXPECT_EQ(wrong_method.status, 405);
  EXPECT_THAT(wrong_method.fields, ElementsAre(testing::Pair("Allow", "GET, HEAD, POST")));
}

}  // namespace
}  // namespace playhead::http
