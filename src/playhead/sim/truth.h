#pragma once

#include "playhead/sim/simulator.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace playhead::sim {

/// A value of an answer's row.
using Value = std::variant<std::monostate, bool, int64_t, double, std::string>;

/// What a question's SQL returns when the lake holds exactly what was made: same columns, same
/// order of the rows. Doubles agree within 1e-9 of their size, below 1 within 1e-9: engines add in
/// different orders.
struct Answer {
  std::string question;
  std::vector<std::string> columns;
  std::vector<std::vector<Value>> rows;
};

/// Records that a fault made or changed, and what should become of them.
struct FaultCount {
  int64_t good = 0;
  int64_t dead = 0;
};

/// Good rows of one partition of the table.
struct PartitionCount {
  std::vector<std::pair<std::string, std::string>> key;  ///< field and value, in the table's order
  int64_t good = 0;
};

struct FileCount {
  std::string path;  ///< below the landing folder
  int64_t records = 0;
};

/// What was made of one stream or landing table. good + dead = records.
struct StreamTruth {
  int64_t records = 0;
  int64_t good = 0;
  int64_t dead = 0;
  std::map<std::string, FaultCount> faults;     ///< by kind, those that happened
  std::map<std::string, int64_t> dead_reasons;  ///< by the `_reason` the dead letter must carry
  std::vector<PartitionCount> partitions;       ///< in key order
  std::vector<FileCount> files;                 ///< of a landing table
};

struct Truth {
  std::string project;
  SimOptions options;
  std::map<std::string, StreamTruth> streams;
  std::vector<Answer> answers;
};

/// The truth as a JSON object, described in docs/reference/simulate.md.
std::string TruthText(const Truth& truth);

}  // namespace playhead::sim
