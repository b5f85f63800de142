# The Swift package on Linux: generated code and wrapper in Swift 6 language mode, the wrapper with warnings as errors, and its tests against
# the compiled core. What needs Apple's frameworks is checked against stubs of them and never runs here: see docs/embedding-ios.md.
# shellcheck shell=bash

suite_swift_needs() { need_swift; }

suite_swift() {
  local package=bindings/swift
  check 'Host library and bindings for Swift' "$package/generate.sh" || return
  check 'Build: Swift 6 mode, the wrapper with warnings as errors' swift_tool 900 "$package" build || return
  swift_tests 'Tests: Swift' "$package" || true
  [ "$(uname)" = Linux ] || return 0
  check 'What is for Apple alone, against stubs of its frameworks' in_swift timeout 300 "$package/check-apple.sh" "target/$package/debug"
}
