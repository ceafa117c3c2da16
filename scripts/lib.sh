# Shared by the scripts beside it; sourced, never run. Sets $root, goes there, and puts the pinned
# Node (if scripts/setup had to install one) first on PATH.
set -euo pipefail

# --help, before anything is done: the comment at the script's top.
for word in "$@"; do
  case $word in
    --) break ;; # what follows is for another program
    -h | --help) sed -n '2,/^source/{/^#/s/^# \{0,1\}//p}' "$0" && exit 0 ;;
  esac
done
unset word

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
deps="$root/.deps"
if [[ -x "$deps/node/bin/node" ]]; then PATH="$deps/node/bin:$PATH"; fi

say() { printf '%s\n' "== $*" >&2; }
die() {
  printf '%s\n' "error: $*" >&2
  exit 1
}

# hash_of FILE...: one hash over names and contents.
hash_of() { sha256sum -- "$@" | sha256sum | cut -d' ' -f1; }

# How many compilers at once: one a core, but no more than memory carries (the heaviest file takes about 1.5 GB).
jobs() {
  local cores kb limit
  cores=$(nproc)
  kb=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)
  limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo max)
  if [[ $limit != max && $((limit / 1024)) -lt $kb ]]; then kb=$((limit / 1024)); fi
  local fit=$((kb / 1500000))
  ((fit < 1)) && fit=1
  echo $((fit < cores ? fit : cores))
}

# configure PRESET [-DX=Y ...]: runs CMake only where the build folder is new or the options changed;
# Ninja itself notices changed CMake files.
configure() {
  local preset=$1 dir="build/$1" options
  shift
  options="$*"
  if [[ -f $dir/build.ninja && $(cat "$dir/.options" 2>/dev/null || true) == "$options" ]]; then return; fi
  cmake --preset "$preset" "$@" >"$dir.log" 2>&1 || {
    cat "$dir.log" >&2
    die "cmake --preset $preset failed"
  }
  printf '%s\n' "$options" >"$dir/.options"
}

# Options that follow from where we run: in CI warnings are errors, and sources are joined to compile in less time.
ci_options() { [[ ${CI:-} == true ]] && echo "-DGAUR_WERROR=ON -DGAUR_JOIN_SOURCES=ON" || echo -DGAUR_WERROR=OFF; }

# Files of ours in C++, tracked or new, one a line.
cpp_files() { git ls-files -co --exclude-standard -- '*.hpp' '*.cpp' | while read -r f; do [[ -f $f ]] && echo "$f"; done; }
