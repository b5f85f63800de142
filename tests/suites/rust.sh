# The Rust core: style, lints, documentation, tests, the example. One target directory and the dev profile for all of it.
# shellcheck shell=bash

suite_rust_needs() {
  # rustup puts cargo here; a shell that was open before does not know yet.
  PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
  need cc 'apt-get install gcc libc6-dev (macOS: xcode-select --install)' install_cc
  need cargo "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh" install_rust
  # rustup brings these along; say so only where cargo came without them.
  have cargo || return 0
  need 'cargo fmt' 'rustup component add rustfmt' install_rustfmt
  need 'cargo clippy' 'rustup component add clippy' install_clippy
}

install_cc() { apt_install gcc libc6-dev; }
install_rustfmt() { rustup component add rustfmt; }
install_clippy() { rustup component add clippy; }
install_rust() {
  command -v curl >/dev/null || apt_install curl ca-certificates || return
  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --no-modify-path --profile minimal --component rustfmt,clippy
}

suite_rust() {
  # Style first: it needs no build, and nothing depends on it.
  check 'Format: cargo fmt' cargo fmt --all --check || true
  if check 'Lints: cargo clippy' cargo clippy --locked --workspace --all-targets --all-features -- -D warnings; then :
  elif ! heading 'Does it compile?' || ! cargo check --locked --workspace --all-targets --all-features; then
    skip 'documentation, tests and example: the code does not compile' 3
    return
  fi
  check 'Documentation: cargo doc' env RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --workspace --all-features || true
  cargo_tests 'Tests: cargo test' cargo test --locked --no-fail-fast --workspace --all-features || true
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
