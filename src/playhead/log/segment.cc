#include "playhead/log/segment.h"

#include "playhead/base/hash.h"

#include <filesystem>

namespace playhead::log {
namespace {

// Cost of a row besides its blob, for the size at which a segment is closed.
constexpr int64_t kRowBytes = 64;

// Only a checkpoint that truncates waits for anybody: for a reader in the middle of a row.
const sqlite::DatabaseOptions kWriterOptions = {
    .busy_timeout_ms = 500, .wal_autocheckpoint_pages = 0, .page_bytes = SegmentWriter::kPageBytes};

Status CreateEntryTable(sqlite::Database& db, int64_t id) {
  return db.Execute(fmt::format(
      "create table entry_{} (first_offset integer primary key, count integer not null,"
      " received_at_us integer not null, headers text, lengths blob, bytes blob not null,"
      " checksum integer not null)",
      id));
}

Status AddTopic(sqlite::Database& db, int64_t id, std::string_view topic, int64_t base_offset) {
  PH_ASSIGN_OR_RETURN(sqlite::Statement insert,
                      db.Prepare("insert into topic (id, name, base_offset) values (?, ?, ?)"));
  insert.BindInt(1, id);
  insert.BindText(2, topic);
  insert.BindInt(3, base_offset);
  PH_RETURN_IF_ERROR(insert.Run());
  return CreateEntryTable(db, id);
}

Status CreateSchema(sqlite::Database& db, const SegmentInfo& info,
                    const TopicOffsets& base_offsets) {
  PH_ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::Begin(db));
  PH_RETURN_IF_ERROR(db.Execute(
      "create table segment (log_id text not null, number integer not null,"
      " created_at_us integer not null, format integer not null);"
      "create table topic (id integer primary key, name text not null unique,"
      " base_offset integer not null);"
      "create table receipt (id integer primary key, key text not null, topic text not null,"
      " first_offset integer not null, count integer not null, request_hash text not null,"
      " note text not null);"));
  PH_ASSIGN_OR_RETURN(sqlite::Statement insert,
                      db.Prepare("insert into segment values (?, ?, ?, ?)"));
  insert.BindText(1, info.journal_id);
  insert.BindInt(2, info.number);
  insert.BindInt(3, info.created_at_us);
  insert.BindInt(4, kSegmentFormat);
  PH_RETURN_IF_ERROR(insert.Run());
  int64_t id = 0;
  for (const auto& [topic, base_offset] : base_offsets) {
    PH_RETURN_IF_ERROR(AddTopic(db, ++id, topic, base_offset));
  }
  return transaction.Commit();
}

Result<bool> HasTable(sqlite::Database& db, std::string_view name) {
  PH_ASSIGN_OR_RETURN(sqlite::Statement select,
                      db.Prepare("select 1 from sqlite_schema where type = 'table' and name = ?"));
  select.BindText(1, name);
  return select.Step();
}

}  // namespace

std::string EncodeLengths(std::span<const std::string_view> records) {
  std::string lengths;
  lengths.reserve(records.size() * 2);
  for (const std::string_view record : records) {
    size_t rest = record.size();
    for (; rest >= 0x80; rest >>= 7) lengths += static_cast<char>(0x80 | (rest & 0x7F));
    lengths += static_cast<char>(rest);
  }
  return lengths;
}

bool CutRecords(std::string_view lengths, std::string_view bytes, int64_t count,
                std::vector<std::string_view>& records) {
  records.clear();
  if (lengths.empty()) {
    if (count != 1) return false;
    records.push_back(bytes);
    return true;
  }
  size_t at = 0;
  while (at < lengths.size()) {
    uint64_t length = 0;
    for (int shift = 0;; shift += 7) {
      if (at == lengths.size() || shift > 56) return false;
      const auto byte = static_cast<uint8_t>(lengths[at++]);
      length |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) break;
    }
    if (length > bytes.size()) return false;
    records.push_back(bytes.substr(0, length));
    bytes.remove_prefix(length);
  }
  return bytes.empty() && static_cast<int64_t>(records.size()) == count;
}

int64_t EntryChecksum(std::string_view topic, int64_t first_offset, int64_t count,
                      int64_t received_at_us, std::string_view headers_json,
                      std::string_view lengths, std::string_view bytes) {
  ContentHasher hasher;
  hasher.Update(topic);
  hasher.Update(fmt::format("\n{} {} {} {} {} {}\n", first_offset, count, received_at_us,
                            headers_json.size(), lengths.size(), bytes.size()));
  hasher.Update(headers_json);
  hasher.Update(lengths);
  hasher.Update(bytes);
  return static_cast<int64_t>(hasher.Digest().low);
}

std::string SelectEntries(std::string_view table, int64_t format) {
  return fmt::format(
      "select first_offset, count, received_at_us, headers, lengths, bytes, {} from {}",
      format == 1 ? "null" : "checksum", table);
}

EntryRow ReadEntryRow(const sqlite::Statement& select, std::string_view topic, int64_t format) {
  EntryRow row{.first_offset = select.ColumnInt(0),
               .count = select.ColumnInt(1),
               .received_at_us = select.ColumnInt(2),
               .headers_json = select.ColumnText(3),
               .lengths = select.ColumnBlob(4),
               .bytes = select.ColumnBlob(5)};
  row.is_sound =
      row.first_offset >= 0 && row.count > 0 &&
      (format == 1 ||
       select.ColumnInt(6) == EntryChecksum(topic, row.first_offset, row.count, row.received_at_us,
                                            row.headers_json, row.lengths, row.bytes));
  return row;
}

bool IsDamage(const Status& status) {
  return status.code() == StatusCode::kDataCorrupt || status.code() == StatusCode::kInvalidArgument;
}

Result<SegmentInfo> CheckSegment(sqlite::Database& db, const std::string& journal_id,
                                 int64_t number) {
  const auto corrupt = [&](std::string problem) {
    return Error(StatusCode::kDataCorrupt, "{}: file={}", problem, db.path());
  };
  PH_ASSIGN_OR_RETURN(const bool is_segment, HasTable(db, "segment"));
  if (!is_segment) return corrupt("not a journal segment");
  PH_ASSIGN_OR_RETURN(sqlite::Statement select,
                      db.Prepare("select log_id, number, created_at_us, format from segment"));
  PH_ASSIGN_OR_RETURN(const bool has_row, select.Step());
  if (!has_row) return corrupt("journal segment without identity");
  const SegmentInfo info{.journal_id = std::string(select.ColumnText(0)),
                         .number = select.ColumnInt(1),
                         .created_at_us = select.ColumnInt(2),
                         .format = select.ColumnInt(3)};
  if (info.format > kSegmentFormat || info.format < 1) {
    return Error(StatusCode::kNotSupported,
                 "journal segment of a format this version does not know: format={} file={}",
                 info.format, db.path());
  }
  if (info.journal_id != journal_id) {
    return corrupt(fmt::format("segment of another journal: expected={} found={}", journal_id,
                               info.journal_id));
  }
  if (info.number != number) {
    return corrupt(
        fmt::format("segment under another's name: expected={} found={}", number, info.number));
  }
  return info;
}

Result<TopicOffsets> BaseOffsets(sqlite::Database& db) {
  PH_ASSIGN_OR_RETURN(sqlite::Statement select, db.Prepare("select name, base_offset from topic"));
  TopicOffsets offsets;
  while (true) {
    PH_ASSIGN_OR_RETURN(const bool has_row, select.Step());
    if (!has_row) return offsets;
    offsets.emplace(select.ColumnText(0), select.ColumnInt(1));
  }
}

Result<std::optional<std::string>> EntryTable(sqlite::Database& db, std::string_view topic) {
  PH_ASSIGN_OR_RETURN(sqlite::Statement select, db.Prepare("select id from topic where name = ?"));
  select.BindText(1, topic);
  PH_ASSIGN_OR_RETURN(const bool has_row, select.Step());
  if (!has_row) return std::optional<std::string>();
  return std::optional<std::string>(fmt::format("entry_{}", select.ColumnInt(0)));
}

Result<std::optional<int64_t>> EndOffsetIn(sqlite::Database& db, std::string_view topic,
                                           int64_t format) {
  PH_ASSIGN_OR_RETURN(const std::optional<std::string> table, EntryTable(db, topic));
  if (!table) return std::optional<int64_t>();
  PH_ASSIGN_OR_RETURN(sqlite::Statement last, db.Prepare(SelectEntries(*table, format) +
                                                         " order by first_offset desc limit 1"));
  PH_ASSIGN_OR_RETURN(const bool has_entry, last.Step());
  if (has_entry) {
    const EntryRow row = ReadEntryRow(last, topic, format);
    if (!row.is_sound) {
      return Error(StatusCode::kDataCorrupt,
                   "the segment's last entry is damaged: file={} topic={}", db.path(), topic);
    }
    return std::optional<int64_t>(row.first_offset + row.count);
  }
  PH_ASSIGN_OR_RETURN(const TopicOffsets bases, BaseOffsets(db));
  const auto base = bases.find(topic);
  return base == bases.end() ? std::optional<int64_t>() : std::optional<int64_t>(base->second);
}

Result<std::optional<StoredReceipt>> ReadReceipt(sqlite::Database& db, int64_t receipt_id) {
  PH_ASSIGN_OR_RETURN(sqlite::Statement select,
                      db.Prepare("select key, topic, first_offset, count, request_hash, note"
                                 " from receipt where id = ?"));
  select.BindInt(1, receipt_id);
  PH_ASSIGN_OR_RETURN(const bool has_row, select.Step());
  if (!has_row) return std::optional<StoredReceipt>();
  return std::optional<StoredReceipt>({.key = std::string(select.ColumnText(0)),
                                       .topic = std::string(select.ColumnText(1)),
                                       .first_offset = select.ColumnInt(2),
                                       .count = select.ColumnInt(3),
                                       .request_hash = std::string(select.ColumnText(4)),
                                       .note = std::string(select.ColumnText(5))});
}

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::Create(const std::string& path,
                                                             const SegmentInfo& info,
                                                             const TopicOffsets& base_offsets) {
  // A file that a crash or a full disk left half made has no entries: journal.db does not name it
  // yet.
  PH_RETURN_IF_ERROR(RemoveDatabase(path));
  PH_ASSIGN_OR_RETURN(sqlite::Database db, sqlite::Database::Open(path, kWriterOptions));
  PH_RETURN_IF_ERROR(CreateSchema(db, info, base_offsets));
  std::unique_ptr<SegmentWriter> segment(new SegmentWriter(path, info, std::move(db)));
  PH_RETURN_IF_ERROR(segment->Load());
  return segment;
}

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::Open(const std::string& path,
                                                           const std::string& journal_id,
                                                           int64_t number) {
  sqlite::DatabaseOptions options = kWriterOptions;
  options.create = false;
  PH_ASSIGN_OR_RETURN(sqlite::Database db, sqlite::Database::Open(path, options));
  PH_ASSIGN_OR_RETURN(SegmentInfo info, CheckSegment(db, journal_id, number));
  std::unique_ptr<SegmentWriter> segment(new SegmentWriter(path, std::move(info), std::move(db)));
  PH_RETURN_IF_ERROR(segment->Load());
  return segment;
}

Status SegmentWriter::Load() {
  // Room for a whole group; a page that is spilled early is written to the WAL twice.
  PH_RETURN_IF_ERROR(db_.Execute("pragma cache_size=-32768; pragma cache_spill=off;"));
  PH_ASSIGN_OR_RETURN(insert_receipt_,
                      db_.Prepare("insert into receipt (key, topic, first_offset, count,"
                                  " request_hash, note) values (?, ?, ?, ?, ?, ?) returning id"));
  PH_ASSIGN_OR_RETURN(const TopicOffsets base_offsets, BaseOffsets(db_));
  for (const auto& [topic, base_offset] : base_offsets) {
    PH_ASSIGN_OR_RETURN(const std::optional<int64_t> end, EndOffsetIn(db_, topic, info_.format));
    if (end.value_or(base_offset) > base_offset) has_entries_ = true;
  }
  std::error_code error;
  for (const char* suffix : {"", "-wal"}) {
    const auto size = std::filesystem::file_size(path_ + suffix, error);
    if (!error) bytes_ += static_cast<int64_t>(size);
  }
  return {};
}

Status SegmentWriter::Begin() {
  uncommitted_bytes_ = 0;
  return db_.Execute("BEGIN IMMEDIATE");
}

Status SegmentWriter::Commit() {
  is_unsure_ = true;
  PH_RETURN_IF_ERROR(db_.Execute("COMMIT"));
  is_unsure_ = false;
  bytes_ += uncommitted_bytes_;
  has_entries_ = has_entries_ || uncommitted_bytes_ > 0;
  for (auto& [topic, table] : tables_) table.is_committed = true;
  return {};
}

void SegmentWriter::Rollback() {
  // SQLite may have rolled back already, so its answer says nothing.
  (void)db_.Execute("ROLLBACK").ok();
  std::erase_if(tables_, [](const auto& item) { return !item.second.is_committed; });
}

Result<SegmentWriter::TopicTable*> SegmentWriter::TableOf(std::string_view topic) {
  if (const auto found = tables_.find(topic); found != tables_.end()) return &found->second;
  PH_ASSIGN_OR_RETURN(std::optional<std::string> name, EntryTable(db_, topic));
  if (!name) {
    PH_ASSIGN_OR_RETURN(sqlite::Statement select,
                        db_.Prepare("select coalesce(max(id), 0) + 1 from topic"));
    PH_ASSIGN_OR_RETURN(const bool has_row, select.Step());
    PH_CHECK(has_row);
    const int64_t id = select.ColumnInt(0);
    select.Reset();
    PH_RETURN_IF_ERROR(AddTopic(db_, id, topic, 0));
    name = fmt::format("entry_{}", id);
  }
  TopicTable table;
  PH_ASSIGN_OR_RETURN(table.insert,
                      db_.Prepare(fmt::format(
                          "insert into {} (first_offset, count, received_at_us, headers, lengths,"
                          " bytes, checksum) values (?, ?, ?, ?, ?, ?, ?)",
                          *name)));
  return &tables_.emplace(std::string(topic), std::move(table)).first->second;
}

Status SegmentWriter::AddEntry(const Entry& entry) {
  PH_ASSIGN_OR_RETURN(TopicTable* const table, TableOf(entry.topic));
  std::string lengths;
  std::string_view bytes = entry.records.front();
  if (entry.records.size() > 1) {
    lengths = EncodeLengths(entry.records);
    joined_.clear();
    for (const std::string_view record : entry.records) joined_ += record;
    bytes = joined_;
  }
  sqlite::Statement& insert = table->insert;
  insert.BindInt(1, entry.first_offset);
  insert.BindInt(2, static_cast<int64_t>(entry.records.size()));
  insert.BindInt(3, entry.received_at_us);
  if (entry.headers_json.empty()) {
    insert.BindNull(4);
  } else {
    insert.BindText(4, entry.headers_json);
  }
  if (lengths.empty()) {
    insert.BindNull(5);
  } else {
    insert.BindBlob(5, lengths);
  }
  insert.BindBlob(6, bytes);
  insert.BindInt(
      7, EntryChecksum(entry.topic, entry.first_offset, static_cast<int64_t>(entry.records.size()),
                       entry.received_at_us, entry.headers_json, lengths, bytes));
  const Status status = insert.Run();
  // The bound views end with this call, also after a failure.
  insert.Reset();
  uncommitted_bytes_ += static_cast<int64_t>(bytes.size() + lengths.size()) + kRowBytes;
  return status;
}

Result<int64_t> SegmentWriter::AddReceipt(const StoredReceipt& receipt) {
  insert_receipt_.BindText(1, receipt.key);
  insert_receipt_.BindText(2, receipt.topic);
  insert_receipt_.BindInt(3, receipt.first_offset);
  insert_receipt_.BindInt(4, receipt.count);
  insert_receipt_.BindText(5, receipt.request_hash);
  insert_receipt_.BindText(6, receipt.note);
  const Result<bool> has_row = insert_receipt_.Step();
  const int64_t id = has_row.ok() && *has_row ? insert_receipt_.ColumnInt(0) : 0;
  insert_receipt_.Reset();
  PH_RETURN_IF_ERROR(has_row);
  return id;
}

Status SegmentWriter::TestWrite() {
  return InTransaction(
      [&] { return db_.Execute("update segment set created_at_us = created_at_us"); });
}

}  // namespace playhead::log
