#pragma once

#include "playhead/sim/event_stream.h"

#include <memory>

namespace playhead::sim {

/// Listeners of a music service, project `listening`, in EventSim's fields: streams `auth_events`,
/// `listen_events`, `page_view_events`, `status_change_events`.
///
///     session:  Login page, auth_events (until it succeeds)
///               Home page
///               songs: listen_events and its NextSong page, the next one when it is over; between
///               them
///                      thumbs, playlists, friends, adverts for who does not pay
///               free: now and then Upgrade, Submit Upgrade, status change to paid
///               paid: seldom Downgrade, Submit Downgrade, status change to free
///               Logout page, or just the end; seldom Cancel, status change to Cancelled, never
///               back
///
/// New listeners register all the time (`options.listening`). `itemInSession` counts the pages of
/// a session; a listen and its page share it.
///
/// Size     `users` 0: so many that `events` take a week (or `from_us` to `to_us`).
/// Start    2025-03-03 00:00 UTC unless `from_us` says otherwise.
std::unique_ptr<EventSource> MakeListeningSource(const SimOptions& options);

}  // namespace playhead::sim
