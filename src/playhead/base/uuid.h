#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace playhead {

/// A random UUID (version 4) as 36 characters of lower case, from the kernel's entropy.
std::string NewUuid();

/// A random positive 63-bit number, for Iceberg snapshot ids.
int64_t NewSnapshotId();

}  // namespace playhead
