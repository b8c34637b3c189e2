#include "playhead/ingest/direct_load.h"

#include "playhead/ingest/file_epoch.h"
#include "playhead/ingest/file_input.h"
#include "playhead/ingest/landing_scan.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace playhead::ingest {
namespace {

/// Named by content, so that a repeated load of the same bytes is a no-op whatever the file is
/// called, and different bytes from the same pipe never replace each other.
std::string LedgerName(const std::string& hash) { return "direct/" + hash; }

/// The contents that a stream has loaded.
class KnownContents {
 public:
  explicit KnownContents(std::vector<catalog::LandingFile> ledger) : ledger_(std::move(ledger)) {}

  bool Has(const std::string& hash) const {
    return std::ranges::find(ledger_, LedgerName(hash), &catalog::LandingFile::name) !=
           ledger_.end();
  }
  /// A regular file of the size of none of them cannot be one of them.
  bool MayHave(const std::string& path) const {
    const std::optional<int64_t> bytes = RegularFileBytes(path);
    return bytes &&
           std::ranges::find(ledger_, *bytes, &catalog::LandingFile::bytes) != ledger_.end();
  }

 private:
  std::vector<catalog::LandingFile> ledger_;
};

}  // namespace

Result<bool> LoadDirect(const Lake& lake, const IngestStream& stream, const std::string& path,
                        const std::string& display_name, std::stop_token stop,
                        const LoadProgress& progress) {
  PH_ASSIGN_OR_RETURN(const catalog::TableState table, lake.catalog.Load(stream.main.id));
  PH_ASSIGN_OR_RETURN(std::vector<catalog::LandingFile> ledger,
                      lake.catalog.LandingFiles(stream.main.id, table.metadata->table_uuid, true));
  const KnownContents known(std::move(ledger));
  if (known.MayHave(path)) {
    PH_ASSIGN_OR_RETURN(const std::string hash, HashFile({.path = path, .stop = stop}));
    if (known.Has(hash)) return false;
  }
  PH_ASSIGN_OR_RETURN(FileEpoch epoch, FileEpoch::Open(lake, stream));
  std::string id = epoch.plan_id();
  std::erase(id, '-');
  catalog::LandingFile row{
      .table = stream.main.id,
      .topic = FileTopic(display_name, id),
      .ingestion_date_days = DateInName(display_name).value_or(Today(lake.clock))};
  InputFile file = DescribeFile(display_name, stream.declaration->format);
  file.path = path;
  file.stop = stop;
  ContentHasher hasher;
  PH_RETURN_IF_ERROR(epoch.Stage(file, &row, progress, &hasher));
  row.content_hash = hasher.Hex();
  row.name = LedgerName(row.content_hash);
  row.bytes = hasher.bytes();
  if (known.Has(row.content_hash)) return false;  // what came through a pipe is known only now
  PH_RETURN_IF_ERROR(epoch.Commit(
      {{.file = std::move(row), .known_hash = std::nullopt, .replaced_topics = {}}}, stop));
  return true;
}

}  // namespace playhead::ingest
