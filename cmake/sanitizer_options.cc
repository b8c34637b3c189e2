// Defaults of the sanitizers; ASAN_OPTIONS and the like still override them. Without a sanitizer
// nothing calls these functions.

// NOLINTBEGIN(bugprone-reserved-identifier): the sanitizers' own names
extern "C" {

__attribute__((visibility("default"), used)) const char* __asan_default_options() {
  // The prebuilt Arrow and DuckDB libraries are not instrumented: a std::vector that grows in them
  // leaves annotations of ours stale, so container bounds cannot be checked across that line.
  return "detect_container_overflow=0:detect_stack_use_after_return=1:strict_string_checks=1";
}

__attribute__((visibility("default"), used)) const char* __ubsan_default_options() {
  return "print_stacktrace=1";
}

__attribute__((visibility("default"), used)) const char* __lsan_default_options() {
  return "print_suppressions=0";
}

__attribute__((visibility("default"), used)) const char* __lsan_default_suppressions() {
  // libedit never frees the names of functions added with EL_ADDFN; we do not call wcsdup.
  return "leak:wcsdup\n";
}

__attribute__((visibility("default"), used)) const char* __tsan_default_options() {
  return "second_deadlock_stack=1";
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier)
