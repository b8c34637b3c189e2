#include "playhead/sql/duckdb_error.h"

#include <string>

namespace playhead::sql {
namespace {

/// DuckDB advises to install what is refused here.
std::string WithoutAdvice(const std::string& message) {
  const size_t advice = message.find("\n\nPlease try installing");
  if (advice == std::string::npos) return message;
  const std::string problem = message.substr(0, message.find_last_not_of(".\n", advice) + 1);
  return problem + "; extensions are neither installed nor loaded here";
}

}  // namespace

Status ToStatus(const duckdb::ErrorData& error) {
  const std::string message = WithoutAdvice(error.Message());
  switch (error.Type()) {
    case duckdb::ExceptionType::CATALOG:
      return Status(StatusCode::kNotFound, message);
    case duckdb::ExceptionType::INTERRUPT:
      return Status(StatusCode::kCancelled, "cancelled");
    case duckdb::ExceptionType::OUT_OF_MEMORY:
      return Status(StatusCode::kResourceExhausted, message);
    case duckdb::ExceptionType::IO:
      return Status(StatusCode::kUnavailable, message);
    case duckdb::ExceptionType::PERMISSION:
      return Status(StatusCode::kPermissionDenied, message);
    case duckdb::ExceptionType::NOT_IMPLEMENTED:
      return Status(StatusCode::kNotSupported, message);
    case duckdb::ExceptionType::INTERNAL:
    case duckdb::ExceptionType::FATAL:
      return Status(StatusCode::kInternal, message);
    default:
      return Status(StatusCode::kInvalidArgument, message);
  }
}

}  // namespace playhead::sql
