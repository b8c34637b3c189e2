#include "playhead/log/journal_folder.h"

#include "playhead/base/uuid.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

namespace playhead::log {
namespace {

constexpr int kFormat = 1;
constexpr std::string_view kPrefix = "segment-";
constexpr std::string_view kSuffix = ".db";
constexpr size_t kDigits = 10;

constexpr std::string_view kSelect =
    "select log_id, first_segment, last_segment, format from journal";

Status FileError(std::string_view what, const std::string& path, int error) {
  return Error(
      error == EACCES || error == EROFS ? StatusCode::kPermissionDenied : StatusCode::kUnavailable,
      "{}: path={} error={}", what, path, std::generic_category().message(error));
}

Status Unexpected(const std::string& path, std::string_view what) {
  return Error(StatusCode::kDataCorrupt, "not a journal this version can use: path={} problem={}",
               path, what);
}

}  // namespace

std::string JournalDbPath(const std::string& folder) { return folder + "/journal.db"; }
std::string JournalLockPath(const std::string& folder) { return folder + "/journal.lock"; }
std::string SegmentPath(const std::string& folder, int64_t number) {
  return fmt::format("{}/{}{:010}{}", folder, kPrefix, number, kSuffix);
}

std::optional<int64_t> SegmentNumber(const std::string& file_name) {
  std::string_view digits = file_name;
  if (!digits.starts_with(kPrefix) || !digits.ends_with(kSuffix)) return std::nullopt;
  digits.remove_prefix(kPrefix.size());
  digits.remove_suffix(kSuffix.size());
  if (digits.size() < kDigits) return std::nullopt;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

Status RemoveDatabase(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::error_code error;
    std::filesystem::remove(path + suffix, error);
    if (error) {
      return Error(StatusCode::kUnavailable, "cannot remove file: path={}{} error={}", path, suffix,
                   error.message());
    }
  }
  return {};
}

Status SyncFolder(const std::string& folder) {
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool is_synced = fd >= 0 && fsync(fd) == 0;
  const Status status =
      is_synced ? Status() : FileError("cannot make a folder durable", folder, errno);
  if (fd >= 0) close(fd);
  return status;
}

Status MakeFolder(const std::string& folder) {
  if (std::filesystem::is_directory(folder)) return {};
  const std::string parent = std::filesystem::path(folder).parent_path().string();
  if (!parent.empty()) PH_RETURN_IF_ERROR(MakeFolder(parent));
  if (mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST) {
    return FileError("cannot make a folder", folder, errno);
  }
  return SyncFolder(parent.empty() ? "." : parent);
}

Result<JournalDb> JournalDb::OpenForWriting(const std::string& folder) {
  const std::string path = JournalDbPath(folder);
  PH_ASSIGN_OR_RETURN(sqlite::Database db, sqlite::Database::Open(path));
  {
    PH_ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::Begin(db));
    PH_RETURN_IF_ERROR(db.Execute(
        "create table if not exists journal (log_id text not null, format integer not null,"
        " first_segment integer not null, last_segment integer not null);"
        "create table if not exists topic_bounds (topic text primary key, begin_offset"
        " integer not null default 0, end_offset integer not null default 0)"
        " without rowid;"));
    PH_ASSIGN_OR_RETURN(sqlite::Statement insert,
                        db.Prepare("insert into journal select ?, ?, 1, 0"
                                   " where not exists (select 1 from journal)"));
    const std::string log_id = NewUuid();
    insert.BindText(1, log_id);
    insert.BindInt(2, kFormat);
    PH_RETURN_IF_ERROR(insert.Run());
    PH_RETURN_IF_ERROR(transaction.Commit());
  }
  PH_ASSIGN_OR_RETURN(sqlite::Statement select, db.Prepare(kSelect));
  JournalDb journal(std::move(db), std::move(select));
  PH_RETURN_IF_ERROR(journal.Read());
  return journal;
}

Result<std::optional<JournalDb>> JournalDb::OpenForReading(const std::string& folder) {
  const std::string path = JournalDbPath(folder);
  if (!std::filesystem::exists(path)) return std::optional<JournalDb>();
  PH_ASSIGN_OR_RETURN(sqlite::Database db, sqlite::Database::Open(path, {.read_only = true}));
  {
    PH_ASSIGN_OR_RETURN(
        sqlite::Statement tables,
        db.Prepare("select 1 from sqlite_schema where type = 'table' and name = 'journal'"));
    PH_ASSIGN_OR_RETURN(const bool is_made, tables.Step());
    if (!is_made) return std::optional<JournalDb>();
  }
  PH_ASSIGN_OR_RETURN(sqlite::Statement select, db.Prepare(kSelect));
  std::optional<JournalDb> journal = JournalDb(std::move(db), std::move(select));
  PH_RETURN_IF_ERROR(journal->Read());
  return journal;
}

Result<JournalState> JournalDb::Read() {
  PH_ASSIGN_OR_RETURN(const bool has_row, select_.Step());
  JournalState state;
  int64_t format = kFormat;
  if (has_row) {
    state.journal_id = select_.ColumnText(0);
    state.first_segment = select_.ColumnInt(1);
    state.last_segment = select_.ColumnInt(2);
    format = select_.ColumnInt(3);
  }
  select_.Reset();
  if (!has_row || state.journal_id.empty()) return Unexpected(db_.path(), "it has no identity");
  if (format != kFormat) return Unexpected(db_.path(), "its format is newer");
  return state;
}

Status JournalDb::SetFirstSegment(int64_t number, const TopicOffsets& begins) {
  PH_ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::Begin(db_));
  PH_RETURN_IF_ERROR(db_.Execute(fmt::format("update journal set first_segment = {}", number)));
  PH_RETURN_IF_ERROR(Note("begin_offset", begins));
  return transaction.Commit();
}

Status JournalDb::SetLastSegment(int64_t number) {
  PH_ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::Begin(db_));
  PH_RETURN_IF_ERROR(db_.Execute(fmt::format("update journal set last_segment = {}", number)));
  Status status = transaction.Commit();
  if (status.ok()) return status;
  return Error(StatusCode::kCommitUnknown, "a journal segment may have begun: number={} error={}",
               number, status.message());
}

Result<std::optional<OffsetRange>> JournalDb::NotedBounds(std::string_view topic) {
  if (!select_bounds_) {
    Result<sqlite::Statement> select =
        db_.Prepare("select begin_offset, end_offset from topic_bounds where topic = ?");
    // Journals of older versions have no such table.
    if (!select.ok() && select.status().code() == StatusCode::kInvalidArgument) {
      return std::optional<OffsetRange>();
    }
    PH_RETURN_IF_ERROR(select);
    select_bounds_ = *std::move(select);
  }
  select_bounds_->BindText(1, topic);
  const Result<bool> has_row = select_bounds_->Step();
  std::optional<OffsetRange> bounds;
  if (has_row.ok() && *has_row) {
    bounds = OffsetRange{select_bounds_->ColumnInt(0), select_bounds_->ColumnInt(1)};
  }
  select_bounds_->Reset();
  PH_RETURN_IF_ERROR(has_row);
  return bounds;
}

Result<TopicOffsets> JournalDb::NotedEnds() {
  PH_ASSIGN_OR_RETURN(sqlite::Statement select,
                      db_.Prepare("select topic, end_offset from topic_bounds"));
  TopicOffsets ends;
  while (true) {
    PH_ASSIGN_OR_RETURN(const bool has_row, select.Step());
    if (!has_row) return ends;
    ends.emplace(select.ColumnText(0), select.ColumnInt(1));
  }
}

Status JournalDb::SkipSyncs() { return db_.Execute("pragma synchronous=normal"); }

Status JournalDb::NoteEnds(const TopicOffsets& ends) {
  PH_ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::Begin(db_));
  PH_RETURN_IF_ERROR(Note("end_offset", ends));
  return transaction.Commit();
}

Status JournalDb::Note(const std::string& column, const TopicOffsets& offsets) {
  if (!notes_.contains(column)) {
    PH_ASSIGN_OR_RETURN(notes_[column],
                        db_.Prepare(fmt::format("insert into topic_bounds (topic, {0})"
                                                " values (?, ?) on conflict do update set {0} ="
                                                " max({0}, excluded.{0})",
                                                column)));
  }
  sqlite::Statement& note = notes_[column];
  for (const auto& [topic, offset] : offsets) {
    note.BindText(1, topic);
    note.BindInt(2, offset);
    const Status status = note.Run();
    note.Reset();
    PH_RETURN_IF_ERROR(status);
  }
  return {};
}

}  // namespace playhead::log
