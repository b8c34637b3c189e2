#include "playhead/storage/scoped_store.h"

#include <arrow/io/interfaces.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace playhead::storage {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class ScopedStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "playhead_scope_XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    fs::create_directories(folder_ + "/lake");
    fs::create_directories(folder_ + "/other");
    fs::create_directory_symlink(folder_ + "/lake", folder_ + "/link");
    ASSERT_TRUE(plain_->Put(Uri("other/live"), "rows").ok());
    store_ = std::make_unique<ScopedStore>(MakeLocalStore(), Uri("lake"));
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string Uri(const std::string& name) const { return "file://" + folder_ + "/" + name; }

  // What each writing call answers about one URI.
  std::vector<Status> Write(const std::string& uri) {
    const std::vector<NewObject> objects = {{uri, "x"}};
    const std::vector<ObjectMove> to = {{Uri("lake/staged"), uri}};
    const std::vector<ObjectMove> from = {{uri, Uri("lake/final")}};
    return {store_->Put(uri, "x"),
            store_->PutMany(objects),
            store_->Replace(uri, "x"),
            store_->OpenForWrite(uri).status(),
            store_->Publish(Uri("lake/staged"), uri).status(),
            store_->Publish(uri, Uri("lake/final")).status(),
            store_->PublishMany(to).status(),
            store_->PublishMany(from).status(),
            store_->Delete(uri),
            store_->DeleteTree(uri)};
  }

  std::string folder_;
  std::unique_ptr<ObjectStore> plain_ = MakeLocalStore();
  std::unique_ptr<ObjectStore> store_;
};

TEST_F(ScopedStoreTest, RefusesEveryWriteOutsideAndNamesBothPlaces) {
  for (const std::string& uri :
       {Uri("other/live"), Uri("lake2/x"), Uri("lake/../other/live"), Uri("lake"), Uri("link"),
        folder_ + "/other/live", "file:" + folder_ + "/other/live", std::string("s3://lake/x")}) {
    for (const Status& status : Write(uri)) {
      EXPECT_EQ(status.code(), StatusCode::kPermissionDenied) << uri << status.ToString();
      EXPECT_THAT(status.message(), HasSubstr(uri));
      EXPECT_THAT(status.message(), HasSubstr(Uri("lake")));
    }
  }
  EXPECT_EQ(*plain_->Get(Uri("other/live")), "rows");
  EXPECT_FALSE(fs::exists(folder_ + "/lake2"));
}

TEST_F(ScopedStoreTest, ReadsWhatLiesOutside) {
  EXPECT_EQ(*store_->Get(Uri("other/live")), "rows");
  EXPECT_EQ(store_->Stat(Uri("other/live"))->bytes, 4);
  EXPECT_TRUE(store_->OpenForRead(Uri("other/live")).ok());
  EXPECT_EQ(store_->List(Uri("other"))->size(), 1u);
}

TEST_F(ScopedStoreTest, AllSpellingsOfTheWarehouseAreOnePlace) {
  EXPECT_TRUE(store_->Put(Uri("link/a/1"), "x").ok());
  EXPECT_TRUE(store_->Put(folder_ + "/lake/a/2", "x").ok());
  EXPECT_TRUE(store_->Put("file:" + folder_ + "/lake/a/3", "x").ok());
  EXPECT_TRUE(store_->Put(Uri("other/../lake/a/4"), "x").ok());
  ScopedStore through_link(MakeLocalStore(), Uri("link"));
  EXPECT_TRUE(through_link.Put(Uri("lake/a/5"), "x").ok());
  EXPECT_EQ(through_link.Delete(Uri("other/live")).code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(store_->List(Uri("lake/a"))->size(), 5u);
}

TEST(IsBelow, KnowsNamesOfOtherStoresToo) {
  EXPECT_TRUE(IsBelow("s3://bucket/lake/a", "s3://bucket/lake"));
  EXPECT_TRUE(IsBelow("s3://bucket/lake/a", "s3://bucket/lake/"));
  EXPECT_FALSE(IsBelow("s3://bucket/lake2/a", "s3://bucket/lake"));
  EXPECT_FALSE(IsBelow("s3://bucket/lake", "s3://bucket/lake"));
  EXPECT_FALSE(IsBelow("/bucket/lake/a", "s3://bucket/lake"));
  EXPECT_FALSE(IsBelow("lake/a", "/lake"));
}

}  // namespace
}  // namespace playhead::storage
