#include "playhead/sql/quote.h"

#include <gtest/gtest.h>

namespace playhead::sql {
namespace {

TEST(Quote, DoublesItsOwnQuotesOnly) {
  EXPECT_EQ(QuotedName("a\"b'c"), "\"a\"\"b'c\"");
  EXPECT_EQ(QuotedText("a\"b'c"), "'a\"b''c'");
  EXPECT_EQ(QuotedText(""), "''");
}

}  // namespace
}  // namespace playhead::sql
