#include "playhead/sim/simulator.h"

#include "playhead/sim/campaigns.h"
#include "playhead/sim/content.h"
#include "playhead/sim/event_stream.h"
#include "playhead/sim/listening.h"
#include "playhead/sim/startup.h"
#include "playhead/sim/streampro.h"

namespace playhead::sim {
namespace {

Status CheckOptions(const SimOptions& options) {
  if (options.events < 0 || options.users < 0) {
    return Error(StatusCode::kInvalidArgument, "negative size: events={} users={}", options.events,
                 options.users);
  }
  if (!(options.faults >= 0 && options.faults <= 1)) {
    return Error(StatusCode::kInvalidArgument, "share of faults outside 0 to 1: faults={}",
                 options.faults);
  }
  if (options.to_us != 0 && options.to_us <= options.from_us) {
    return Error(StatusCode::kInvalidArgument, "end not after start: from_us={} to_us={}",
                 options.from_us, options.to_us);
  }
  return OkStatus();
}

}  // namespace

Result<std::unique_ptr<Simulator>> MakeSimulator(std::string_view project,
                                                 const SimOptions& options) {
  PH_RETURN_IF_ERROR(CheckOptions(options));
  if (project == "campaigns") {
    return MakeEventSimulator("campaigns", MakeCampaignsSource(options), options);
  }
  if (project == "content") {
    return MakeEventSimulator("content", MakeContentSource(options), options);
  }
  if (project == "listening") {
    return MakeEventSimulator("listening", MakeListeningSource(options), options);
  }
  if (project == "streampro") return MakeStreamproSimulator(options);
  if (project == "startup") return MakeStartupSimulator(options);
  return Error(StatusCode::kNotFound,
               "no simulator for the project: project={} "
               "simulated=campaigns, content, listening, startup, streampro",
               project);
}

}  // namespace playhead::sim
