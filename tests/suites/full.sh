# What takes too long for every change: tests/run --full. README.md says when it was run last.
# shellcheck shell=bash

suite_full_needs() {
  need_rust
  need_maven
}

suite_full() {
  # An act, a blocker, a reason or a row of the outcome table that a thousand seeds do not reach is a fault of the simulation.
  check 'Simulation: 1,000 seeds, which reach everything' env SEEDS=1000 COMPLETE=1 \
    cargo test --locked --all-features --test simulation every_seed_keeps -- --nocapture || true
  check 'Fleet: 100,000 phones' env PHONES=100000 SEEDS=1 \
    cargo test --locked --all-features --test fleet gives_turns -- --nocapture || true
  check 'Search, totals and a purge among 100,000 sessions' \
    cargo test --locked --all-features --test sessions hundred_thousand -- --ignored --nocapture || true
  check 'Order of calls: 5,000 rounds in Kotlin' mvn -B -q -f bindings/kotlin test \
    -Dorder.rounds=5000 -Dtest=OrderTest -Dsurefire.failIfNoSpecifiedTests=false || true
  check 'Torture: every fault at full size' torture || true
}

# Its table closes the check.
torture() {
  local status=0
  tests/torture --full >"$work_dir/torture.log" || status=$?
  cat "$work_dir/torture.log" >&3
  return "$status"
}
