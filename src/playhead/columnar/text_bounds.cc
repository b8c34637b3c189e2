#include "playhead/columnar/text_bounds.h"

#include <parquet/properties.h>
#include <parquet/schema.h>
#include <parquet/statistics.h>

#include <string>

namespace playhead::columnar {

void TextBounds::Widen(std::string_view text, uint64_t prefix) {
  if (is_empty_ || text < min_) {
    min_ = text;
    min_prefix_ = prefix;
  }
  if (is_empty_ || text > max_) {
    max_ = text;
    max_prefix_ = prefix;
  }
  is_empty_ = false;
}

parquet::EncodedStatistics TextBounds::Statistics(
    int64_t count, int64_t value_count, const parquet::WriterProperties& properties,
    const parquet::ColumnDescriptor& descriptor) const {
  parquet::EncodedStatistics statistics;
  if (!is_empty_) {
    statistics.set_min(std::string(min_));
    statistics.set_max(std::string(max_));
    statistics.is_min_value_exact = true;
    statistics.is_max_value_exact = true;
    statistics.ApplyStatSizeLimits(properties.max_statistics_size(descriptor.path()));
  }
  statistics.set_is_signed(false);
  statistics.set_null_count(count - value_count);
  statistics.all_null_value = value_count == 0;
  return statistics;
}

}  // namespace playhead::columnar
