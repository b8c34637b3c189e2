// Table metadata from outside: no crash, and what was read is written so that it reads the same.

#include "playhead/iceberg/metadata_json.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using playhead::iceberg::ParseMetadata;
  using playhead::iceberg::SerializeMetadata;
  const auto metadata = ParseMetadata({reinterpret_cast<const char*>(data), size});
  if (!metadata.ok()) return 0;
  const std::string written = SerializeMetadata(*metadata);
  const auto again = ParseMetadata(written);
  if (!again.ok() || SerializeMetadata(*again) != written) std::abort();
  return 0;
}
