#include "playhead/base/arrow_status.h"
#include "playhead/storage/faulty_store.h"
#include "playhead/storage/local_file.h"
#include "playhead/storage/object_store.h"

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace playhead::storage {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LocalStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "playhead_store_XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { fs::remove_all(root_); }

  std::string Uri(const std::string& name) const { return "file://" + root_ + "/" + name; }

  std::vector<std::string> Names() {
    std::vector<std::string> names;
    auto objects = store_->List("file://" + root_);
    EXPECT_TRUE(objects.ok());
    for (const ObjectInfo& object : *objects) {
      names.push_back(object.uri.substr(("file://" + root_ + "/").size()));
    }
    return names;
  }

  // Every directory entry, hidden ones too.
  std::vector<std::string> FilesOnDisk() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(root_)) {
      if (entry.is_regular_file()) names.push_back(entry.path().filename().string());
    }
    return names;
  }

  std::string root_;
  std::unique_ptr<ObjectStore> store_ = MakeLocalStore();
};

TEST_F(LocalStoreTest, PutMakesParentsAndRefusesATakenName) {
  ASSERT_TRUE(store_->Put(Uri("a/b=%3A/c"), "one").ok());
  EXPECT_EQ(store_->Put(Uri("a/b=%3A/c"), "two").code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(*store_->Get(Uri("a/b=%3A/c")), "one");
  EXPECT_THAT(FilesOnDisk(), ElementsAre("c"));
}

TEST_F(LocalStoreTest, ReplaceOverwrites) {
  ASSERT_TRUE(store_->Replace(Uri("hint"), "1").ok());
  ASSERT_TRUE(store_->Replace(Uri("hint"), "22").ok());
  EXPECT_EQ(*store_->Get(Uri("hint")), "22");
  EXPECT_THAT(FilesOnDisk(), ElementsAre("hint"));
}

TEST_F(LocalStoreTest, StreamIsInvisibleUntilClosed) {
  auto output = store_->OpenForWrite(Uri("s/big"));
  ASSERT_TRUE(output.ok());
  const std::string chunk(700'000, 'x');
  for (int i = 0; i < 20; ++i) ASSERT_TRUE((*output)->Write(chunk.data(), 700'000).ok());
  ASSERT_TRUE((*output)->Write("tail", 4).ok());
  EXPECT_THAT(Names(), IsEmpty());
  EXPECT_EQ(*(*output)->Tell(), 14'000'004);
  ASSERT_TRUE((*output)->Close().ok());
  const auto info = store_->Stat(Uri("s/big"));
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->bytes, 14'000'004);
  EXPECT_EQ(store_->Get(Uri("s/big"))->substr(13'999'998), "xxtail");
  EXPECT_FALSE((*output)->Write("x", 1).ok());
}

TEST_F(LocalStoreTest, DroppedStreamLeavesNothing) {
  {
    auto output = store_->OpenForWrite(Uri("s/half"));
    ASSERT_TRUE(output.ok());
    ASSERT_TRUE((*output)->Write("half", 4).ok());
  }
  EXPECT_THAT(FilesOnDisk(), IsEmpty());
}

// Whoever renamed a file may have been killed before it synced the folders: the names must be
// durable before a commit refers to them.
TEST_F(LocalStoreTest, PublishingAgainSyncsWhatAnotherHadRenamed) {
  ASSERT_TRUE(store_->Put(Uri("t/data/e=x/d=1/f.parquet"), "rows").ok());
  std::set<std::string> synced;
  SetFolderSyncObserver([&](const std::string& folder) { synced.insert(folder); });
  const auto outcome = store_->Publish(Uri("_staging/owner/p/f"), Uri("t/data/e=x/d=1/f.parquet"));
  SetFolderSyncObserver(nullptr);
  EXPECT_EQ(*outcome, PublishOutcome::kAlready);
  EXPECT_THAT(synced, ElementsAre(root_, root_ + "/t", root_ + "/t/data", root_ + "/t/data/e=x",
                                  root_ + "/t/data/e=x/d=1"));
}

TEST_F(LocalStoreTest, DeletingWhatIsNotThereIsFine) {
  EXPECT_TRUE(store_->Delete(Uri("no/such")).ok());
  EXPECT_TRUE(store_->DeleteTree(Uri("no")).ok());
  ASSERT_TRUE(store_->Put(Uri("tree/a/b"), "x").ok());
  EXPECT_TRUE(store_->DeleteTree(Uri("tree")).ok());
  EXPECT_THAT(Names(), IsEmpty());
  EXPECT_EQ(store_->Stat(Uri("tree/a/b")).error().code(), StatusCode::kNotFound);
}

TEST_F(LocalStoreTest, ListsFilesWithoutTempsAndFoldersWithEmptyOnes) {
  ASSERT_TRUE(store_->Put(Uri("l/b/2"), "x").ok());
  ASSERT_TRUE(store_->Put(Uri("l/a"), "x").ok());
  fs::create_directories(root_ + "/l/empty");
  std::ofstream(root_ + "/l/.0-0.tmp") << "torn";
  EXPECT_THAT(Names(), ElementsAre("l/a", "l/b/2"));
  EXPECT_THAT(*store_->ListFolders(Uri("l")), ElementsAre("b", "empty"));
  EXPECT_THAT(*store_->ListFolders(Uri("none")), IsEmpty());
  EXPECT_THAT(*store_->List(Uri("none")), IsEmpty());
}

TEST_F(LocalStoreTest, RefusesUrisOfOthersAndFoldersInTheWay) {
  EXPECT_EQ(store_->Put("s3://bucket/x", "x").code(), StatusCode::kInvalidArgument);
  ASSERT_TRUE(store_->Put(Uri("file"), "x").ok());
  EXPECT_FALSE(store_->Put(Uri("file/below"), "x").ok());
  EXPECT_EQ(*store_->Get(Uri("file")), "x");
}

TEST(LocalFile, FullDiskKeepsItsMeaningThroughArrow) {
  // /dev/full takes no byte.
  const FileDescriptor full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  if (full.get() < 0) GTEST_SKIP() << "no /dev/full";
  const Status status = WriteAll(full.get(), "/dev/full", "x");
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(internal::ToStatus(ToArrow(status)).code(), StatusCode::kResourceExhausted);
}

TEST(StorageUri, Normalizes) {
  EXPECT_EQ(*NormalizeUri("./lake/", "/home/a"), "file:///home/a/lake");
  EXPECT_EQ(*NormalizeUri("../lake", "/home/a"), "file:///home/lake");
  EXPECT_EQ(*NormalizeUri("/data//lake", "/home/a"), "file:///data/lake");
  EXPECT_EQ(*NormalizeUri("file:///data/lake/", "/x"), "file:///data/lake");
  EXPECT_EQ(*NormalizeUri("file:/data/lake", "/x"), "file:///data/lake");
  EXPECT_EQ(NormalizeUri("s3://bucket/lake", "/x").error().code(), StatusCode::kNotSupported);
  EXPECT_EQ(NormalizeUri("", "/x").error().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(NormalizeUri("file://lake", "/x").error().code(), StatusCode::kInvalidArgument);
}

TEST(StorageUri, ThreeSpellingsAreOnePath) {
  EXPECT_EQ(*LocalPath("file:///a/b"), "/a/b");
  EXPECT_EQ(*LocalPath("file:/a/b"), "/a/b");
  EXPECT_EQ(*LocalPath("/a/b"), "/a/b");
  EXPECT_EQ(LocalPath("a/b").error().code(), StatusCode::kInvalidArgument);
}

TEST_F(LocalStoreTest, FaultyStoreFailsTheCallItWasToldTo) {
  FaultyStore faulty(*store_);
  faulty.Set({.at_call = 2, .kind = FaultKind::kFails});
  EXPECT_TRUE(faulty.Put(Uri("1"), "x").ok());
  EXPECT_EQ(faulty.Put(Uri("2"), "x").code(), StatusCode::kUnavailable);
  EXPECT_TRUE(faulty.Put(Uri("3"), "x").ok());
  EXPECT_THAT(Names(), ElementsAre("1", "3"));

  faulty.Set({.at_call = 1, .kind = FaultKind::kAnswerLost});
  EXPECT_FALSE(faulty.Put(Uri("4"), "x").ok());
  EXPECT_TRUE(store_->Stat(Uri("4")).ok());

  faulty.Set({.at_call = 3, .kind = FaultKind::kHalfWritten});
  auto output = faulty.OpenForWrite(Uri("5"));
  ASSERT_TRUE(output.ok());
  EXPECT_TRUE((*output)->Write("abcd", 4).ok());
  EXPECT_FALSE((*output)->Write("efgh", 4).ok());
  EXPECT_EQ(*(*output)->Tell(), 6);
}

}  // namespace
}  // namespace playhead::storage
