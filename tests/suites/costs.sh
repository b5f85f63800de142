# What gestures cost in instructions and written pages, as the library ships: `cargo bench` counts, and this compares with the limits in
# benches/cost/table.rs. Times have no limits.
# shellcheck shell=bash

suite_costs_needs() {
  need_rust
  need valgrind 'apt-get install valgrind' install_valgrind
  need strace 'apt-get install strace' install_strace
}

install_valgrind() { apt_install valgrind; }
install_strace() { apt_install strace; }

suite_costs() {
  if [ "$(uname -sm)" != 'Linux x86_64' ]; then
    skip 'Costs: counted on Linux for x86_64'
    return
  fi
  check 'Build the bench' cargo bench --locked --no-run --bench cost || return
  check 'Bare SQLite writes the same rows, and no limit is passed' counted_costs || true
}

counted_costs() { cargo bench --locked --quiet --bench cost -- --counts | tee >(grep -v '^counted' >&3); }
