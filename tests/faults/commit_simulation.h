#pragma once

// The commit core in a world where everything goes wrong: several workers with drivers of their
// own, a catalog and a store in memory that fail as a seed says, a clock that nobody waits for.
//
//   repeat: one worker does half a step (facts and decision, or the action), then somebody crashes,
//           sleeps, wakes, rolls a table back, or nothing happens
//   then:   no more faults; everything has to come to its end, and is counted
//
// Between the halves of a step the others go on, so a worker acts on facts of yesterday.

#include "playhead/base/clock.h"
#include "playhead/base/hash.h"
#include "playhead/catalog/faulty_catalog.h"
#include "playhead/catalog/memory_catalog.h"
#include "playhead/iceberg/metadata_json.h"
#include "playhead/iceberg/update.h"
#include "playhead/storage/faulty_store.h"
#include "playhead/storage/memory_store.h"
#include "playhead/table/epoch_commit.h"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace playhead::table::simulation {

/// A mend that is taken out, to show that the simulation finds the fault (docs/reliability.md).
enum class WithoutMend {
  kNone,
  kUnknownCommit,  ///< a commit without an answer is taken for one that did not happen
  kLedgerGuard,    ///< neither claim nor guard keeps a landing file to one plan
  kTakeOver,       ///< a plan that is in the way stays there
  kPlanInNames,    ///< files are named by their offsets alone
};

/// What one seed, or many, came to.
struct Tally {
  int64_t seeds = 0;
  int64_t commits = 0;
  int64_t abandoned = 0;
  int64_t catalog_faults = 0;
  int64_t store_faults = 0;
  int64_t crashes = 0;
  int64_t sleeps = 0;
  int64_t foreign_commits = 0;
  int64_t lost = 0;
  int64_t doubled = 0;
  int64_t missing_files = 0;  ///< live files or manifests that are not there, or not as committed
  int64_t stray_files = 0;    ///< in data/, in no table
  int64_t left_over = 0;      ///< plans and staged files after a restart
  int64_t stuck = 0;          ///< seeds in which the workers did not come to the end
  std::string first_problem;

  bool is_clean() const {
    return lost + doubled + missing_files + stray_files + left_over + stuck == 0;
  }
  void Add(const Tally& other) {
    seeds += other.seeds;
    commits += other.commits;
    abandoned += other.abandoned;
    catalog_faults += other.catalog_faults;
    store_faults += other.store_faults;
    crashes += other.crashes;
    sleeps += other.sleeps;
    foreign_commits += other.foreign_commits;
    lost += other.lost;
    doubled += other.doubled;
    missing_files += other.missing_files;
    stray_files += other.stray_files;
    left_over += other.left_over;
    stuck += other.stuck;
    if (first_problem.empty()) first_problem = other.first_problem;
  }
};

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15 + 1) {}
  uint64_t Next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  int64_t Below(int64_t end) { return static_cast<int64_t>(Next() % static_cast<uint64_t>(end)); }
  bool OneIn(int64_t n) { return Below(n) == 0; }

 private:
  uint64_t state_;
};

class SimulatedClock final : public Clock {
 public:
  int64_t NowMicros() const override { return now_us; }
  int64_t TicksMicros() const override { return now_us; }
  int64_t now_us = 1'767'225'600'000'000;
};

/// Takes mends out at the catalog's door.
class MutatedCatalog final : public catalog::FaultyCatalog {
 public:
  MutatedCatalog(catalog::Catalog& catalog, Judge judge, WithoutMend without)
      : FaultyCatalog(catalog, std::move(judge)), without_(without) {}

  catalog::CommitAnswer Commit(const catalog::CommitRequest& request) override {
    catalog::CommitAnswer answer = FaultyCatalog::Commit(request);
    if (without_ != WithoutMend::kUnknownCommit ||
        answer.kind != catalog::CommitAnswer::Kind::kUnknown) {
      return answer;
    }
    return catalog::CommitAnswer::Refused(catalog::Refusal::Guard::kTableMoved,
                                          "taken for nothing");
  }
  catalog::CommitAnswer InsertPlan(const catalog::PlanRow& plan, int64_t lease_us) override {
    catalog::PlanRow row = plan;
    if (without_ == WithoutMend::kLedgerGuard) {
      std::erase_if(row.claims, [](const auto& claim) { return claim.starts_with("landing"); });
    }
    return FaultyCatalog::InsertPlan(row, lease_us);
  }

 private:
  WithoutMend without_;
};

class Simulation {
 public:
  Simulation(uint64_t seed, WithoutMend without)
      : seed_(seed),
        without_(without),
        random_(seed),
        memory_store_(clock_),
        store_(memory_store_),
        memory_catalog_(memory_store_, clock_),
        catalog_(
            memory_catalog_, [this](catalog::FaultyCatalog::Call call) { return Judge(call); },
            without),
        world_{catalog_, store_, clock_, manifests_},
        rolls_back_(random_.OneIn(4)) {
    for (size_t i = 0; i < workers_.size(); ++i) Restart(workers_[i], i);
  }

  Tally Run() {
    MakeTables();
    is_faulty_ = true;
    const int64_t ticks = 30 + random_.Below(60);
    for (int64_t tick = 0; tick < ticks; ++tick) Tick();
    is_faulty_ = false;
    store_.Set({});
    // With the crash, what was pending happens or does not.
    if (random_.OneIn(2)) CrashAll();
    for (int64_t tick = 0; !IsAtEnd(); ++tick) {
      if (tick == kQuietTicksMax) {
        ++tally_.stuck;
        Problem("the workers do not come to the end: " + Describe());
        break;
      }
      Tick();
    }
    CrashAll();
    Committer last(catalog_, store_, kLake, clock_, "last");
    const auto unfinished = last.Recover();
    if (!unfinished.ok() || !unfinished->empty()) {
      ++tally_.left_over;
      Problem("recovery did not finish");
    }
    Check();
    tally_.seeds = 1;
    return tally_;
  }

 private:
  static constexpr int64_t kQuietTicksMax = 3000;
  static constexpr int64_t kOffsets = 8;
  static constexpr int32_t kPartitions = 2;
  static constexpr int kLandingNames = 2;
  static constexpr const char* kLake = "memory://lake";
  static constexpr int32_t kTopicField = 1;

  struct Worker {
    std::string name;
    std::unique_ptr<PlanDriver> driver;
    std::optional<Action> chosen;
    int64_t sleeps_until_us = 0;
  };

  // --- the world ------------------------------------------------------------------------------

  static catalog::TableId Main() { return {"bronze", "plays"}; }
  static catalog::TableId Dead() { return {"bronze", "plays_dead"}; }

  void MakeTables() {
    const auto field = [](int32_t id, const char* name, iceberg::TypeKind kind) {
      return iceberg::NestedField{
          .id = id,
          .name = name,
          .is_required = true,
          .type = std::make_shared<iceberg::Type>(iceberg::Type{.kind = kind}),
          .doc = ""};
    };
    catalog::CommitRequest request;
    for (const catalog::TableId& id : {Main(), Dead()}) {
      const iceberg::Schema schema{
          .schema_id = 0,
          .fields = {field(kTopicField, "_topic", iceberg::TypeKind::kString),
                     field(2, "_topic_partition", iceberg::TypeKind::kInt),
                     field(3, "_offset", iceberg::TypeKind::kLong)},
          .identifier_field_ids = {}};
      iceberg::TableMetadata metadata =
          iceberg::NewTable(NextUuid(), fmt::format("{}/bronze/{}", kLake, id.name), schema, 3, {},
                            {}, clock_.now_us / 1000);
      const NextMetadata next = MakeNextMetadata(id, "", std::move(metadata), NextUuid());
      (void)memory_store_.Put(next.object.uri, next.object.contents).ok();
      request.moves.push_back(next.move);
    }
    (void)memory_catalog_.Commit(request).committed();
  }

  std::string NextUuid() {
    return fmt::format("{:08x}-{:04x}-4000-8000-{:012x}", static_cast<uint32_t>(seed_),
                       ++uuids_ & 0xFFFF, random_.Next() & 0xFFFFFFFFFFFF);
  }

  catalog::CatalogFault Judge(catalog::FaultyCatalog::Call call) {
    using catalog::CatalogFault;
    if (!is_faulty_ || !random_.OneIn(25)) return CatalogFault::kNone;
    ++tally_.catalog_faults;
    if (call == catalog::FaultyCatalog::Call::kRead) {
      return random_.OneIn(2) ? CatalogFault::kFails : CatalogFault::kStale;
    }
    constexpr std::array kFaults = {CatalogFault::kFails, CatalogFault::kAnswerLost,
                                    CatalogFault::kRequestLost, CatalogFault::kPending};
    return kFaults[static_cast<size_t>(random_.Below(kFaults.size()))];
  }

  void ArmStore() {
    if (!is_faulty_) return;
    if (armed_at_ > 0 && store_.calls() >= armed_at_) ++tally_.store_faults;
    armed_at_ = random_.OneIn(4) ? 1 + random_.Below(6) : 0;
    store_.Set(
        {.at_call = armed_at_,
         .kind = random_.OneIn(2) ? storage::FaultKind::kFails : storage::FaultKind::kAnswerLost,
         .code = random_.OneIn(4) ? StatusCode::kResourceExhausted : StatusCode::kUnavailable});
  }

  void Tick() {
    clock_.now_us += 1'000'000;
    const auto at = static_cast<size_t>(random_.Below(workers_.size()));
    Worker& worker = workers_[at];
    ArmStore();
    if (worker.sleeps_until_us <= clock_.now_us) HalfStep(worker);
    if (!is_faulty_) {
      worker.sleeps_until_us = 0;
      return;
    }
    if (random_.OneIn(40)) {
      ++tally_.crashes;
      Restart(worker, at);
    } else if (random_.OneIn(120)) {
      CrashAll();
    } else if (random_.OneIn(30)) {
      // Longer than its lease, sometimes.
      ++tally_.sleeps;
      worker.sleeps_until_us = clock_.now_us + random_.Below(100) * 1'000'000;
    } else if (random_.OneIn(25)) {
      CommitForeign();
    } else if (random_.OneIn(25)) {
      int& version = versions_[random_.Below(kLandingNames)];
      version = std::min(version + 1, 3);
    }
  }

  void Restart(Worker& worker, size_t at) {
    if (!worker.name.empty()) dead_.insert(worker.name);
    worker = Worker{.name = fmt::format("worker-{}-{}", at, ++incarnations_)};
  }

  void CrashAll() {
    ++tally_.crashes;
    for (size_t i = 0; i < workers_.size(); ++i) Restart(workers_[i], i);
    catalog_.Restart();
  }

  // Somebody who is not ours: a property, or main rolled back to an earlier snapshot.
  void CommitForeign() {
    const bool was_faulty = std::exchange(is_faulty_, false);
    const auto head = catalog_.Load(Main());
    if (head.ok()) {
      iceberg::TableMetadata next = *head->metadata;
      const iceberg::Snapshot* current = next.CurrentSnapshot();
      if (rolls_back_ && current != nullptr && current->parent_snapshot_id &&
          next.FindSnapshot(*current->parent_snapshot_id) != nullptr) {
        next.current_snapshot_id = *current->parent_snapshot_id;
        next.refs["main"].snapshot_id = *next.current_snapshot_id;
      } else {
        next.properties["touched"] = std::to_string(clock_.now_us);
      }
      const NextMetadata file =
          MakeNextMetadata(Main(), head->metadata_location, std::move(next), NextUuid());
      (void)memory_store_.Put(file.object.uri, file.object.contents).ok();
      if (catalog_.Commit({.moves = {file.move}}).committed()) ++tally_.foreign_commits;
    }
    is_faulty_ = was_faulty;
  }

  // --- a worker -------------------------------------------------------------------------------

  void HalfStep(Worker& worker) {
    if (worker.driver == nullptr) {
      StartJob(worker);
      return;
    }
    if (!worker.chosen) {
      Result<Action> next = worker.driver->Next();
      if (next.ok()) {
        worker.chosen = *std::move(next);
      } else {
        last_failure_ = next.error().ToString();
        OnFailure(worker);
      }
      return;
    }
    const Action action = *std::exchange(worker.chosen, std::nullopt);
    const Status status = worker.driver->Do(action);
    if (status.code() == StatusCode::kAlreadyExists) {
      Rescue(worker, worker.driver->in_the_way());
    } else if (!status.ok()) {
      last_failure_ = status.ToString();
      OnFailure(worker);
    } else if (const auto* done = std::get_if<Done>(&action)) {
      if (done->outcome == Done::Outcome::kCommitted) ++tally_.commits;
      if (done->outcome == Done::Outcome::kRefused) ++tally_.abandoned;
      worker.driver.reset();
    }
  }

  // It is tried again, or the stream starts over and leaves the plan as it is.
  void OnFailure(Worker& worker) {
    if (random_.OneIn(3)) worker.driver.reset();
  }

  bool IsDead(const std::string& owner) const { return dead_.contains(owner); }

  void Rescue(Worker& worker, std::string plan_id) {
    worker.driver.reset();
    if (without_ == WithoutMend::kTakeOver) return;
    const auto row = catalog_.FindPlan(plan_id);
    if (row.ok() && row->has_value()) TakeOver(worker, **row);
  }

  void TakeOver(Worker& worker, const catalog::PlanRow& row) {
    if (row.phase != catalog::PlanPhase::kOpen) return;
    const catalog::PlanOwner self{.name = worker.name, .generation = row.owner.generation + 1};
    const bool is_mine = row.owner.name == worker.name;
    if (!catalog_
             .TakeOverPlan(row.plan_id, row.owner, self, kPlanLeaseMicros,
                           is_mine || IsDead(row.owner.name))
             .committed()) {
      return;
    }
    Result<Plan> plan = PlanFromJson(row.plan_id, row.payload);
    if (!plan.ok()) return;
    Mutate(*plan);
    worker.driver = std::make_unique<PlanDriver>(world_, *std::move(plan), self);
  }

  void StartJob(Worker& worker) {
    const int64_t kind = random_.Below(10);
    if (kind == 0 && without_ != WithoutMend::kTakeOver) {
      const auto rows = catalog_.UnfinishedPlans();
      if (rows.ok() && !rows->empty()) TakeOver(worker, rows->front());
    } else if (kind < 4 && !rolls_back_) {
      StartLanding(worker);
    } else {
      StartRange(worker);
    }
  }

  std::optional<std::vector<catalog::TableState>> Heads() {
    auto loaded = catalog_.LoadMany({Main(), Dead()});
    if (!loaded.ok()) return std::nullopt;
    std::vector<catalog::TableState> heads;
    for (auto& table : *loaded) {
      if (!table.ok()) return std::nullopt;
      heads.push_back(*std::move(table));
    }
    return heads;
  }

  void StartRange(Worker& worker) {
    const auto heads = Heads();
    if (!heads) return;
    const auto partition = static_cast<int32_t>(random_.Below(kPartitions));
    const std::optional<int64_t> next = Next(*heads->front().metadata, partition);
    const int64_t begin = next.value_or(0);
    if (begin >= kOffsets) return;
    const int64_t end = std::min(kOffsets, begin + 1 + random_.Below(4));
    Epoch epoch = NewEpoch();
    const std::string stem = fmt::format("plays-p{}-{}-{}", partition, begin, end - 1);
    if (!StageRows(worker, epoch, stem, "plays", partition, begin, end)) return;
    epoch.ranges = {{.partition = {"log/plays", "plays", partition},
                     .range = {begin, end},
                     .counts = {.read = end - begin, .good = end - begin},
                     .accepted_gap_from = {},
                     .is_first = !next}};
    StartPlan(worker, epoch, *heads);
  }

  static std::string LandingName(int64_t number) { return fmt::format("{}.csv", number); }
  std::string LandingHash(int64_t number) { return fmt::format("v{}", versions_[number]); }

  void StartLanding(Worker& worker) {
    const auto heads = Heads();
    if (!heads) return;
    Epoch epoch = NewEpoch();
    const int64_t only = random_.Below(kLandingNames + 1);  // or all of them
    for (int64_t number = 0; number < kLandingNames; ++number) {
      if (only != kLandingNames && only != number) continue;
      if (!StageLanding(worker, epoch, heads->front(), number)) return;
    }
    if (!epoch.landing.empty()) StartPlan(worker, epoch, *heads);
  }

  /// Adds a file to the epoch unless the ledger has it. False when the store failed.
  bool StageLanding(Worker& worker, Epoch& epoch, const catalog::TableState& head, int64_t number) {
    const std::string name = LandingName(number);
    const std::string hash = LandingHash(number);
    const auto ledger = catalog_.LandingFilesNamed(Main(), head.metadata->table_uuid, name);
    if (!ledger.ok()) return false;
    const std::string topic = fmt::format("file:{}#{}", name, hash);
    EpochLanding landing{
        .file = {.table = Main(), .name = name, .content_hash = hash, .topic = topic},
        .known_hash = {},
        .replaced_topics = {}};
    for (const catalog::LandingFile& file : *ledger) {
      if (!file.is_current) continue;
      if (file.content_hash == hash) return true;
      landing.known_hash = file.content_hash;
      landing.replaced_topics = {file.topic};
    }
    if (!StageRows(worker, epoch, name + "-" + hash, topic, 0, 0, kOffsets)) return false;
    epoch.landing.push_back(std::move(landing));
    return true;
  }

  Epoch NewEpoch() { return {.plan_id = NextUuid(), .main = Main(), .dead = Dead()}; }

  // Every fourth is a dead letter; none in a lake whose main table alone is rolled back.
  bool IsDeadLetter(int64_t offset) const { return !rolls_back_ && offset % 4 == 3; }

  bool StageRows(Worker& worker, Epoch& epoch, const std::string& stem, const std::string& topic,
                 int32_t partition, int64_t begin, int64_t end) {
    for (const bool is_dead : {false, true}) {
      std::string rows;
      int64_t count = 0;
      for (int64_t offset = begin; offset < end; ++offset) {
        if (IsDeadLetter(offset) != is_dead) continue;
        rows += fmt::format("{} {} {}\n", topic, partition, offset);
        ++count;
      }
      if (count == 0) continue;
      // Two files of the same rows are not the same bytes.
      rows += std::string(static_cast<size_t>(random_.Below(40)), '\n');
      const char* table = is_dead ? "plays_dead" : "plays";
      StagedFile staged{
          .file = {},
          .staged_uri = fmt::format("{}/{}-{}.staged",
                                    StagingUri(kLake, worker.name, epoch.plan_id), table, stem)};
      staged.file.path =
          fmt::format("{}/bronze/{}/data/{}{}.parquet", kLake, table, stem,
                      without_ == WithoutMend::kPlanInNames ? "" : "-" + epoch.plan_id);
      staged.file.record_count = count;
      staged.file.file_bytes = static_cast<int64_t>(rows.size());
      staged.file.null_value_counts[kTopicField] = 0;
      staged.file.lower_bounds[kTopicField] = topic;
      staged.file.upper_bounds[kTopicField] = topic;
      if (!store_.Put(staged.staged_uri, rows).ok()) return false;
      (is_dead ? epoch.dead_files : epoch.main_files).push_back(std::move(staged));
    }
    return true;
  }

  void StartPlan(Worker& worker, const Epoch& epoch,
                 const std::vector<catalog::TableState>& heads) {
    Result<Plan> plan = MakeEpochPlan(store_, epoch, heads,
                                      StagingUri(kLake, worker.name, epoch.plan_id), clock_.now_us);
    if (!plan.ok()) return;
    Mutate(*plan);
    worker.driver = std::make_unique<PlanDriver>(world_, *std::move(plan),
                                                 catalog::PlanOwner{.name = worker.name});
  }

  void Mutate(Plan& plan) const {
    if (without_ != WithoutMend::kLedgerGuard) return;
    std::erase_if(plan.guards,
                  [](const Guard& guard) { return std::holds_alternative<LedgerIs>(guard); });
  }

  // --- the end --------------------------------------------------------------------------------

  static std::optional<int64_t> Next(const iceberg::TableMetadata& metadata, int32_t partition) {
    const auto progress = ReadPosition(metadata);
    if (!progress.ok()) return std::nullopt;
    return NextOffset(*progress, {"log/plays", "plays", partition});
  }

  std::optional<std::string> CurrentHash(const std::string& name) {
    const auto head = memory_catalog_.Load(Main());
    if (!head.ok()) return std::nullopt;
    const auto rows = memory_catalog_.LandingFilesNamed(Main(), head->metadata->table_uuid, name);
    for (const catalog::LandingFile& file : *rows) {
      if (file.is_current) return file.content_hash;
    }
    return std::nullopt;
  }

  bool IsAtEnd() {
    for (const Worker& worker : workers_) {
      if (worker.driver != nullptr) return false;
    }
    const auto head = memory_catalog_.Load(Main());
    if (!head.ok()) return true;  // Check() counts it
    for (int32_t partition = 0; partition < kPartitions; ++partition) {
      if (Next(*head->metadata, partition).value_or(0) < kOffsets) return false;
    }
    for (int64_t number = 0; number < kLandingNames && !rolls_back_; ++number) {
      if (CurrentHash(LandingName(number)) != LandingHash(number)) return false;
    }
    return true;
  }

  void Problem(const std::string& what) {
    if (tally_.first_problem.empty())
      tally_.first_problem =
          fmt::format("seed {}{}: {}", seed_, rolls_back_ ? " (rolled back)" : "", what);
  }

  // Where everything stands.
  std::string Describe() {
    std::string text = "last failure " + last_failure_;
    const auto head = memory_catalog_.Load(Main());
    for (int32_t partition = 0; head.ok() && partition < kPartitions; ++partition) {
      text += fmt::format("; partition {} at {}", partition,
                          Next(*head->metadata, partition).value_or(0));
    }
    for (int64_t number = 0; number < kLandingNames; ++number) {
      text += fmt::format("; {} is {}, has {}", LandingName(number), LandingHash(number),
                          CurrentHash(LandingName(number)).value_or("none"));
    }
    const auto plans = memory_catalog_.UnfinishedPlans();
    for (const catalog::PlanRow& plan : *plans) {
      text += fmt::format("; plan {} {} of {}", plan.plan_id, PlanPhaseName(plan.phase),
                          plan.owner.name);
    }
    for (const Worker& worker : workers_) {
      text += fmt::format("; {} {}", worker.name,
                          worker.driver == nullptr ? "idle" : worker.driver->plan().id);
    }
    return text;
  }

  void Check() {
    std::map<std::string, int64_t> rows;
    std::set<std::string> live;
    for (const catalog::TableId& id : {Main(), Dead()}) CountTable(id, rows, live);
    for (int32_t partition = 0; partition < kPartitions; ++partition) {
      Expect(rows, "plays", partition);
    }
    for (int64_t number = 0; number < kLandingNames && !rolls_back_; ++number) {
      Expect(rows, fmt::format("file:{}#{}", LandingName(number), LandingHash(number)), 0);
    }
    for (const auto& [row, count] : rows) {
      tally_.doubled += count;
      Problem("a row too many: " + row);
    }
    CheckFolders(live);
  }

  void CountTable(const catalog::TableId& id, std::map<std::string, int64_t>& rows,
                  std::set<std::string>& live) {
    const auto missing = [&](const std::string& what) {
      ++tally_.missing_files;
      Problem("a file is missing: " + what);
    };
    const auto head = memory_catalog_.Load(id);
    if (!head.ok() || !memory_store_.Stat(head->metadata_location).ok()) {
      missing("metadata of " + id.ToString());
      return;
    }
    const auto files = catalog::LiveFiles(memory_store_, *head->metadata);
    if (!files.ok()) {
      missing(files.error().message());
      return;
    }
    for (const catalog::LiveFile& entry : *files) {
      live.insert(entry.file.path);
      const auto contents = memory_store_.Get(entry.file.path);
      if (!contents.ok() || static_cast<int64_t>(contents->size()) != entry.file.file_bytes) {
        missing(entry.file.path);
        continue;
      }
      const char* suffix = id == Dead() ? " dead" : "";
      for (size_t begin = 0; begin < contents->size();) {
        const size_t end = contents->find('\n', begin);
        if (end > begin) ++rows[contents->substr(begin, end - begin) + suffix];
        begin = end + 1;
      }
    }
  }

  // Takes each expected row out of `rows`.
  void Expect(std::map<std::string, int64_t>& rows, const std::string& topic, int32_t partition) {
    for (int64_t offset = 0; offset < kOffsets; ++offset) {
      const std::string row =
          fmt::format("{} {} {}{}", topic, partition, offset, IsDeadLetter(offset) ? " dead" : "");
      const auto found = rows.find(row);
      if (found == rows.end()) {
        ++tally_.lost;
        Problem("a row is lost: " + row);
        continue;
      }
      if (--found->second == 0) rows.erase(found);
    }
  }

  void CheckFolders(const std::set<std::string>& live) {
    const auto data = memory_store_.List(std::string(kLake) + "/bronze");
    for (const storage::ObjectInfo& object : *data) {
      // What a rollback took out of the table is the other program's to remove.
      if (rolls_back_ || object.uri.find("/data/") == std::string::npos) continue;
      if (live.contains(object.uri)) continue;
      ++tally_.stray_files;
      Problem("a stray file: " + object.uri);
    }
    const auto staged = memory_store_.List(std::string(kLake) + "/_staging");
    const auto plans = memory_catalog_.UnfinishedPlans();
    tally_.left_over += static_cast<int64_t>(staged->size() + plans->size());
    if (!staged->empty() || !plans->empty()) Problem("something is left over");
  }

  const uint64_t seed_;
  const WithoutMend without_;
  Random random_;
  SimulatedClock clock_;
  storage::MemoryStore memory_store_;
  storage::FaultyStore store_;
  catalog::MemoryCatalog memory_catalog_;
  MutatedCatalog catalog_;
  catalog::ManifestCache manifests_;
  PlanWorld world_;
  const bool rolls_back_;
  bool is_faulty_ = false;
  int64_t armed_at_ = 0;
  std::string last_failure_;
  int uuids_ = 0;
  int incarnations_ = 0;
  std::array<Worker, 3> workers_;
  std::set<std::string> dead_;
  std::map<int64_t, int> versions_;
  Tally tally_;
};

}  // namespace playhead::table::simulation
