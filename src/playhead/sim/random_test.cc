#include "playhead/sim/random.h"

#include <gtest/gtest.h>

#include <regex>
#include <set>

namespace playhead::sim {
namespace {

TEST(Random, SameSeedAndPurposeGiveTheSameNumbersOthersDoNot) {
  Random a(7, "people");
  Random b(7, "people");
  Random other_purpose(7, "faults");
  Random other_seed(8, "people");
  int equal_purposes = 0;
  int equal_seeds = 0;
  for (int i = 0; i < 1000; ++i) {
    const uint64_t drawn = a.Next();
    EXPECT_EQ(drawn, b.Next());
    equal_purposes += drawn == other_purpose.Next() ? 1 : 0;
    equal_seeds += drawn == other_seed.Next() ? 1 : 0;
  }
  EXPECT_EQ(equal_purposes, 0);
  EXPECT_EQ(equal_seeds, 0);
}

TEST(Random, BetweenReachesBothEndsAndNothingBeyond) {
  Random random(1, "test");
  std::set<int64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random.Between(-2, 2));
  EXPECT_EQ(seen, (std::set<int64_t>{-2, -1, 0, 1, 2}));
  for (int i = 0; i < 1000; ++i) EXPECT_LT(random.Below(uint64_t{1} << 32), uint64_t{1} << 32);
}

TEST(Random, ExponentialHasItsMeanAndMedian) {
  Random random(1, "test");
  constexpr int kDraws = 200'000;
  constexpr int64_t kMean = 1'000'000;
  double sum = 0;
  int below_median = 0;
  for (int i = 0; i < kDraws; ++i) {
    const int64_t drawn = random.Exponential(kMean);
    EXPECT_GE(drawn, 0);
    sum += static_cast<double>(drawn);
    below_median += drawn < 693'147 ? 1 : 0;  // mean times the logarithm of 2
  }
  // Five standard errors: 1 / sqrt(n) of the mean, 0.5 / sqrt(n) of the share.
  EXPECT_NEAR(sum / kDraws / kMean, 1.0, 0.0112);
  EXPECT_NEAR(static_cast<double>(below_median) / kDraws, 0.5, 0.0056);
}

TEST(WeightedIndex, DrawsInProportionToTheWeights) {
  const std::vector<uint64_t> weights = {5, 0, 1, 94};
  const WeightedIndex index(weights);
  Random random(1, "test");
  std::vector<int> drawn(weights.size());
  for (int i = 0; i < 100'000; ++i) ++drawn[index.Draw(random)];
  EXPECT_EQ(drawn[1], 0);
  EXPECT_NEAR(drawn[0], 5000, 350);
  EXPECT_NEAR(drawn[2], 1000, 160);
  EXPECT_NEAR(drawn[3], 94'000, 380);
}

TEST(ZipfWeights, FallWithTheRank) {
  const std::vector<uint64_t> weights = ZipfWeights(3, 0);
  EXPECT_EQ(weights, (std::vector<uint64_t>{10'000'000, 5'000'000, 3'333'333}));
}

TEST(AppendUuid, IsAVersionFourUuidAndNeverTheSame) {
  Random random(1, "test");
  std::set<std::string> seen;
  const std::regex shape("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  for (int i = 0; i < 200; ++i) {
    std::string uuid;
    AppendUuid(random, uuid);
    EXPECT_TRUE(std::regex_match(uuid, shape)) << uuid;
    EXPECT_TRUE(seen.insert(uuid).second);
  }
}

}  // namespace
}  // namespace playhead::sim
