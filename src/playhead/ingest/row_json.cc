#include "playhead/ingest/row_json.h"

#include "playhead/base/civil_date.h"
#include "playhead/base/json_text.h"
#include "playhead/decode/json_index.h"
#include "playhead/decode/json_text.h"

#include <arrow/api.h>
#include <arrow/util/base64.h>
#include <arrow/util/float16.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace playhead::ingest {
namespace {

using arrow::Array;
using arrow::Type;
using arrow::internal::checked_cast;

// Years 0 to 9999, which ISO 8601 text can hold.
constexpr int64_t kDayFirst = -719'528;
constexpr int64_t kDayLast = 2'932'896;
constexpr int64_t kSecondsPerDay = 86'400;

int64_t UnitsPerSecond(arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND:
      return 1;
    case arrow::TimeUnit::MILLI:
      return 1'000;
    case arrow::TimeUnit::MICRO:
      return 1'000'000;
    case arrow::TimeUnit::NANO:
      return 1'000'000'000;
  }
  return 1;
}

int FractionDigits(int64_t units_per_second) {
  int digits = 0;
  for (; units_per_second > 1; units_per_second /= 10) ++digits;
  return digits;
}

int64_t FloorDivide(int64_t value, int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

void AppendClock(int64_t units, int64_t units_per_second, std::string& out) {
  const int64_t seconds = units / units_per_second;
  fmt::format_to(std::back_inserter(out), "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60,
                 seconds % 60);
  const int64_t fraction = units % units_per_second;
  if (fraction == 0) return;
  fmt::format_to(std::back_inserter(out), ".{:0{}}", fraction, FractionDigits(units_per_second));
}

void AppendDate(int64_t days, std::string& out) {
  out += '"';
  if (days < kDayFirst || days > kDayLast) {
    fmt::format_to(std::back_inserter(out), "{} days since 1970", days);
  } else {
    out += DayText(static_cast<int32_t>(days));
  }
  out += '"';
}

void AppendTimestamp(int64_t value, const arrow::TimestampType& type, std::string& out) {
  const int64_t units_per_second = UnitsPerSecond(type.unit());
  const int64_t units_per_day = units_per_second * kSecondsPerDay;
  const int64_t days = FloorDivide(value, units_per_day);
  out += '"';
  if (days < kDayFirst || days > kDayLast) {
    fmt::format_to(std::back_inserter(out), "{}/{} s since 1970", value, units_per_second);
  } else {
    out += DayText(static_cast<int32_t>(days));
    out += 'T';
    AppendClock(value - days * units_per_day, units_per_second, out);
    if (!type.timezone().empty()) out += 'Z';
  }
  out += '"';
}

template <typename Float>
void AppendFloat(Float value, std::string& out) {
  if (std::isnan(value)) {
    out += "\"NaN\"";
  } else if (std::isinf(value)) {
    out += value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  } else {
    fmt::format_to(std::back_inserter(out), "{}", value);
  }
}

template <typename ArrayType>
void AppendInteger(const Array& array, int64_t i, std::string& out) {
  const fmt::format_int text(checked_cast<const ArrayType&>(array).Value(i));
  out.append(text.data(), text.size());
}

/// Writes values until `out` has more than `bytes_max` bytes.
class ValueWriter {
 public:
  ValueWriter(std::string& out, size_t bytes_max) : out_(out), bytes_max_(bytes_max) {}

  bool is_full() const { return out_.size() > bytes_max_; }

  /// `declared` is null for what is not.
  void Value(const Array& array, int64_t i,
             const arrow::DataType* declared) {  // NOLINT(misc-no-recursion)
    if (array.IsNull(i)) {
      out_ += "null";
      return;
    }
    const bool is_blob = declared != nullptr && declared->id() == Type::BINARY;
    const size_t begin = out_.size();
    Write(array, i, declared);
    // Text for a BLOB that is no binary value: a date and the like.
    if (!is_blob || out_[begin] != '"' || IsBytes(array.type_id())) return;
    const std::string text = out_.substr(begin + 1, out_.size() - begin - 2);
    out_.resize(begin);
    Bytes(text, declared);
  }

 private:
  static bool IsBytes(Type::type type) {
    return arrow::is_base_binary_like(type) || arrow::is_binary_view_like(type) ||
           type == Type::FIXED_SIZE_BINARY || type == Type::DICTIONARY || type == Type::EXTENSION;
  }

  void Write(const Array& array, int64_t i,
             const arrow::DataType* declared) {  // NOLINT(misc-no-recursion)
    switch (array.type_id()) {
      case Type::BOOL:
        out_ += checked_cast<const arrow::BooleanArray&>(array).Value(i) ? "true" : "false";
        return;
      case Type::INT8:
        return AppendInteger<arrow::Int8Array>(array, i, out_);
      case Type::INT16:
        return AppendInteger<arrow::Int16Array>(array, i, out_);
      case Type::INT32:
        return AppendInteger<arrow::Int32Array>(array, i, out_);
      case Type::INT64:
        return AppendInteger<arrow::Int64Array>(array, i, out_);
      case Type::UINT8:
        return AppendInteger<arrow::UInt8Array>(array, i, out_);
      case Type::UINT16:
        return AppendInteger<arrow::UInt16Array>(array, i, out_);
      case Type::UINT32:
        return AppendInteger<arrow::UInt32Array>(array, i, out_);
      case Type::UINT64:
        return AppendInteger<arrow::UInt64Array>(array, i, out_);
      case Type::DURATION:
        return AppendInteger<arrow::DurationArray>(array, i, out_);
      case Type::HALF_FLOAT: {
        const uint16_t bits = checked_cast<const arrow::HalfFloatArray&>(array).Value(i);
        return AppendFloat(arrow::util::Float16::FromBits(bits).ToFloat(), out_);
      }
      case Type::FLOAT:
        return AppendFloat(checked_cast<const arrow::FloatArray&>(array).Value(i), out_);
      case Type::DOUBLE:
        return AppendFloat(checked_cast<const arrow::DoubleArray&>(array).Value(i), out_);
      case Type::DECIMAL32:
        out_ += checked_cast<const arrow::Decimal32Array&>(array).FormatValue(i);
        return;
      case Type::DECIMAL64:
        out_ += checked_cast<const arrow::Decimal64Array&>(array).FormatValue(i);
        return;
      case Type::DECIMAL128:
        out_ += checked_cast<const arrow::Decimal128Array&>(array).FormatValue(i);
        return;
      case Type::DECIMAL256:
        out_ += checked_cast<const arrow::Decimal256Array&>(array).FormatValue(i);
        return;
      case Type::STRING:
      case Type::BINARY:
        return Bytes(checked_cast<const arrow::BinaryArray&>(array).GetView(i), declared);
      case Type::LARGE_STRING:
      case Type::LARGE_BINARY:
        return Bytes(checked_cast<const arrow::LargeBinaryArray&>(array).GetView(i), declared);
      case Type::STRING_VIEW:
      case Type::BINARY_VIEW:
        return Bytes(checked_cast<const arrow::BinaryViewArray&>(array).GetView(i), declared);
      case Type::FIXED_SIZE_BINARY:
        return Bytes(checked_cast<const arrow::FixedSizeBinaryArray&>(array).GetView(i), declared);
      case Type::DATE32:
        return AppendDate(checked_cast<const arrow::Date32Array&>(array).Value(i), out_);
      case Type::DATE64:
        return AppendDate(FloorDivide(checked_cast<const arrow::Date64Array&>(array).Value(i),
                                      kSecondsPerDay * 1000),
                          out_);
      case Type::TIMESTAMP:
        return AppendTimestamp(checked_cast<const arrow::TimestampArray&>(array).Value(i),
                               checked_cast<const arrow::TimestampType&>(*array.type()), out_);
      case Type::TIME32:
        return TimeOfDay(checked_cast<const arrow::Time32Array&>(array).Value(i),
                         checked_cast<const arrow::TimeType&>(*array.type()).unit());
      case Type::TIME64:
        return TimeOfDay(checked_cast<const arrow::Time64Array&>(array).Value(i),
                         checked_cast<const arrow::TimeType&>(*array.type()).unit());
      case Type::LIST:
        return List(checked_cast<const arrow::ListArray&>(array), i, declared);
      case Type::LARGE_LIST:
        return List(checked_cast<const arrow::LargeListArray&>(array), i, declared);
      case Type::FIXED_SIZE_LIST:
        return List(checked_cast<const arrow::FixedSizeListArray&>(array), i, declared);
      case Type::STRUCT:
        return Struct(checked_cast<const arrow::StructArray&>(array), i, declared);
      case Type::MAP:
        return Map(checked_cast<const arrow::MapArray&>(array), i, declared);
      case Type::DICTIONARY: {
        const auto& dictionary = checked_cast<const arrow::DictionaryArray&>(array);
        return Value(*dictionary.dictionary(), dictionary.GetValueIndex(i), declared);
      }
      case Type::EXTENSION:
        return Value(*checked_cast<const arrow::ExtensionArray&>(array).storage(), i, declared);
      default: {
        const auto scalar = array.GetScalar(i);
        return Bytes(scalar.ok() ? (*scalar)->ToString() : std::string(), declared);
      }
    }
  }

  void Bytes(std::string_view bytes, const arrow::DataType* declared) {
    if (bytes.size() > bytes_max_) bytes = bytes.substr(0, bytes_max_ + 1);
    const bool is_base64 =
        declared == nullptr ? !decode::IsUtf8(bytes) : declared->id() == Type::BINARY;
    if (is_base64) {
      out_ += '"' + arrow::util::base64_encode(bytes) + '"';
    } else {
      AppendJsonString(bytes, &out_);
    }
  }

  /// Of what is in a declared type at that place; null where they do not go together.
  static const arrow::DataType* Child(const arrow::DataType* declared, Type::type wanted, int at) {
    if (declared == nullptr || declared->id() != wanted || at < 0) return nullptr;
    return declared->field(at)->type().get();
  }

  void TimeOfDay(int64_t value, arrow::TimeUnit::type unit) {
    out_ += '"';
    AppendClock(value, UnitsPerSecond(unit), out_);
    out_ += '"';
  }

  template <typename ListType>
  void List(const ListType& list, int64_t i,
            const arrow::DataType* declared) {  // NOLINT(misc-no-recursion)
    out_ += '[';
    const int64_t begin = list.value_offset(i);
    const int64_t end = begin + list.value_length(i);
    for (int64_t at = begin; at < end && !is_full(); ++at) {
      if (at > begin) out_ += ',';
      Value(*list.values(), at, Child(declared, Type::LIST, 0));
    }
    out_ += ']';
  }

  void Struct(const arrow::StructArray& array, int64_t i,
              const arrow::DataType* declared) {  // NOLINT(misc-no-recursion)
    out_ += '{';
    bool is_first = true;
    for (int field = 0; field < array.num_fields() && !is_full(); ++field) {
      const std::shared_ptr<Array>& values = array.field(field);
      if (values->IsNull(i)) continue;
      if (!is_first) out_ += ',';
      is_first = false;
      const std::string& name = array.struct_type()->field(field)->name();
      AppendJsonString(name, &out_);
      out_ += ':';
      const int at = declared == nullptr || declared->id() != Type::STRUCT
                         ? -1
                         : checked_cast<const arrow::StructType&>(*declared).GetFieldIndex(name);
      Value(*values, i, Child(declared, Type::STRUCT, at));
    }
    out_ += '}';
  }

  void Map(const arrow::MapArray& map, int64_t i,
           const arrow::DataType* declared) {  // NOLINT(misc-no-recursion)
    out_ += '{';
    const int64_t begin = map.value_offset(i);
    const int64_t end = begin + map.value_length(i);
    for (int64_t at = begin; at < end && !is_full(); ++at) {
      if (at > begin) out_ += ',';
      const size_t key = out_.size();
      Value(*map.keys(), at, arrow::utf8().get());
      // Keys of JSON are text, whatever they are here.
      if (out_[key] != '"') {
        const std::string text = out_.substr(key);
        out_.resize(key);
        AppendJsonString(text, &out_);
      }
      out_ += ':';
      const auto* type = Child(declared, Type::MAP, 0);
      Value(*map.items(), at, type == nullptr ? nullptr : type->field(1)->type().get());
    }
    out_ += '}';
  }

  std::string& out_;
  size_t bytes_max_;
};

}  // namespace

RowJson::RowJson(const arrow::Schema& schema, const std::vector<decode::Column>& declared,
                 int64_t bytes_max)
    : bytes_max_(static_cast<size_t>(bytes_max)) {
  for (const auto& field : schema.fields()) {
    std::string& key = keys_.emplace_back();
    AppendJsonString(field->name(), &key);
    key += ':';
    const auto column = std::ranges::find(declared, field->name(), &decode::Column::name);
    declared_.push_back(column == declared.end() ? nullptr : column->type);
  }
}

std::string_view RowJson::Write(const arrow::RecordBatch& batch, int64_t row) {
  json_.assign(1, '{');
  ValueWriter writer(json_, bytes_max_);
  for (int i = 0; i < batch.num_columns() && !writer.is_full(); ++i) {
    const std::shared_ptr<Array> column = batch.column(i);
    if (column->IsNull(row)) continue;
    if (json_.size() > 1) json_ += ',';
    json_ += keys_[static_cast<size_t>(i)];
    writer.Value(*column, row, declared_[static_cast<size_t>(i)].get());
  }
  json_ += '}';
  return json_;
}

}  // namespace playhead::ingest
