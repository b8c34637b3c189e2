// The journal without HTTP: durable appends by group size and number of appending threads, and
// reading. The limit on paper: every byte goes to the WAL and later to the segment (2 writes), so a
// disk that takes W bytes/s takes at most W / 2 of records; a commit waits for one fsync.

#include "playhead/base/uuid.h"
#include "playhead/log/journal.h"

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace playhead::log {
namespace {

constexpr size_t kRecordBytes = 500;

class TemporaryJournal {
 public:
  explicit TemporaryJournal(JournalOptions options = {})
      : journal_(*Journal::Open(folder_, SystemClock(), options)) {}
  ~TemporaryJournal() {
    journal_.reset();
    std::filesystem::remove_all(folder_);
  }
  Journal& journal() { return *journal_; }
  const std::string& folder() const { return folder_; }

 private:
  const std::string folder_ = (std::filesystem::temp_directory_path() / NewUuid()).string();
  std::unique_ptr<Journal> journal_;
};

std::unique_ptr<TemporaryJournal> shared_journal;

void Append(benchmark::State& state) {
  const auto batch = static_cast<size_t>(state.range(0));
  if (state.thread_index() == 0) shared_journal = std::make_unique<TemporaryJournal>();
  const std::string bytes(batch * kRecordBytes, 'x');
  std::vector<std::string_view> records;
  for (size_t i = 0; i < batch; ++i) {
    records.push_back(std::string_view(bytes).substr(i * kRecordBytes, kRecordBytes));
  }
  for (auto _ : state) {
    const auto receipt = shared_journal->journal().Append({.topic = "events", .records = records});
    if (!receipt.ok()) state.SkipWithError(receipt.status().ToString().c_str());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
  if (state.thread_index() == 0) shared_journal.reset();
}
BENCHMARK(Append)->Arg(1)->Threads(1)->Threads(16)->UseRealTime();
BENCHMARK(Append)->Arg(500)->Threads(1)->Threads(8)->UseRealTime()->MinTime(3);

void Read(benchmark::State& state) {
  constexpr int64_t kBatches = 400;
  constexpr int64_t kBatchRecords = 500;
  TemporaryJournal temporary;
  const std::string bytes(kRecordBytes, 'x');
  const std::vector<std::string_view> records(kBatchRecords, bytes);
  for (int64_t i = 0; i < kBatches; ++i) {
    if (!temporary.journal().Append({.topic = "events", .records = records}).ok()) std::abort();
  }
  auto reader = *OpenJournalReader(temporary.folder(), "events");
  const LogPartition partition = reader->Partitions()->at(0);
  for (auto _ : state) {
    if (!reader->Seek(partition, 0).ok()) std::abort();
    int64_t count = 0;
    while (const LogBatch* batch = *reader->Read(0, 4 << 20)) {
      count += static_cast<int64_t>(batch->records.size());
    }
    if (count != kBatches * kBatchRecords) std::abort();
  }
  state.SetItemsProcessed(state.iterations() * kBatches * kBatchRecords);
}
BENCHMARK(Read)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace playhead::log
