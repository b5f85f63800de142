# The Rust core: style, lints, documentation, tests, the example. One target directory and the dev profile for all of it.
# shellcheck shell=bash

suite_rust_needs() {
  need_rust
  # rustup brings these along; say so only where cargo came without them.
  have cargo || return 0
  need 'cargo fmt' 'rustup component add rustfmt' install_rustfmt
  need 'cargo clippy' 'rustup component add clippy' install_clippy
}

install_rustfmt() { rustup component add rustfmt; }
install_clippy() { rustup component add clippy; }

suite_rust() {
  # Without the generator of bindings, whose features of shared dependencies the core must not get; the suites that use it build it.
  # Style first: it needs no build, and nothing depends on it.
  check 'Format: cargo fmt' cargo fmt --all --check || true
  if check 'Lints: cargo clippy' cargo clippy --locked --workspace --exclude compass-bindgen --all-targets --all-features -- -D warnings; then :
  elif ! heading 'Does it compile?' || ! cargo check --locked --workspace --exclude compass-bindgen --all-targets --all-features; then
    skip 'documentation, tests and example: the code does not compile' 3
    return
  fi
  check 'Lints: what phones have, without the built-in transport' \
    cargo clippy --locked -p compass-core -p compass-ffi --no-default-features -- -D warnings || true
  check 'Documentation: cargo doc' env RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --workspace --exclude compass-bindgen --all-features || true
  cargo_tests 'Tests: cargo test' cargo test --locked --no-fail-fast --workspace --exclude compass-bindgen --all-features || true
  check 'Example: field_day' field_day || true
}

# A day in the field on a fresh database, which goes with $work_dir; its last line, with the counts, closes the check.
field_day() {
  local log="$work_dir/field_day.log"
  if TMPDIR="$work_dir" cargo run --locked --quiet --example field_day >"$log" 2>&1; then
    tail -n 1 "$log"
  else
    cat "$log"
    return 1
  fi
}
