#include "playhead/sim/landing_file.h"

#include "playhead/sim/sim_testing.h"

#include <gtest/gtest.h>

namespace playhead::sim {
namespace {

class LandingFileTest : public FolderTest {};

TEST_F(LandingFileTest, HasItsNameOnlyWhenItIsWhole) {
  const std::filesystem::path path = folder_ / "deep" / "users.csv";
  auto file = LandingFile::Create(path.string());
  ASSERT_TRUE(file.ok()) << file.status().ToString();
  file->Write("a,b\n");
  file->Write("1,2\n");
  EXPECT_FALSE(std::filesystem::exists(path));
  ASSERT_TRUE(file->Close().ok());
  EXPECT_EQ(ReadFile(path), "a,b\n1,2\n");
  EXPECT_FALSE(std::filesystem::exists(path.string() + ".tmp"));
}

// Linux's /dev/full answers every write with "no space left on device".
TEST_F(LandingFileTest, AFullDiskIsResourceExhaustedAndTheFileDoesNotAppear) {
  std::filesystem::create_directories(folder_);
  const std::filesystem::path path = folder_ / "users.csv";
  for (const size_t bytes : {size_t{10}, size_t{1} << 20}) {
    std::filesystem::remove(path.string() + ".tmp");
    std::filesystem::create_symlink("/dev/full", path.string() + ".tmp");
    auto file = LandingFile::Create(path.string());
    ASSERT_TRUE(file.ok()) << file.status().ToString();
    file->Write(std::string(bytes, 'x'));
    file->Write("and more");
    EXPECT_EQ(file->Close().code(), StatusCode::kResourceExhausted) << bytes;
    EXPECT_FALSE(std::filesystem::exists(path));
  }
}

}  // namespace
}  // namespace playhead::sim
