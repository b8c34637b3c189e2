#include "playhead/base/uuid.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

namespace playhead {
namespace {

TEST(Uuid, HasTheFormOfVersionFour) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(NewUuid(),
                testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-"
                                      "[0-9a-f]{12}"));
  }
}

TEST(Uuid, DoesNotRepeat) {
  std::set<std::string> uuids;
  std::set<int64_t> snapshot_ids;
  for (int i = 0; i < 1000; ++i) {
    uuids.insert(NewUuid());
    snapshot_ids.insert(NewSnapshotId());
  }
  EXPECT_EQ(uuids.size(), 1000U);
  EXPECT_EQ(snapshot_ids.size(), 1000U);
  EXPECT_GT(*snapshot_ids.begin(), 0);
}

}  // namespace
}  // namespace playhead
