#pragma once

#include "playhead/sim/event_stream.h"

#include <memory>

namespace playhead::sim {

/// Views of advertising banners, project `campaigns`: stream `view_log_events`.
///
/// A view is logged when it ends, so records are in order of endTimestamp and their startTimestamps
/// are not. One in fifty clients is closed before it can tell the end; its view comes when it would
/// have been missed, without endTimestamp. Banners are 1 to 1000, campaigns 10, 20, … 140, popular
/// ones first. Campaigns and networks are as in projects/campaigns/seeds/campaigns.csv.
///
/// Size     `users` means nothing here; views come at the rate by which `events` take a day (or
///          `from_us` to `to_us`), 100 a second without `events`.
/// Start    2025-03-03 00:00 UTC unless `from_us` says otherwise.
std::unique_ptr<EventSource> MakeCampaignsSource(const SimOptions& options);

}  // namespace playhead::sim
