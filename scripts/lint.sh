#!/usr/bin/env bash
# lint.sh [--all] [--fix]: clang-format and clang-tidy on the changed C++ files, or on all of them.
# Changed: what differs from the last commit, or the last commit's files when nothing does.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

all=0
fix=0
for argument in "$@"; do
  case "$argument" in
    --all) all=1 ;;
    --fix) fix=1 ;;
    *) die "lint: unknown option $argument" ;;
  esac
done

"$root/scripts/setup.sh"
install_packages clang-format-19 clang-tidy-19
cd "$root"

changed_files() {
  if [[ $all -eq 1 ]]; then
    git ls-files --cached --others --exclude-standard
  elif [[ -n $(git status --porcelain) ]]; then
    git diff --name-only --diff-filter=d HEAD
    git ls-files --others --exclude-standard
  else
    git diff --name-only --diff-filter=d HEAD~1
  fi
}
mapfile -t files < <(changed_files | grep -E '\.(h|cc)$' | sort -u | while read -r file; do
  [[ -f $file ]] && printf '%s\n' "$file"
done)
[[ ${#files[@]} -gt 0 ]] || { say "lint: no C++ file changed"; exit 0; }

failed=0
if [[ $fix -eq 1 ]]; then
  clang-format-19 -i "${files[@]}"
else
  clang-format-19 --dry-run --Werror "${files[@]}" || failed=1
fi

# The release has no precompiled headers, which clang cannot read. GCC's warning options are strange
# to it.
"$root/scripts/build.sh" --preset release --configure-only
sources=()
for file in "${files[@]}"; do
  [[ $file == *.cc && $file != fuzz/* ]] && sources+=("$file")
done
if [[ ${#sources[@]} -gt 0 ]]; then
  printf '%s\0' "${sources[@]}" |
    xargs -0 -n 1 -P "$(nproc)" clang-tidy-19 -p build/release --quiet --warnings-as-errors='*' \
      --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-deprecated-declarations \
      2> >(grep -v 'warnings generated' >&2 || true) || failed=1
fi
[[ $failed -eq 0 ]] || die "lint: ${#files[@]} files checked, some with findings (--fix formats)"
say "lint: ${#files[@]} files are clean"
