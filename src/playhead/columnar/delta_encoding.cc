#include "playhead/columnar/delta_encoding.h"

#include <arrow/buffer.h>
#include <parquet/encoding.h>
#include <parquet/types.h>

namespace playhead::columnar {
namespace {

template <typename Type>
void Append(std::span<const typename Type::c_type> values, std::vector<uint8_t>* out) {
  const auto encoder = parquet::MakeTypedEncoder<Type>(parquet::Encoding::DELTA_BINARY_PACKED);
  encoder->Put(values.data(), static_cast<int>(values.size()));
  const std::shared_ptr<arrow::Buffer> bytes = encoder->FlushValues();
  out->insert(out->end(), bytes->data(), bytes->data() + bytes->size());
}

}  // namespace

void AppendDelta(std::span<const int32_t> values, std::vector<uint8_t>* out) {
  Append<parquet::Int32Type>(values, out);
}

void AppendDelta(std::span<const int64_t> values, std::vector<uint8_t>* out) {
  Append<parquet::Int64Type>(values, out);
}

}  // namespace playhead::columnar
