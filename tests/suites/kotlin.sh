# The Kotlin packages on a JVM, with the real core.
# shellcheck shell=bash

suite_kotlin_needs() {
  need_rust
  need javac 'apt-get install openjdk-17-jdk-headless (or any JDK from 17 on)' install_jdk_for_kotlin
  need mvn 'apt-get install maven (3.8 or newer)' install_maven_for_kotlin
}

install_jdk_for_kotlin() { apt_install openjdk-17-jdk-headless; }
install_maven_for_kotlin() { apt_install maven; }

suite_kotlin() {
  # Maven does it again in no time; here cargo can say what is wrong.
  check 'Bindings for Kotlin' uniffi/generate kotlin "$work_dir/kotlin" || return
  kotlin_tests
}

# What surefire reports, not what Maven prints. A hang is a failure.
kotlin_tests() {
  local title='Tests: Kotlin' module=bindings/kotlin/compass-core-tests status=0
  heading "$title"
  rm -rf "$module/target/surefire-reports"
  (cd bindings/kotlin && timeout 1200 mvn -B -q test) || status=$?
  surefire_counts "$title" "$status" "$module/target/surefire-reports"
}

# surefire_counts TITLE STATUS FOLDER: counts the tests that surefire has reported. STATUS is Maven's.
surefire_counts() {
  local title=$1 status=$2 folder=$3 report ran=0 bad=0 ignored=0
  for report in "$folder"/TEST-*.xml; do
    [ -e "$report" ] || continue
    ran=$((ran + $(suite_number tests "$report")))
    bad=$((bad + $(suite_number errors "$report") + $(suite_number failures "$report")))
    ignored=$((ignored + $(suite_number skipped "$report")))
  done
  if [ $((ran - bad - ignored)) -gt 0 ]; then pass "$((ran - bad - ignored)) tests" $((ran - bad - ignored)); fi
  if [ "$ignored" -gt 0 ]; then skip "$ignored tests that are skipped" "$ignored"; fi
  if [ "$bad" -gt 0 ]; then fail "$title: $bad tests" "$bad"
  elif [ "$status" -ne 0 ]; then fail "$title: stopped before all tests had run"
  elif [ "$ran" -eq 0 ]; then fail "$title: no test was run"; status=1
  fi
  return "$status"
}

# suite_number NAME REPORT: a number of the one <testsuite> of a report.
suite_number() { grep -a -m1 '<testsuite ' "$2" | sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p"; }
