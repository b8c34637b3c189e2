#include "playhead/iceberg/transforms.h"

#include <gtest/gtest.h>

#include <limits>

namespace playhead::iceberg {
namespace {

PartitionValue Apply(Transform transform, TypeKind source, const PartitionValue& value,
                     int32_t width = 0) {
  const PartitionField field{.transform = transform, .width = width};
  EXPECT_TRUE(CanTransform(field, source));
  return ApplyTransform(field, source, value);
}

// Iceberg spec, "Appendix B: 32-bit Hash Requirements".
TEST(ApplyTransform, HashesAsTheSpecificationSays) {
  constexpr int32_t kWide = std::numeric_limits<int32_t>::max();
  const auto hash = [&](TypeKind source, const PartitionValue& value) {
    return std::get<int32_t>(Apply(Transform::kBucket, source, value, kWide));
  };
  EXPECT_EQ(hash(TypeKind::kInt, int32_t{34}), 2017239379);
  EXPECT_EQ(hash(TypeKind::kLong, int64_t{34}), 2017239379);
  const auto positive = [](int64_t hash) {
    return static_cast<int32_t>((hash & 0x7fffffff) % kWide);
  };
  EXPECT_EQ(hash(TypeKind::kDate, int32_t{17'486}), positive(-653330422));
  EXPECT_EQ(hash(TypeKind::kTime, int64_t{81'068'000'000}), positive(-662762989));
  EXPECT_EQ(hash(TypeKind::kTimestamp, int64_t{1'510'871'468'000'000}), positive(-2047944441));
  EXPECT_EQ(hash(TypeKind::kString, "iceberg"), 1210000089);
  EXPECT_EQ(hash(TypeKind::kBinary, std::string("\0\1\2\3", 4)), positive(-188683207));
}

TEST(ApplyTransform, FloorsTimesBefore1970) {
  const auto micros = [](int64_t value) { return PartitionValue(value); };
  for (const TypeKind kind : {TypeKind::kTimestamp, TypeKind::kTimestamptz}) {
    EXPECT_EQ(Apply(Transform::kYear, kind, micros(-1)), PartitionValue(-1));
    EXPECT_EQ(Apply(Transform::kMonth, kind, micros(-1)), PartitionValue(-1));
    EXPECT_EQ(Apply(Transform::kDay, kind, micros(-1)), PartitionValue(-1));
    EXPECT_EQ(Apply(Transform::kHour, kind, micros(-1)), PartitionValue(-1));
    // 2017-11-16T22:31:08
    EXPECT_EQ(Apply(Transform::kYear, kind, micros(1'510'871'468'000'000)), PartitionValue(47));
    EXPECT_EQ(Apply(Transform::kMonth, kind, micros(1'510'871'468'000'000)), PartitionValue(574));
    EXPECT_EQ(Apply(Transform::kDay, kind, micros(1'510'871'468'000'000)), PartitionValue(17'486));
    EXPECT_EQ(Apply(Transform::kHour, kind, micros(1'510'871'468'000'000)),
              PartitionValue(419'686));
  }
  EXPECT_EQ(Apply(Transform::kMonth, TypeKind::kDate, int32_t{17'486}), PartitionValue(574));
}

TEST(ApplyTransform, TruncatesTowardsMinusInfinityAndByCodePoint) {
  EXPECT_EQ(Apply(Transform::kTruncate, TypeKind::kInt, int32_t{-1}, 10), PartitionValue(-10));
  EXPECT_EQ(Apply(Transform::kTruncate, TypeKind::kInt, int32_t{19}, 10), PartitionValue(10));
  EXPECT_EQ(Apply(Transform::kTruncate, TypeKind::kLong, int64_t{-11}, 10),
            PartitionValue(int64_t{-20}));
  EXPECT_EQ(Apply(Transform::kTruncate, TypeKind::kString, "iceberg", 3), PartitionValue("ice"));
  EXPECT_EQ(Apply(Transform::kTruncate, TypeKind::kString, "äöü", 2), PartitionValue("äö"));
  EXPECT_EQ(Apply(Transform::kTruncate, TypeKind::kString, "ä", 2), PartitionValue("ä"));
  EXPECT_EQ(Apply(Transform::kTruncate, TypeKind::kBinary, "äö", 3), PartitionValue("ä\xC3"));
}

TEST(ApplyTransform, KeepsNullAndMakesVoidNull) {
  const PartitionValue null = std::monostate{};
  for (const Transform transform : {Transform::kIdentity, Transform::kDay, Transform::kBucket}) {
    EXPECT_EQ(Apply(transform, TypeKind::kTimestamp, null, 4), null);
  }
  EXPECT_EQ(Apply(Transform::kVoid, TypeKind::kDouble, 1.5), null);
}

TEST(CanTransform, RefusesWhatHasNoFolder) {
  const auto can = [](Transform transform, TypeKind source) {
    return CanTransform({.transform = transform, .width = 4}, source);
  };
  EXPECT_FALSE(can(Transform::kIdentity, TypeKind::kDouble));
  EXPECT_FALSE(can(Transform::kIdentity, TypeKind::kDecimal));
  EXPECT_FALSE(can(Transform::kBucket, TypeKind::kDecimal));
  EXPECT_FALSE(can(Transform::kHour, TypeKind::kDate));
  EXPECT_FALSE(can(Transform::kTruncate, TypeKind::kDate));
  EXPECT_FALSE(can(Transform::kDay, TypeKind::kString));
}

}  // namespace
}  // namespace playhead::iceberg
