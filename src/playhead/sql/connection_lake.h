#pragma once

#include "playhead/catalog/catalog.h"
#include "playhead/sql/lake_tables.h"

#include <duckdb.hpp>
#include <duckdb/main/client_context_state.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace playhead::sql {

/// The lake as a connection's statements see it, and why reading it failed. Stored in DuckDB's
/// client context. Threads: any; Move() only between statements.
class ConnectionLake final : public duckdb::ClientContextState {
 public:
  static constexpr char kKey[] = "playhead";
  static duckdb::shared_ptr<ConnectionLake> Of(duckdb::ClientContext& context) {
    auto lake = context.registered_state->Get<ConnectionLake>(kKey);
    if (lake == nullptr) throw duckdb::BinderException("this connection has no lake");
    return lake;
  }

  void Move(std::shared_ptr<const LakeMoment> moment) { moment_ = std::move(moment); }
  const std::shared_ptr<const LakeMoment>& moment() const { return moment_; }

  /// The cause of a failure of which DuckDB's error shows only the surface.
  void NoteFailure(const Status& failure) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = failure;
  }
  std::optional<Status> TakeFailure() {
    const std::lock_guard lock(mutex_);
    return std::exchange(failure_, std::nullopt);
  }

 private:
  std::shared_ptr<const LakeMoment> moment_ = std::make_shared<LakeMoment>();
  std::mutex mutex_;
  std::optional<Status> failure_;
};

}  // namespace playhead::sql
