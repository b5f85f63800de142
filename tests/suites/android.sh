# The Android package: compiled against the real jar of Android, its tests run under Robolectric with the real core, its AAR put together.
# No phone, no emulator, no Gradle, no R8, no NDK: docs/embedding-android.md says what that leaves open.
# shellcheck shell=bash

suite_android_needs() {
  PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
  need javac 'apt-get install openjdk-17-jdk-headless (or any JDK from 17 on)' install_jdk_for_android
  need mvn 'apt-get install maven (3.8 or newer)' install_maven_for_android
  need cc 'apt-get install gcc libc6-dev (macOS: xcode-select --install)' install_cc_for_android
  need cargo "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh" install_rust_for_android
}

install_jdk_for_android() { apt_install openjdk-17-jdk-headless; }
install_maven_for_android() { apt_install maven; }
install_cc_for_android() { apt_install gcc libc6-dev; }
install_rust_for_android() {
  command -v curl >/dev/null || apt_install curl ca-certificates || return
  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --no-modify-path --profile minimal
}

suite_android() {
  local kotlin=bindings/kotlin
  android_tests "$kotlin" || true
  if [ ! -f "$kotlin/compass-core-android/target/android.jar" ]; then
    skip 'AAR: there are no classes to put into one' 2
    return
  fi
  check 'AAR: assemble' android_aar "$kotlin/compass-core-android" "$work_dir" || { skip 'AAR: its structure'; return; }
  check 'AAR: its structure' "$kotlin/compass-core-android/aar/verify" "$work_dir/aar/compass-core-android.aar" || true
  check 'Libraries for phones: the check of 16 KB pages tells good from bad' android_pages "$kotlin" "$work_dir" || true
}

# Classes, the check against API 26 and the tests in one run of Maven, which brings the modules below along. Counts what Surefire reports; a
# run that fails without a failed test counts as one failure. Downloads some 450 MB the first time.
android_tests() {
  local title='Tests: Android' folder=$1 reports="$1/compass-core-android/target/surefire-reports" status=0
  heading "$title"
  # Neither reports nor classes of an earlier run.
  rm -rf "$folder/compass-core-android/target"
  timeout 2400 mvn -B -q -Pandroid -f "$folder/pom.xml" -pl compass-core-android -am package || status=1
  local ran=0 bad=0 ignored=0 file line
  local pattern='^<testsuite .* tests="([0-9]+)" errors="([0-9]+)" skipped="([0-9]+)" failures="([0-9]+)"'
  for file in "$reports"/TEST-*.xml; do
    [ -f "$file" ] || continue
    line=$(grep -m 1 '^<testsuite ' "$file")
    if [[ $line =~ $pattern ]]; then
      ran=$((ran + BASH_REMATCH[1])) bad=$((bad + BASH_REMATCH[2] + BASH_REMATCH[4])) ignored=$((ignored + BASH_REMATCH[3]))
    fi
  done
  if [ $((ran - bad - ignored)) -gt 0 ]; then pass "$((ran - bad - ignored)) tests" $((ran - bad - ignored)); fi
  if [ "$ignored" -gt 0 ]; then skip "$ignored tests that are skipped" "$ignored"; fi
  if [ "$bad" -gt 0 ]; then fail "$title: $bad tests" "$bad"
  elif [ "$status" -ne 0 ]; then fail "$title: stopped before all tests had run"
  elif [ "$ran" -eq 0 ]; then fail "$title: no test was run"; status=1
  fi
  return "$status"
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
  if ! command -v readelf >/dev/null; then
    echo 'readelf is missing (apt-get install binutils)'
    return 1
  fi
  printf 'int compass(void) { return 1; }\n' >"$work/library.c"
  cc -shared -fPIC -Wl,-z,max-page-size=4096 -o "$work/small.so" "$work/library.c" &&
    cc -shared -fPIC -Wl,-z,max-page-size=16384 -o "$work/large.so" "$work/library.c" &&
    "$kotlin/android-build" --check "$work/large.so" &&
    ! "$kotlin/android-build" --check "$work/small.so" 2>/dev/null
}
