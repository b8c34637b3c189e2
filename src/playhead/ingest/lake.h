#pragma once

#include "playhead/base/clock.h"
#include "playhead/catalog/catalog.h"
#include "playhead/ingest/status_board.h"
#include "playhead/storage/object_store.h"
#include "playhead/table/epoch_commit.h"

#include <cstdint>
#include <stop_token>
#include <string>

namespace playhead::ingest {

/// The things every ingest step works on. All are borrowed and outlive it. Threads: any.
struct Lake {
  catalog::Catalog& catalog;
  storage::ObjectStore& store;
  std::string warehouse_uri;
  const Clock& clock;
  StatusBoard& board;
};

/// When an epoch is closed, whichever comes first, and how reading is bounded.
struct EpochLimits {
  int64_t interval_us = 1'000'000;
  int64_t rows_max = 1'000'000;
  int64_t bytes_max = 256LL << 20;     ///< of files staged
  int64_t read_bytes_max = 8LL << 20;  ///< of one read from the log
};

/// Commits one epoch, waiting out what passes by itself (disk full, store away) with growing
/// pauses; the stream is shown as held meanwhile. Errors: kCancelled (stopped while waiting: the
/// next start's recovery finishes or discards the epoch), kConflict (discarded; start again from
/// the head), others as they are. With `waits_for_room` false a full disk is not waited out
/// (kResourceExhausted); the next start's recovery does the rest.
Result<table::EpochOutcome> CommitPatiently(const Lake& lake, const std::string& stream,
                                            const table::Epoch& epoch, std::stop_token stop,
                                            bool waits_for_room = true);

/// Sleeps, waking at once when stopped. Returns false if stopped.
bool SleepUnlessStopped(std::stop_token stop, int64_t micros);

}  // namespace playhead::ingest
