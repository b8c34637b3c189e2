#include "playhead/storage/faulty_store.h"
#include "playhead/storage/memory_store.h"
#include "playhead/storage/object_store.h"
#include "playhead/storage/scoped_store.h"

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace playhead::storage {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

enum class Kind { kLocal, kFaulty, kScoped, kMemory };

std::string KindName(const testing::TestParamInfo<Kind>& info) {
  switch (info.param) {
    case Kind::kLocal:
      return "Local";
    case Kind::kFaulty:
      return "Faulty";
    case Kind::kScoped:
      return "Scoped";
    case Kind::kMemory:
      return "Memory";
  }
  return "";
}

/// What every store promises. What only one of them can promise (temp files, folders in the way) is
/// in that store's own test.
class StoreContract : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    if (GetParam() == Kind::kMemory) {
      store_ = std::make_unique<MemoryStore>();
      root_ = "memory://lake";
      return;
    }
    std::string pattern = (fs::temp_directory_path() / "playhead_contract_XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    root_ = "file://" + folder_;
    store_ = MakeLocalStore();
    if (GetParam() == Kind::kLocal) return;
    if (GetParam() == Kind::kScoped) {
      store_ = std::make_unique<ScopedStore>(std::move(store_), root_);
      return;
    }
    behind_ = std::move(store_);
    store_ = std::make_unique<FaultyStore>(*behind_);
  }
  void TearDown() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }

  std::string Uri(const std::string& name) const { return root_ + "/" + name; }

  std::vector<std::string> Names(const std::string& folder = "") {
    const std::string uri = folder.empty() ? root_ : Uri(folder);
    const auto objects = store_->List(uri);
    EXPECT_TRUE(objects.ok());
    std::vector<std::string> names;
    for (const ObjectInfo& object : *objects) names.push_back(object.uri.substr(root_.size() + 1));
    return names;
  }

  void Write(const std::string& name, std::string_view contents) {
    auto output = store_->OpenForWrite(Uri(name));
    ASSERT_TRUE(output.ok());
    ASSERT_TRUE((*output)->Write(contents.data(), static_cast<int64_t>(contents.size())).ok());
    ASSERT_TRUE((*output)->Close().ok());
  }

  std::string folder_;
  std::string root_;
  std::unique_ptr<ObjectStore> behind_;
  std::unique_ptr<ObjectStore> store_;
};

INSTANTIATE_TEST_SUITE_P(Stores, StoreContract,
                         testing::Values(Kind::kLocal, Kind::kFaulty, Kind::kScoped, Kind::kMemory),
                         KindName);

TEST_P(StoreContract, PutMakesParentsAndRefusesATakenName) {
  ASSERT_TRUE(store_->Put(Uri("a/b=%3A/c"), "one").ok());
  EXPECT_EQ(store_->Put(Uri("a/b=%3A/c"), "two").code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(*store_->Get(Uri("a/b=%3A/c")), "one");
}

TEST_P(StoreContract, PutManyStopsAtATakenNameAndKeepsWhatCameBefore) {
  ASSERT_TRUE(store_->Put(Uri("m/2"), "old").ok());
  const std::vector<NewObject> objects = {{Uri("m/1"), "x"}, {Uri("m/2"), "y"}, {Uri("m/3"), "z"}};
  EXPECT_EQ(store_->PutMany(objects).code(), StatusCode::kAlreadyExists);
  EXPECT_THAT(Names(), ElementsAre("m/1", "m/2"));
  EXPECT_EQ(*store_->Get(Uri("m/2")), "old");
}

TEST_P(StoreContract, ReplaceOverwrites) {
  ASSERT_TRUE(store_->Replace(Uri("hint"), "1").ok());
  ASSERT_TRUE(store_->Replace(Uri("hint"), "22").ok());
  EXPECT_EQ(*store_->Get(Uri("hint")), "22");
}

TEST_P(StoreContract, StreamIsInvisibleUntilClosedAndThenReplaces) {
  ASSERT_TRUE(store_->Put(Uri("s/big"), "former").ok());
  auto output = store_->OpenForWrite(Uri("s/big"));
  ASSERT_TRUE(output.ok());
  const std::string chunk(700'000, 'x');
  for (int i = 0; i < 3; ++i) ASSERT_TRUE((*output)->Write(chunk.data(), 700'000).ok());
  ASSERT_TRUE((*output)->Write("tail", 4).ok());
  EXPECT_EQ(*(*output)->Tell(), 2'100'004);
  EXPECT_EQ(*store_->Get(Uri("s/big")), "former");
  ASSERT_TRUE((*output)->Close().ok());
  ASSERT_TRUE((*output)->Close().ok());
  EXPECT_EQ(*(*output)->Tell(), 2'100'004);
  EXPECT_EQ(store_->Stat(Uri("s/big"))->bytes, 2'100'004);
  EXPECT_EQ(store_->Get(Uri("s/big"))->substr(2'099'998), "xxtail");
  EXPECT_FALSE((*output)->Write("x", 1).ok());
}

TEST_P(StoreContract, DroppedAndAbortedStreamsLeaveNothing) {
  {
    auto dropped = store_->OpenForWrite(Uri("s/dropped"));
    ASSERT_TRUE(dropped.ok());
    ASSERT_TRUE((*dropped)->Write("half", 4).ok());
  }
  auto aborted = store_->OpenForWrite(Uri("s/aborted"));
  ASSERT_TRUE(aborted.ok());
  ASSERT_TRUE((*aborted)->Write("half", 4).ok());
  ASSERT_TRUE((*aborted)->Abort().ok());
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_P(StoreContract, SealedIsVisibleAndTakesNoMore) {
  auto output = store_->OpenForWrite(Uri("s/1"));
  ASSERT_TRUE(output.ok());
  EXPECT_EQ((*output)->uri(), Uri("s/1"));
  ASSERT_TRUE((*output)->Write("one", 3).ok());
  ASSERT_TRUE((*output)->Seal().ok());
  EXPECT_EQ(*store_->Get(Uri("s/1")), "one");
  EXPECT_TRUE((*output)->closed());
  EXPECT_FALSE((*output)->Write("x", 1).ok());
  EXPECT_TRUE((*output)->Seal().ok());
  const std::vector<std::shared_ptr<OutputObject>> outputs = {*output};
  EXPECT_TRUE(store_->CloseMany(outputs).ok());
}

TEST_P(StoreContract, ClosesSealedOpenAndClosedStreamsTogether) {
  std::vector<std::shared_ptr<OutputObject>> outputs;
  for (const char* name : {"c/1", "c/2", "d/3"}) {
    auto output = store_->OpenForWrite(Uri(name));
    ASSERT_TRUE(output.ok());
    ASSERT_TRUE((*output)->Write(name, 3).ok());
    outputs.push_back(*output);
  }
  ASSERT_TRUE(outputs[0]->Seal().ok());
  ASSERT_TRUE(outputs[1]->Close().ok());
  ASSERT_TRUE(store_->CloseMany(outputs).ok());
  EXPECT_THAT(Names(), ElementsAre("c/1", "c/2", "d/3"));
  EXPECT_EQ(*store_->Get(Uri("d/3")), "d/3");
}

TEST_P(StoreContract, ReadsAnyRangeAlsoOfADeletedObject) {
  Write("r/1", "0123456789");
  auto input = store_->OpenForRead(Uri("r/1"));
  ASSERT_TRUE(input.ok());
  EXPECT_EQ(*(*input)->GetSize(), 10);
  EXPECT_EQ((*(*input)->ReadAt(3, 4))->ToString(), "3456");
  EXPECT_EQ((*(*input)->ReadAt(8, 9))->ToString(), "89");
  ASSERT_TRUE(store_->Delete(Uri("r/1")).ok());
  EXPECT_EQ((*(*input)->ReadAt(0, 2))->ToString(), "01");
  EXPECT_EQ(store_->OpenForRead(Uri("r/1")).status().code(), StatusCode::kNotFound);
}

TEST_P(StoreContract, NamesWhatIsNotThere) {
  ASSERT_TRUE(store_->Put(Uri("folder/object"), "x").ok());
  for (const char* name : {"none", "folder/none", "folder"}) {
    EXPECT_EQ(store_->Stat(Uri(name)).status().code(), StatusCode::kNotFound) << name;
  }
  EXPECT_EQ(store_->Get(Uri("none")).status().code(), StatusCode::kNotFound);
}

TEST_P(StoreContract, PublishMovesOnceAndNeverReplaces) {
  const auto publish = [&] {
    return *store_->Publish(Uri("_staging/p/f"), Uri("t/data/d=1/f.parquet"));
  };
  ASSERT_TRUE(store_->Put(Uri("_staging/p/f"), "rows").ok());
  EXPECT_EQ(publish(), PublishOutcome::kPublished);
  EXPECT_THAT(Names(), ElementsAre("t/data/d=1/f.parquet"));
  EXPECT_EQ(publish(), PublishOutcome::kAlready);

  ASSERT_TRUE(store_->Put(Uri("_staging/p/f"), "other").ok());
  EXPECT_EQ(publish(), PublishOutcome::kAlready);
  EXPECT_EQ(*store_->Get(Uri("t/data/d=1/f.parquet")), "rows");
  EXPECT_EQ(*store_->Get(Uri("_staging/p/f")), "other");
}

TEST_P(StoreContract, PublishManySaysOfEachFileWhatItFound) {
  ASSERT_TRUE(store_->Put(Uri("st/a"), "a").ok());
  ASSERT_TRUE(store_->Put(Uri("d/c"), "c").ok());
  ASSERT_TRUE(store_->Put(Uri("st/d"), "d").ok());
  const std::vector<ObjectMove> moves = {{Uri("st/a"), Uri("d/a")},
                                         {Uri("st/b"), Uri("d/b")},
                                         {Uri("st/c"), Uri("d/c")},
                                         {Uri("st/d"), Uri("d/d")}};
  EXPECT_THAT(*store_->PublishMany(moves),
              ElementsAre(PublishOutcome::kPublished, PublishOutcome::kSourceGone,
                          PublishOutcome::kAlready, PublishOutcome::kPublished));
  EXPECT_THAT(Names(), ElementsAre("d/a", "d/c", "d/d"));
}

TEST_P(StoreContract, DeletesWhatIsThereAndNotTheNeighbours) {
  EXPECT_TRUE(store_->Delete(Uri("no/such")).ok());
  EXPECT_TRUE(store_->DeleteTree(Uri("no")).ok());
  for (const char* name : {"tree/a/b", "tree/c", "tree2/a", "tre"}) {
    ASSERT_TRUE(store_->Put(Uri(name), "x").ok());
  }
  EXPECT_TRUE(store_->DeleteTree(Uri("tree")).ok());
  EXPECT_THAT(Names(), ElementsAre("tre", "tree2/a"));
  EXPECT_TRUE(store_->Delete(Uri("tre")).ok());
  EXPECT_THAT(Names(), ElementsAre("tree2/a"));
}

TEST_P(StoreContract, ListsInTheOrderOfTheBytesOfNames) {
  for (const char* name : {"l/b/2", "l/b.c", "l/a", "l/b0", "l/b/d/1", "l2/x"}) {
    ASSERT_TRUE(store_->Put(Uri(name), name).ok());
  }
  EXPECT_THAT(Names("l"), ElementsAre("l/a", "l/b.c", "l/b/2", "l/b/d/1", "l/b0"));
  EXPECT_EQ(store_->List(Uri("l"))->front().bytes, 3);
  EXPECT_THAT(*store_->ListFolders(Uri("l")), ElementsAre("b"));
  EXPECT_THAT(*store_->ListFolders(root_), ElementsAre("l", "l2"));
  EXPECT_THAT(Names("none"), IsEmpty());
  EXPECT_THAT(*store_->ListFolders(Uri("none")), IsEmpty());
}

TEST_P(StoreContract, PagesAreTheListingInPieces) {
  const std::vector<std::string> names = {"l/a", "l/b.c", "l/b/2", "l/b/d/1", "l/b0"};
  for (const std::string& name : names) ASSERT_TRUE(store_->Put(Uri(name), "x").ok());
  ASSERT_TRUE(store_->Put(Uri("l2/x"), "x").ok());
  for (int64_t objects_max = 1; objects_max <= 6; ++objects_max) {
    std::vector<std::string> listed;
    std::string token;
    do {
      const auto page = store_->ListPage(Uri("l"), token, objects_max);
      ASSERT_TRUE(page.ok());
      ASSERT_LE(page->objects.size(), static_cast<size_t>(objects_max));
      for (const ObjectInfo& one : page->objects)
        listed.push_back(one.uri.substr(root_.size() + 1));
      token = page->next_token;
    } while (!token.empty());
    EXPECT_EQ(listed, names) << objects_max;
  }
}

TEST_P(StoreContract, ListingGoesOnBehindWhatIsGone) {
  for (const char* name : {"l/a", "l/b/1", "l/b/2", "l/c"}) {
    ASSERT_TRUE(store_->Put(Uri(name), "x").ok());
  }
  const auto first = store_->ListPage(Uri("l"), "", 2);
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(store_->DeleteTree(Uri("l/b")).ok());
  const auto second = store_->ListPage(Uri("l"), first->next_token, 2);
  ASSERT_TRUE(second.ok());
  ASSERT_EQ(second->objects.size(), 1u);
  EXPECT_EQ(second->objects[0].uri, Uri("l/c"));
  EXPECT_EQ(second->next_token, "");
}

TEST_P(StoreContract, OneOfManyPutsWins) {
  std::vector<int> won(8, 0);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        for (int version = 0; version < 20; ++version) {
          const std::string uri = Uri("race/deep/" + std::to_string(version));
          if (store_->Put(uri, std::to_string(i)).ok()) ++won[static_cast<size_t>(i)];
        }
      });
    }
  }
  int total = 0;
  for (const int count : won) total += count;
  EXPECT_EQ(total, 20);
  EXPECT_EQ(Names("race").size(), 20u);
}

TEST_P(StoreContract, RefusesUrisOfOthers) {
  const std::string uri = "s3://bucket/x";
  const StatusCode refused =
      GetParam() == Kind::kScoped ? StatusCode::kPermissionDenied : StatusCode::kInvalidArgument;
  EXPECT_EQ(store_->Put(uri, "x").code(), refused);
  EXPECT_EQ(store_->OpenForWrite(uri).status().code(), refused);
  EXPECT_EQ(store_->Publish(Uri("x"), uri).status().code(), refused);
  EXPECT_EQ(store_->Get(uri).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(store_->List(uri).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace playhead::storage
