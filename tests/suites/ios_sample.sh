# The sample app for iOS on Linux, in Swift 6 language mode with warnings as errors: its models, and their tests with the compiled core; and its
# views on a SwiftUI of ours, which evaluates them for an audit and draws nothing (ios-sample/README.md).
# shellcheck shell=bash

suite_ios_sample_needs() { need_swift; }

suite_ios_sample() {
  local package=ios-sample/FieldSample
  check 'Host library and bindings for Swift' bindings/swift/generate.sh || return
  check 'Build: Swift 6 mode, warnings as errors' swift_tool 900 "$package" build --build-tests || return
  swift_tests 'Tests: iOS sample, with the fake and with the core; audit of every screen' "$package" || true
  [ "$(uname)" = Linux ] || return 0
  check 'What is for Apple alone, against stubs' in_swift timeout 300 ios-sample/check-apple.sh "target/$package/debug"
}
