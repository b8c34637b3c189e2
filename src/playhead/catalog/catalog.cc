#include "playhead/catalog/catalog.h"

#include <utility>

namespace playhead::catalog {

std::string_view PlanPhaseName(PlanPhase phase) {
  switch (phase) {
    case PlanPhase::kOpen:
      return "open";
    case PlanPhase::kCommitted:
      return "committed";
    case PlanPhase::kAbandoned:
      return "abandoned";
  }
  return "open";
}

Status CommitAnswer::ToStatus() const {
  switch (kind) {
    case Kind::kCommitted:
      return {};
    case Kind::kRefused:
      return Status(StatusCode::kConflict, refusal->message);
    case Kind::kNotBegun:
      return failure;
    case Kind::kUnknown:
      return Status(StatusCode::kCommitUnknown, failure.message());
  }
  return {};
}

CommitAnswer CommitAnswer::Refused(Refusal::Guard guard, std::string message, std::string plan_id) {
  return {.kind = Kind::kRefused,
          .refusal = Refusal{
              .guard = guard, .message = std::move(message), .plan_id = std::move(plan_id)}};
}

CommitAnswer CommitAnswer::NotBegun(Status failure) {
  return {.kind = Kind::kNotBegun, .failure = std::move(failure)};
}

CommitAnswer CommitAnswer::Unknown(Status failure) {
  return {.kind = Kind::kUnknown, .failure = std::move(failure)};
}

Result<TableState> Catalog::Load(const TableId& id) {
  PH_ASSIGN_OR_RETURN(std::vector<Result<TableState>> tables, LoadMany({id}));
  return std::move(tables.front());
}

}  // namespace playhead::catalog
