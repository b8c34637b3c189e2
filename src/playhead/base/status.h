#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace playhead {

/// What the caller does about a failure; the message tells the story, the code is the decision.
enum class StatusCode {
  kOk,
  kInvalidArgument,    ///< the caller fixes the request
  kUnauthenticated,    ///< the caller stops
  kPermissionDenied,   ///< the caller stops
  kNotFound,           ///< the caller decides
  kAlreadyExists,      ///< the caller decides
  kConflict,           ///< reload the metadata, apply again
  kCancelled,          ///< the process is shutting down; say nothing
  kUnavailable,        ///< retry with backoff
  kResourceExhausted,  ///< slow down (disk full, queue full)
  kCommitUnknown,      ///< read the table, then decide
  kDataCorrupt,        ///< stop the table, raise an alarm
  kNotSupported,       ///< stop
  kInternal,           ///< stop
};

/// "InvalidArgument", "Conflict", …
std::string_view StatusCodeName(StatusCode code);

/// The outcome of an operation that can fail. Cheap to move; OK holds no message.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }

  /// "Conflict: table moved: name=bronze.plays", or "OK".
  std::string ToString() const;

  /// The same code with `context` and ": " put before the message.
  Status WithContext(std::string_view context) const;

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

inline Status OkStatus() { return {}; }

/// Builds a failure: `Error(StatusCode::kNotFound, "no such table: name={}", name)`.
template <typename... Args>
Status Error(StatusCode code, fmt::format_string<Args...> format, Args&&... args) {
  return Status(code, fmt::format(format, std::forward<Args>(args)...));
}

namespace internal {
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);
}  // namespace internal

/// A broken invariant of ours: prints the place and aborts, in release too. Never judges input.
#define PH_CHECK(condition) \
  ((condition) ? (void)0 : ::playhead::internal::CheckFailed(__FILE__, __LINE__, #condition))

/// A value or the reason why there is none. The interface is that of std::expected.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}  // NOLINT(google-explicit-constructor)
  /// `failure` must be one: OK would be neither a value nor a reason.
  Result(Status failure) : state_(std::move(failure)) {  // NOLINT(google-explicit-constructor)
    PH_CHECK(!std::get<1>(state_).ok());
  }

  bool has_value() const { return state_.index() == 0; }
  bool ok() const { return has_value(); }
  explicit operator bool() const { return has_value(); }

  /// Only when has_value() is false.
  const Status& error() const { return std::get<1>(state_); }
  Status status() const { return has_value() ? Status() : std::get<1>(state_); }

  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }

 private:
  std::variant<T, Status> state_;
};

namespace internal {
inline Status ToStatus(Status status) { return status; }
template <typename T>
Status ToStatus(const Result<T>& result) {
  return result.status();
}
}  // namespace internal
}  // namespace playhead

#define PH_CONCAT_INNER(a, b) a##b
#define PH_CONCAT(a, b) PH_CONCAT_INNER(a, b)

/// Returns from the enclosing function when `expr` (a Status or, with base/arrow_status.h, an
/// arrow::Status) is a failure.
#define PH_RETURN_IF_ERROR(expr)                                                                  \
  do {                                                                                            \
    /* Qualified, because argument-dependent lookup would find Arrow's own ToStatus. */           \
    if (auto ph_status = ::playhead::internal::ToStatus(expr); !ph_status.ok()) return ph_status; \
  } while (false)

/// `PH_ASSIGN_OR_RETURN(auto table, catalog.Load(id));`
#define PH_ASSIGN_OR_RETURN(lhs, expr) \
  PH_ASSIGN_OR_RETURN_IMPL(PH_CONCAT(ph_result_, __COUNTER__), lhs, expr)
#define PH_ASSIGN_OR_RETURN_IMPL(result, lhs, expr)                         \
  auto result = (expr);                                                     \
  if (!result.ok()) return ::playhead::internal::ToStatus(result.status()); \
  lhs = *std::move(result)
