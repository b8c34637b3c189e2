#include "playhead/table/epoch.h"

#include "playhead/base/uuid.h"

#include <unistd.h>

#include <array>

namespace playhead::table {

const std::string& ProcessOwner() {
  static const std::string owner = [] {
    std::array<char, 65> host{};
    if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
    return fmt::format("{}.{}.{}", host.data(), getpid(), NewUuid().substr(0, 8));
  }();
  return owner;
}

std::string StagingUri(std::string_view warehouse_uri, std::string_view owner,
                       std::string_view plan_id) {
  return fmt::format("{}/_staging/{}/{}", warehouse_uri, owner, plan_id);
}

}  // namespace playhead::table
