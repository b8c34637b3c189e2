#include "playhead/project/project.h"

#include <arrow/type.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

namespace playhead::project {
namespace {

using TypePtr = std::shared_ptr<arrow::DataType>;

constexpr int kDepthMax = 32;

const std::map<std::string, TypePtr, std::less<>>& SimpleTypes() {
  static const auto* const kTypes = new std::map<std::string, TypePtr, std::less<>>{
      {"BOOLEAN", arrow::boolean()},
      {"BOOL", arrow::boolean()},
      {"INTEGER", arrow::int32()},
      {"INT", arrow::int32()},
      {"BIGINT", arrow::int64()},
      {"FLOAT", arrow::float32()},
      {"REAL", arrow::float32()},
      {"DOUBLE", arrow::float64()},
      {"VARCHAR", arrow::utf8()},
      {"STRING", arrow::utf8()},
      {"TEXT", arrow::utf8()},
      {"DATE", arrow::date32()},
      {"TIMESTAMP", arrow::timestamp(arrow::TimeUnit::MICRO)},
      {"TIMESTAMPTZ", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")},
      {"BLOB", arrow::binary()},
  };
  return *kTypes;
}

/// Types DuckDB knows and an Iceberg v2 table of ours does not hold.
const std::set<std::string, std::less<>>& RefusedTypes() {
  static const auto* const kTypes = new std::set<std::string, std::less<>>{
      "TINYINT",  "SMALLINT", "HUGEINT", "UTINYINT",    "USMALLINT", "UINTEGER",     "UBIGINT",
      "UHUGEINT", "TIME",     "TIMETZ",  "INTERVAL",    "UUID",      "TIMESTAMP_NS", "TIMESTAMP_MS",
      "BIT",      "UNION",    "ENUM",    "TIMESTAMP_S", "JSON",      "BIGNUM",       "VARIANT"};
  return *kTypes;
}

std::string Upper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return upper;
}

bool IsWordCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// Recursive descent over one type name.
class TypeParser {
 public:
  explicit TypeParser(std::string_view text) : text_(text) {}

  Result<TypePtr> ParseAll() {
    PH_ASSIGN_OR_RETURN(TypePtr type, ParseType(0));
    SkipBlanks();
    if (at_ != text_.size()) return Unexpected("the end of the type");
    return type;
  }

 private:
  Result<TypePtr> ParseType(int depth) {
    if (depth > kDepthMax) {
      return Error(StatusCode::kInvalidArgument, "type is nested deeper than {} levels", kDepthMax);
    }
    PH_ASSIGN_OR_RETURN(TypePtr type, ParseUnlisted(depth));
    while (Take('[')) {
      if (!Take(']')) return Unexpected("]");
      type = arrow::list(type);
    }
    return type;
  }

  Result<TypePtr> ParseUnlisted(int depth) {
    const std::string word = Upper(Word());
    if (word.empty()) return Unexpected("a type name");
    if (word == "STRUCT") return ParseStruct(depth);
    if (word == "MAP") return ParseMap(depth);
    if (word == "DECIMAL" || word == "NUMERIC") return ParseDecimal();
    if (word == "TIMESTAMP" && TakeWords({"WITH", "TIME", "ZONE"})) {
      return SimpleTypes().at("TIMESTAMPTZ");
    }
    if (auto simple = SimpleTypes().find(word); simple != SimpleTypes().end()) {
      return simple->second;
    }
    if (RefusedTypes().contains(word)) {
      return Error(StatusCode::kNotSupported, "type {} cannot be kept in a bronze table", word);
    }
    return Error(StatusCode::kInvalidArgument, "unknown type {}", word);
  }

  Result<TypePtr> ParseStruct(int depth) {
    if (!Take('(')) return Unexpected("(");
    arrow::FieldVector fields;
    std::set<std::string> names;
    do {
      PH_ASSIGN_OR_RETURN(const std::string name, FieldName());
      if (!names.insert(Upper(name)).second) {
        return Error(StatusCode::kInvalidArgument, "STRUCT field {} is given twice", name);
      }
      PH_ASSIGN_OR_RETURN(TypePtr type, ParseType(depth + 1));
      fields.push_back(arrow::field(name, type));
    } while (Take(','));
    if (!Take(')')) return Unexpected(", or )");
    return arrow::struct_(fields);
  }

  Result<TypePtr> ParseMap(int depth) {
    if (!Take('(')) return Unexpected("(");
    PH_ASSIGN_OR_RETURN(TypePtr key, ParseType(depth + 1));
    if (key->id() != arrow::Type::STRING) {
      return Error(StatusCode::kNotSupported, "the key of a MAP must be VARCHAR");
    }
    if (!Take(',')) return Unexpected(",");
    PH_ASSIGN_OR_RETURN(TypePtr value, ParseType(depth + 1));
    if (!Take(')')) return Unexpected(")");
    return arrow::map(key, value);
  }

  Result<TypePtr> ParseDecimal() {
    int precision = 18;
    int scale = 3;
    if (Take('(')) {
      PH_ASSIGN_OR_RETURN(precision, Number());
      scale = 0;
      if (Take(',')) {
        PH_ASSIGN_OR_RETURN(scale, Number());
      }
      if (!Take(')')) return Unexpected(")");
    }
    if (precision < 1 || precision > 38 || scale > precision) {
      return Error(StatusCode::kInvalidArgument,
                   "DECIMAL(p,s) needs 1 ≤ p ≤ 38 and 0 ≤ s ≤ p: got ({},{})", precision, scale);
    }
    return arrow::decimal128(precision, scale);
  }

  Result<std::string> FieldName() {
    SkipBlanks();
    if (at_ < text_.size() && text_[at_] == '"') {
      std::string name;
      for (++at_; at_ < text_.size(); ++at_) {
        if (text_[at_] != '"') {
          name += text_[at_];
        } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
          name += '"';
          ++at_;
        } else {
          ++at_;
          if (name.empty()) return Unexpected("a field name");
          return name;
        }
      }
      return Unexpected("a closing \"");
    }
    std::string name(Word());
    if (name.empty()) return Unexpected("a field name");
    return name;
  }

  Result<int> Number() {
    const std::string_view digits = Word();
    if (digits.empty() || digits.size() > 4 ||
        digits.find_first_not_of("0123456789") != std::string_view::npos) {
      return Unexpected("a number");
    }
    return std::stoi(std::string(digits));
  }

  std::string_view Word() {
    SkipBlanks();
    const size_t begin = at_;
    while (at_ < text_.size() && IsWordCharacter(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  bool TakeWords(std::initializer_list<std::string_view> words) {
    const size_t before = at_;
    for (std::string_view word : words) {
      if (Upper(Word()) != word) {
        at_ = before;
        return false;
      }
    }
    return true;
  }

  bool Take(char wanted) {
    SkipBlanks();
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  void SkipBlanks() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }

  Status Unexpected(std::string_view expected) const {
    return Error(StatusCode::kInvalidArgument, "expected {} at character {} of '{}'", expected,
                 at_ + 1, text_);
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

Result<TypePtr> ParseDataType(std::string_view sql_name) { return TypeParser(sql_name).ParseAll(); }

}  // namespace playhead::project
