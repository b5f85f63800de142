# The sample app for iOS on Linux: its models in Swift 6 language mode with warnings as errors, and their tests with the compiled core. The
# views need SwiftUI: their types are checked against stubs of it, and they never run here (ios-sample/README.md).
# shellcheck shell=bash

suite_ios_sample_needs() { need_swift; }

suite_ios_sample() {
  local package=ios-sample/FieldSample
  check 'Host library and bindings for Swift' bindings/swift/generate.sh || return
  check 'Build: Swift 6 mode, warnings as errors' swift_tool 900 "$package" build --build-tests || return
  swift_tests 'Tests: iOS sample, with the fake and with the core' "$package" || true
  [ "$(uname)" = Linux ] || return 0
  check 'Views and what is for Apple alone, against stubs' in_swift timeout 300 ios-sample/check-views.sh "target/$package/debug"
}
