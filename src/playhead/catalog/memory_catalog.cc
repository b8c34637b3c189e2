#include "playhead/catalog/memory_catalog.h"

#include "playhead/base/hash.h"
#include "playhead/iceberg/metadata_json.h"

#include <algorithm>
#include <utility>

namespace playhead::catalog {
namespace {

constexpr int64_t kEndedPlansKeptMicros = 24LL * 3600 * 1'000'000;

using Guard = Refusal::Guard;

bool IsOfTable(const LandingFile& file, const TableId& table, const std::string& table_uuid) {
  return file.table == table && (file.table_uuid == table_uuid || file.table_uuid.empty());
}

CommitAnswer PlanGone(const std::string& plan_id) {
  return CommitAnswer::Refused(Guard::kPlanGone,
                               "the plan is not open any more, or another's: plan=" + plan_id);
}

}  // namespace

Result<std::vector<TableId>> MemoryCatalog::ListTables() {
  const std::lock_guard lock(mutex_);
  std::vector<TableId> tables;
  for (const auto& [id, location] : locations_) tables.push_back(id);
  return tables;
}

Result<std::vector<Result<TableState>>> MemoryCatalog::LoadMany(const std::vector<TableId>& ids) {
  std::vector<std::optional<std::string>> locations;
  {
    const std::lock_guard lock(mutex_);
    for (const TableId& id : ids) {
      const auto found = locations_.find(id);
      locations.push_back(found == locations_.end() ? std::nullopt : std::optional(found->second));
    }
  }
  std::vector<Result<TableState>> tables;
  for (size_t i = 0; i < ids.size(); ++i) {
    tables.push_back(locations[i]
                         ? LoadAt(ids[i], *locations[i])
                         : Result<TableState>(Error(StatusCode::kNotFound, "no such table: name={}",
                                                    ids[i].ToString())));
  }
  return tables;
}

Result<TableState> MemoryCatalog::LoadAt(const TableId& id, const std::string& location) {
  {
    const std::lock_guard lock(mutex_);
    const auto known = metadata_.find(location);
    if (known != metadata_.end()) return TableState{id, location, known->second};
  }
  const Result<std::string> json = store_.Get(location);
  if (!json.ok()) {
    const bool is_gone = json.error().code() == StatusCode::kNotFound;
    return Error(is_gone ? StatusCode::kDataCorrupt : json.error().code(),
                 "cannot read table metadata: table={} location={}: {}", id.ToString(), location,
                 json.error().message());
  }
  PH_ASSIGN_OR_RETURN(iceberg::TableMetadata parsed, iceberg::ParseMetadata(*json));
  TableState state{id, location, std::make_shared<const iceberg::TableMetadata>(std::move(parsed))};
  const std::lock_guard lock(mutex_);
  metadata_[location] = state.metadata;
  return state;
}

Result<std::map<TableId, std::string>> MemoryCatalog::Locations() {
  const std::lock_guard lock(mutex_);
  return locations_;
}

Result<CatalogSnapshot> MemoryCatalog::Snapshot() {
  const std::lock_guard lock(mutex_);
  CatalogSnapshot snapshot{.locations = locations_, .open_plans = {}, .landing_files = ledger_};
  for (const auto& [id, plan] : plans_) {
    if (plan.row.phase != PlanPhase::kOpen) continue;
    snapshot.open_plans.push_back(plan.row);
    snapshot.open_plans.back().payload.clear();
  }
  return snapshot;
}

Result<std::string> MemoryCatalog::Fingerprint() {
  const std::lock_guard lock(mutex_);
  ContentHasher hasher;
  for (const auto& [id, location] : locations_) {
    hasher.Update(id.ToString());
    hasher.Update(location);
  }
  return hasher.Hex();
}

std::optional<CommitAnswer> MemoryCatalog::CheckCommit(const CommitRequest& request) const {
  for (const TableMove& move : request.moves) {
    const auto found = locations_.find(move.id);
    const bool is_there = found != locations_.end();
    if (move.old_location.empty() && is_there) {
      return CommitAnswer::Refused(Guard::kTableExists,
                                   "the table exists already: name=" + move.id.ToString());
    }
    if (!move.old_location.empty() && (!is_there || found->second != move.old_location)) {
      return CommitAnswer::Refused(Guard::kTableMoved,
                                   "the table moved: name=" + move.id.ToString());
    }
  }
  if (request.finish) {
    const auto plan = plans_.find(request.finish->plan_id);
    if (plan == plans_.end() || plan->second.row.phase != PlanPhase::kOpen ||
        plan->second.row.owner != request.finish->owner) {
      return PlanGone(request.finish->plan_id);
    }
  }
  for (const LedgerGuard& guard : request.ledger_guards) {
    const auto current = std::ranges::find_if(ledger_, [&](const LandingFile& file) {
      return IsOfTable(file, guard.table, guard.table_uuid) && file.name == guard.name &&
             file.is_current;
    });
    const std::optional<std::string> known =
        current == ledger_.end() ? std::nullopt : std::optional(current->content_hash);
    if (known != guard.hash) {
      return CommitAnswer::Refused(
          Guard::kLedger, "the landing file was loaded by another commit: name=" + guard.name);
    }
  }
  return std::nullopt;
}

CommitAnswer MemoryCatalog::Commit(const CommitRequest& request) {
  const std::lock_guard lock(mutex_);
  if (auto refused = CheckCommit(request)) return *std::move(refused);
  for (const TableMove& move : request.moves) {
    locations_[move.id] = move.new_location;
    metadata_.erase(move.old_location);
    if (move.new_metadata != nullptr) metadata_[move.new_location] = move.new_metadata;
  }
  if (request.finish) {
    StoredPlan& plan = plans_.at(request.finish->plan_id);
    End(plan, PlanPhase::kCommitted);
    plan.row.snapshot_id = request.finish->snapshot_id;
    if (!request.finish->keeps_payload) plan.row.payload.clear();
  }
  for (const LandingFile& file : request.landing_files) {
    for (LandingFile& other : ledger_) {
      if (IsOfTable(other, file.table, file.table_uuid) && other.name == file.name) {
        other.is_current = false;
      }
    }
    ledger_.push_back(file);
    if (!file.stamp.empty()) {
      seen_[{file.table, file.name}] = {
          .name = file.name, .content_hash = file.content_hash, .stamp = file.stamp};
    }
  }
  for (ExpiredObject object : request.expired) {
    object.id = ++last_expired_id_;
    expired_.push_back({.object = std::move(object), .expired_us = clock_.NowMicros()});
  }
  for (const auto& [key, value] : request.properties) properties_[key] = value;
  return {};
}

CommitAnswer MemoryCatalog::InsertPlan(const PlanRow& plan, int64_t lease_us) {
  const std::lock_guard lock(mutex_);
  std::erase_if(plans_, [&](const auto& entry) {
    const StoredPlan& old = entry.second;
    return old.row.phase != PlanPhase::kOpen && old.row.payload.empty() &&
           old.ended_us < clock_.NowMicros() - kEndedPlansKeptMicros;
  });
  for (const std::string& claim : plan.claims) {
    const auto holder = claims_.find({plan.table, claim});
    if (holder == claims_.end()) continue;
    return CommitAnswer::Refused(
        Guard::kPlanOpen,
        fmt::format("an open plan is in the way: table={} claim={} plan={}", plan.table.ToString(),
                    claim, holder->second),
        holder->second);
  }
  if (plans_.contains(plan.plan_id)) {
    return CommitAnswer::Refused(Guard::kPlanOpen, "the plan is there: plan=" + plan.plan_id,
                                 plan.plan_id);
  }
  for (const std::string& claim : plan.claims) claims_[{plan.table, claim}] = plan.plan_id;
  plans_[plan.plan_id] = {.row = plan, .lease_until_us = clock_.NowMicros() + lease_us};
  return {};
}

MemoryCatalog::StoredPlan* MemoryCatalog::OpenPlan(const std::string& plan_id,
                                                   const PlanOwner& owner) {
  const auto found = plans_.find(plan_id);
  if (found == plans_.end()) return nullptr;
  const PlanRow& row = found->second.row;
  return row.phase == PlanPhase::kOpen && row.owner == owner ? &found->second : nullptr;
}

void MemoryCatalog::End(StoredPlan& plan, PlanPhase phase) {
  plan.row.phase = phase;
  plan.ended_us = clock_.NowMicros();
  std::erase_if(claims_, [&](const auto& entry) { return entry.second == plan.row.plan_id; });
  plan.row.claims.clear();
}

CommitAnswer MemoryCatalog::TakeOverPlan(const std::string& plan_id, const PlanOwner& expected,
                                         const PlanOwner& to, int64_t lease_us,
                                         bool is_owner_dead) {
  const std::lock_guard lock(mutex_);
  StoredPlan* plan = OpenPlan(plan_id, expected);
  if (plan == nullptr || (!is_owner_dead && plan->lease_until_us > clock_.NowMicros())) {
    return PlanGone(plan_id);
  }
  plan->row.owner = to;
  plan->lease_until_us = clock_.NowMicros() + lease_us;
  return {};
}

CommitAnswer MemoryCatalog::AbandonPlan(const std::string& plan_id, const PlanOwner& owner,
                                        const std::string& reason) {
  const std::lock_guard lock(mutex_);
  StoredPlan* plan = OpenPlan(plan_id, owner);
  if (plan == nullptr) return PlanGone(plan_id);
  End(*plan, PlanPhase::kAbandoned);
  plan->row.reason = reason;
  return {};
}

Status MemoryCatalog::ForgetPayload(const std::string& plan_id) {
  const std::lock_guard lock(mutex_);
  const auto found = plans_.find(plan_id);
  if (found != plans_.end() && found->second.row.phase != PlanPhase::kOpen) {
    found->second.row.payload.clear();
  }
  return {};
}

Result<std::vector<PlanRow>> MemoryCatalog::UnfinishedPlans() {
  const std::lock_guard lock(mutex_);
  std::vector<PlanRow> plans;
  for (const auto& [id, plan] : plans_) {
    if (plan.row.phase == PlanPhase::kOpen || !plan.row.payload.empty()) plans.push_back(plan.row);
  }
  std::ranges::sort(plans, {},
                    [](const PlanRow& plan) { return std::tie(plan.created_us, plan.plan_id); });
  return plans;
}

Result<std::optional<PlanRow>> MemoryCatalog::FindPlan(const std::string& plan_id) {
  const std::lock_guard lock(mutex_);
  const auto found = plans_.find(plan_id);
  if (found == plans_.end()) return std::optional<PlanRow>();
  return std::optional(found->second.row);
}

std::vector<LandingFile> MemoryCatalog::Ledger(
    const std::function<bool(const LandingFile&)>& is_wanted) const {
  std::vector<LandingFile> files;
  std::ranges::copy_if(ledger_, std::back_inserter(files), is_wanted);
  std::ranges::stable_sort(files, {}, &LandingFile::name);
  return files;
}

Result<std::vector<LandingFile>> MemoryCatalog::LandingFiles(const TableId& table,
                                                             const std::string& table_uuid,
                                                             bool current_only) {
  const std::lock_guard lock(mutex_);
  return Ledger([&](const LandingFile& file) {
    return IsOfTable(file, table, table_uuid) && (file.is_current || !current_only);
  });
}

Result<std::vector<LandingFile>> MemoryCatalog::LandingFilesNamed(const TableId& table,
                                                                  const std::string& table_uuid,
                                                                  const std::string& name) {
  const std::lock_guard lock(mutex_);
  return Ledger([&](const LandingFile& file) {
    return IsOfTable(file, table, table_uuid) && file.name == name;
  });
}

Result<std::map<std::string, std::string>> MemoryCatalog::SeenFiles(const TableId& table,
                                                                    const std::string& table_uuid) {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::string> stamps;
  for (const LandingFile& file : ledger_) {
    const auto seen = seen_.find({table, file.name});
    if (IsOfTable(file, table, table_uuid) && file.is_current && seen != seen_.end() &&
        seen->second.content_hash == file.content_hash) {
      stamps[file.name] = seen->second.stamp;
    }
  }
  return stamps;
}

Status MemoryCatalog::NoteSeen(const TableId& table, const std::vector<SeenFile>& files) {
  const std::lock_guard lock(mutex_);
  for (const SeenFile& file : files) seen_[{table, file.name}] = file;
  return {};
}

Result<Catalog::Expired> MemoryCatalog::ExpiredObjects(const TableId& table, int64_t age_us,
                                                       int64_t rows_max) {
  const std::lock_guard lock(mutex_);
  Expired expired;
  for (const StoredObject& stored : expired_) {
    if (stored.object.table != table) continue;
    const bool is_due = stored.expired_us <= clock_.NowMicros() - age_us &&
                        static_cast<int64_t>(expired.due.size()) < rows_max;
    if (is_due) {
      expired.due.push_back(stored.object);
    } else if (stored.object.is_manifest_list && !expired.due.empty()) {
      expired.next_list = stored.object;
      break;
    }
  }
  return expired;
}

Status MemoryCatalog::ForgetExpired(const std::vector<ExpiredObject>& objects) {
  const std::lock_guard lock(mutex_);
  std::erase_if(expired_, [&](const StoredObject& stored) {
    return std::ranges::find(objects, stored.object.id, &ExpiredObject::id) != objects.end();
  });
  return {};
}

Result<std::optional<std::string>> MemoryCatalog::GetProperty(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = properties_.find(key);
  if (found == properties_.end()) return std::optional<std::string>();
  return std::optional(found->second);
}

Status MemoryCatalog::SetProperty(const std::string& key, const std::string& value) {
  const std::lock_guard lock(mutex_);
  properties_[key] = value;
  return {};
}

}  // namespace playhead::catalog
