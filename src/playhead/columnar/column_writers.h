#pragma once

#include "playhead/columnar/coded_column.h"
#include "playhead/columnar/column_pages.h"
#include "playhead/columnar/number_column.h"
#include "playhead/columnar/text_column.h"

namespace playhead::columnar {

/// What writes columns into Parquet files, with the memory for it. Files that are written in turn
/// share it, because touching fresh pages costs as much as encoding into them.
/// Threads  one at a time.
struct ColumnWriters {
  explicit ColumnWriters(PageOptions options = {}) : pages(options) {}
  ColumnWriters(const ColumnWriters&) = delete;
  ColumnWriters& operator=(const ColumnWriters&) = delete;

  ColumnPages pages;
  CodedColumnWriter coded{pages};
  TextColumnWriter text{pages};
  NumberColumnWriter numbers{pages};
};

}  // namespace playhead::columnar
