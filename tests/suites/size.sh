# What the library weighs in an app: built as it ships, for this machine in place of a phone (docs/size.md).
# shellcheck shell=bash

# docs/size.md accounts for it.
SIZE_LIMIT=4200000

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
  local library="$work_dir/libcompass_ffi.so"
  check 'Build the library as it ships' ship_library "$library" || return
  check "The library weighs at most $SIZE_LIMIT bytes" within_limit "$library" || true
  check 'The library holds no fault that tests put back' without_seeded_faults "$library" || true
  check 'The library exports every function that bindings call, and nothing that only their generator reads' exports_of "$library" || true
}

ship_library() {
  local built
  built=$(timeout 3600 uniffi/ship x86_64-unknown-linux-gnu --like-android) && strip --strip-unneeded -o "$1" "$built"
}

within_limit() {
  local size
  size=$(stat -c %s "$1")
  # The sections of 10 kB and more, largest first.
  size -A -d "$1" | awk '$2 >= 10000 && $1 ~ /^\./ { print $2, $1 }' | sort -rn
  printf '%d bytes, %d below the limit\n' "$size" $((SIZE_LIMIT - size)) >&3
  [ "$size" -le "$SIZE_LIMIT" ]
}

# src/fault.rs
without_seeded_faults() { ! grep -aq 'seeded: ' "$1"; }

exports_of() {
  local functions data
  functions=$(nm -D --defined-only "$1" | grep -cE ' T (uniffi|ffi)_compass_ffi_') || true
  data=$(nm -D --defined-only "$1" | grep -c UNIFFI_META) || true
  printf '%d functions, %d items of metadata\n' "$functions" "$data" >&3
  [ "$functions" -ge 200 ] && [ "$data" -eq 0 ]
}
