# The state of the Android sample on a JVM: every screen's model with a fake gateway, and a technician's day with the real core.
# shellcheck shell=bash

suite_sample_needs() {
  need_rust
  need_maven
}

suite_sample() { sample_state_tests; }

# Builds the bindings and the Kotlin package on the way. A hang is a failure.
sample_state_tests() {
  local title='Tests: state of the Android sample' root=$PWD status=0
  heading "$title"
  # Neither reports nor classes of an earlier run.
  rm -rf android-sample/state/target
  (cd android-sample && timeout 1200 mvn -B -q -Drepository.root="$root" -pl state -am test) || status=$?
  surefire_counts "$title" "$status" android-sample/state/target/surefire-reports
}
