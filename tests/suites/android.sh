# The Android package: compiled against the real jar of Android, its tests run under Robolectric with the real core, its AAR put together.
# No phone, no emulator, no Gradle, no R8, no NDK: docs/embedding-android.md says what that leaves open.
# shellcheck shell=bash

suite_android_needs() {
  need_rust
  need_maven
  need readelf 'apt-get install binutils (macOS: brew install binutils)' install_binutils_for_android
}

install_binutils_for_android() { apt_install binutils; }

suite_android() {
  local kotlin=bindings/kotlin
  # Maven does it again in no time; here cargo can say what is wrong.
  check 'Bindings for Kotlin' uniffi/generate kotlin "$work_dir/kotlin" || return
  android_tests "$kotlin" || true
  if [ ! -f "$kotlin/compass-core-android/target/android.jar" ]; then
    skip 'AAR: there are no classes to put into one' 2
    return
  fi
  check 'AAR: assemble' android_aar "$kotlin/compass-core-android" "$work_dir" || { skip 'AAR: its structure'; return; }
  check 'AAR: its structure' "$kotlin/compass-core-android/aar/verify" "$work_dir/aar/compass-core-android.aar" || true
  # Only a linker of ELF files knows of pages.
  [ "$(uname)" = Linux ] || { skip 'Libraries for phones: the check of 16 KB pages'; return; }
  check 'Libraries for phones: the check of 16 KB pages tells good from bad' android_pages "$kotlin" "$work_dir" || true
}

# Classes, the check against API 26 and the tests in one run of Maven, which brings the modules below along. Some 450 MB of downloads the first
# time. A test that stands still fails by its name (bindings/kotlin/pom.xml); the limit here is for all that comes before the tests, too.
android_tests() {
  local title='Tests: Android' folder=$1 status=0
  # Neither reports nor classes of an earlier run.
  rm -rf "$folder/compass-core-android/target"
  quietly "$(log_of "$title")" timeout 1800 mvn -B -q -f "$folder" -Pandroid -pl compass-core-android -am package || status=$?
  surefire_counts "$title" "$status" "$folder/compass-core-android/target/surefire-reports"
}

# The AAR of what was built, with empty files where the libraries for phones belong: those need an NDK.
android_aar() {
  local module=$1 work=$2 abi
  for abi in arm64-v8a armeabi-v7a x86_64; do
    mkdir -p "$work/jni/$abi"
    : >"$work/jni/$abi/libcompass_ffi.so"
  done
  "$module/aar/assemble" "$module/target/android.jar" "$work/jni" "$work/aar"
}

# The library of this machine is linked with both sizes of pages; the check has to refuse the small one.
android_pages() {
  local kotlin=$1 work=$2
  printf 'int compass(void) { return 1; }\n' >"$work/library.c"
  cc -shared -fPIC -Wl,-z,max-page-size=4096 -o "$work/small.so" "$work/library.c" &&
    cc -shared -fPIC -Wl,-z,max-page-size=16384 -o "$work/large.so" "$work/library.c" &&
    "$kotlin/android-build" --check "$work/large.so" &&
    ! "$kotlin/android-build" --check "$work/small.so" 2>/dev/null
}
