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

# The rules of CONTRIBUTING.md hold for what came after it.
first_commit=8adce62

# Every commit that is no merge: `area: imperative`, at most 60 characters, and a body.
commits() {
  local hash subject body bad=0
  while IFS=$'\x1f' read -r -d '' hash subject body; do
    hash=${hash#$'\n'}
    if [ "${#subject}" -le 60 ] && [[ $subject =~ ^[a-z0-9][a-z0-9\ ,-]*:\ [a-z] ]] && [ -n "${body//[[:space:]]/}" ]; then continue; fi
    printf '%s %s\n' "$hash" "$subject"
    bad=1
  done < <(git log --no-merges --format='%h%x1f%s%x1f%b%x00' "$first_commit..HEAD")
  return "$bad"
}

# In a shell of its own, so that nothing of that suite is defined here.
left_out_on_arm() { (. tests/suites/arm.sh && arm_choose); }

suite_rust() {
  # Without the generator of bindings, whose features of shared dependencies the core must not get; the suites that use it build it.
  # Style first: it needs no build, and nothing depends on it.
  check 'Format: cargo fmt' cargo fmt --all --check || true
  check 'Names: what the suite arm leaves out is there' left_out_on_arm || true
  if git cat-file -e "$first_commit^{commit}" 2>/dev/null; then check 'Commits: CONTRIBUTING.md' commits || true
  else skip 'Commits: the history is not here'; fi
  if check 'Lints: cargo clippy' cargo clippy --locked --workspace --exclude compass-bindgen --all-targets --all-features -- -D warnings; then :
  elif ! quietly "$(log_of compiles)" cargo check --locked --workspace --exclude compass-bindgen --all-targets --all-features; then
    skip 'documentation, tests and example: the code does not compile' 3
    return
  fi
  check 'Lints: what phones have, without the built-in transport' \
    cargo clippy --locked -p compass-core -p compass-ffi --no-default-features -- -D warnings || true
  check 'Documentation: cargo doc' env RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --workspace --exclude compass-bindgen --all-features || true
  if [[ $(rustc --version) == 'rustc 1.95.'* ]]; then check 'Public API: tests/api/compass-core.txt' public_api || true
  else skip 'Public API: the list is made with Rust 1.95, whose JSON of rustdoc tests/api reads'; fi
  cargo_tests 'Tests: cargo test' cargo test --locked --no-fail-fast --workspace --exclude compass-bindgen --all-features || true
  check 'Example: field_day' field_day || true
}

# The public API is the one that is committed. `UPDATE_API=1 tests/run rust` writes it again; look at the difference before it is committed.
public_api() {
  RUSTDOC=$PWD/tests/api/rustdoc cargo doc --locked --quiet --no-deps -p compass-core &&
    CARGO_TARGET_DIR=target/api cargo run --locked --quiet --manifest-path tests/api/Cargo.toml -- \
      "${CARGO_TARGET_DIR:-target}/doc/compass_core.json" >"$work_dir/compass-core.txt" || return 1
  if [ "${UPDATE_API:-}" = 1 ]; then cp "$work_dir/compass-core.txt" tests/api/compass-core.txt; fi
  diff -u tests/api/compass-core.txt "$work_dir/compass-core.txt"
}

# A day in the field on a fresh database, which goes with $work_dir; its last line, with the counts, closes the check. Built as the tests have
# built it already: `cargo run` would choose other features, and build the core and what it tests with once more.
field_day() {
  cargo build --locked --quiet --workspace --exclude compass-bindgen --all-features --example field_day &&
    TMPDIR="$work_dir" "${CARGO_TARGET_DIR:-target}/debug/examples/field_day" | tee "$work_dir/field_day.log" &&
    tail -n 1 "$work_dir/field_day.log" >&3
}
