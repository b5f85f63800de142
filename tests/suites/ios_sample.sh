# The sample app for iOS on Linux: its models in Swift 6 language mode with warnings as errors, and their tests with the compiled core. The
# views need SwiftUI: their types are checked against stubs of it, and they never run here (ios-sample/README.md).
# shellcheck shell=bash

suite_ios_sample_needs() {
  need_rust
  # A Swift of one's own, or one in a folder of its own: Debian 12 has none.
  if have swift; then return; fi
  need_chroot swift
}

suite_ios_sample() {
  check 'Host library and bindings for Swift' bindings/swift/generate.sh || return
  check 'Build: Swift 6 mode, warnings as errors' ios_sample_tool 900 build --build-tests || return
  ios_sample_tests || true
  if [ "$(uname)" = Linux ]; then
    check 'Views and what is for Apple alone, against stubs' ios_sample_in timeout 300 ios-sample/check-views.sh target/ios-sample/build/debug
  fi
}

# Where Swift is: here, or in the folder of its own.
ios_sample_in() { if have swift; then "$@"; else tests/suites/chroot.sh swift enter "$@"; fi; }

# ios_sample_tool SECONDS VERB ARGUMENTS...: swift on the package. A hang is a failure.
ios_sample_tool() {
  local patience=$1 verb=$2
  shift 2
  # Debian's libswiftObservation has an undefined symbol, which nothing of ours uses.
  ios_sample_in timeout "$patience" env COMPASS_STRICT=1 swift "$verb" --package-path ios-sample/FieldSample \
    --scratch-path target/ios-sample/build --disable-sandbox -Xlinker --allow-shlib-undefined "$@"
}

ios_sample_tests() {
  local title='Tests: the models, with the fake and with the core' log="$work_dir/ios_sample.log" status=0 ok=0 bad=0 ignored=0
  heading "$title"
  : >"$work_dir/ios_sample.ended"
  { ios_sample_tool 900 test --disable-swift-testing 2>&1 && echo well >"$work_dir/ios_sample.ended"; } | tee "$log" |
    grep -vE "^\[|^Test (Case|Suite) .* (started|passed)" || true
  [ -s "$work_dir/ios_sample.ended" ] || status=1
  ok=$(grep -cE "^Test Case '.*' passed" "$log") || true
  bad=$(grep -cE "^Test Case '.*' failed" "$log") || true
  ignored=$(grep -cE "^Test Case '.*' skipped" "$log") || true
  if [ "$ok" -gt 0 ]; then pass "$ok tests" "$ok"; fi
  if [ "$ignored" -gt 0 ]; then skip "$ignored tests that are skipped" "$ignored"; fi
  if [ "$bad" -gt 0 ]; then fail "$title: $bad tests" "$bad"
  elif [ "$status" -ne 0 ]; then fail "$title: stopped before all tests had run"
  elif [ "$ok" -eq 0 ]; then fail "$title: no test was run"; status=1
  fi
  return "$status"
}
