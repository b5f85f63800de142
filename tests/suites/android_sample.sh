# The Android sample app. Its state on a JVM: every screen's model with a fake of the core, and a technician's day with the real core. Its views,
# compiled against the real jar of Android with resources linked by aapt2, under Robolectric with the real core: whole days, death in the
# middle, an audit of every screen, and their pictures compared. No phone, no emulator, no Gradle.
# shellcheck shell=bash

suite_android_sample_needs() {
  need_rust
  need_maven
  need aapt2 'apt-get install aapt' install_aapt2
}

install_aapt2() { apt_install aapt; }

# Builds the modules below on the way, whose tests other suites run. Some 600 MB of downloads the first time. A test
# that stands still fails by its name (bindings/kotlin/pom.xml); the limit here is for all that comes before the tests, too.
suite_android_sample() {
  local title='Tests: Android sample' root=$PWD status=0
  # Neither reports nor classes of an earlier run.
  rm -rf android-sample/state/target android-sample/app/target
  quietly "$(log_of "$title")" timeout 1800 mvn -B -q -f android-sample -Pandroid -Drepository.root="$root" -pl state,app -am package \
    -Dtest='dev/compass/sample/**/*Test*' -Dsurefire.failIfNoSpecifiedTests=false || status=$?
  surefire_counts "$title" "$status" android-sample/state/target/surefire-reports android-sample/app/target/surefire-reports
}
