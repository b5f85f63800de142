# The size of the library in an app: built as it ships, for this machine in place of a phone (docs/size.md).
# shellcheck shell=bash

# docs/size.md accounts for both.
PHONE_LIMIT=3300000
BUILT_IN_LIMIT=4200000

suite_size_needs() {
  need_rust
  need strip 'apt-get install binutils' install_binutils
}

install_binutils() { apt_install binutils; }

suite_size() {
  if [ "$(uname -sm)" != 'Linux x86_64' ]; then
    skip 'Size: measured on Linux for x86_64, whose linker links as Android'"'"'s does'
    return
  fi
  local phone="$work_dir/phone.so" whole="$work_dir/whole.so"
  if check 'Build the library as phones have it' ship_library "$phone"; then
    check "It has at most $PHONE_LIMIT bytes" within_limit "$phone" "$PHONE_LIMIT" || true
    check 'It holds no fault that tests put back, and no clock for tests' without_what_is_for_tests "$phone" || true
    check 'It exports every function that bindings call, and nothing that only their generator reads' exports_of "$phone" || true
  fi
  # The dependencies are built already.
  if check 'Build it with the built-in transport' ship_library "$whole" --built-in-transport; then
    check "It has at most $BUILT_IN_LIMIT bytes" within_limit "$whole" "$BUILT_IN_LIMIT" || true
    check 'Both export the same' same_exports "$phone" "$whole" || true
  fi
}

# ship_library FILE OPTION...
ship_library() {
  local file=$1 built
  shift
  built=$(timeout 3600 uniffi/ship x86_64-unknown-linux-gnu --like-android "$@") && strip --strip-unneeded -o "$file" "$built"
}

within_limit() {
  local size
  size=$(stat -c %s "$1")
  # The sections of 10 kB and more, largest first.
  size -A -d "$1" | awk '$2 >= 10000 && $1 ~ /^\./ { print $2, $1 }' | sort -rn
  printf '%d bytes, %d below the limit\n' "$size" $(($2 - size)) >&3
  [ "$size" -le "$2" ]
}

# src/fault.rs, uniffi/testing
without_what_is_for_tests() { ! grep -aq 'seeded: ' "$1" && ! nm -D --defined-only "$1" | grep -i clock; }

exports_of() {
  local functions data
  functions=$(nm -D --defined-only "$1" | grep -cE ' T (uniffi|ffi)_compass_ffi_') || true
  data=$(nm -D --defined-only "$1" | grep -c UNIFFI_META) || true
  printf '%d functions, %d items of metadata\n' "$functions" "$data" >&3
  [ "$functions" -ge 200 ] && [ "$data" -eq 0 ]
}

# Bindings are the same for both.
same_exports() { diff <(exported "$1") <(exported "$2"); }
exported() { nm -D --defined-only "$1" | grep -oE ' T (uniffi|ffi)_.*' | sort; }
