# The Kotlin packages on a JVM, with the real core.
# shellcheck shell=bash

suite_kotlin_needs() {
  need_rust
  need_maven
}

suite_kotlin() {
  # Maven does it again in no time; here cargo can say what is wrong.
  check 'Bindings for Kotlin' uniffi/generate kotlin "$work_dir/kotlin" || return
  kotlin_tests
}

# What surefire reports, not what Maven prints. A hang is a failure.
kotlin_tests() {
  local title='Tests: Kotlin' module=bindings/kotlin/compass-core-tests status=0
  rm -rf "$module/target/surefire-reports"
  quietly "$(log_of "$title")" timeout 1200 mvn -B -q -f bindings/kotlin test || status=$?
  surefire_counts "$title" "$status" "$module/target/surefire-reports"
}
