# The Android half of the sample app: compiled against the real jar of Android with its resources linked by aapt2, run under Robolectric with
# the real core, its screens audited and compared with their pictures. No phone, no emulator, no Gradle.
# shellcheck shell=bash

suite_android_sample_needs() {
  need_rust
  need_maven
  need aapt2 'apt-get install aapt' install_aapt2
}

install_aapt2() { apt_install aapt; }

# Builds the modules below on the way, whose tests other suites run. Some 600 MB of downloads the first time. A hang is a failure.
suite_android_sample() {
  local title='Tests: Android sample' folder=android-sample root=$PWD status=0
  heading "$title"
  # Neither reports nor classes of an earlier run.
  rm -rf "$folder/app/target"
  (
    cd "$folder" &&
      timeout 2400 mvn -B -q -Pandroid -Drepository.root="$root" -pl app -am package \
        -Dtest='dev.compass.sample.app.*Test' -Dsurefire.failIfNoSpecifiedTests=false
  ) || status=$?
  surefire_counts "$title" "$status" "$folder/app/target/surefire-reports"
}
