# The Swift package on Linux: generated code and wrapper in Swift 6 language mode, the wrapper with warnings as errors, and its tests against
# the compiled core. What needs Apple's frameworks is checked against stubs of them and never runs here: see docs/embedding-ios.md.
# shellcheck shell=bash

suite_swift_needs() {
  need_rust
  # A Swift of one's own, or one in a folder of its own: Debian 12 has none.
  if have swift; then return; fi
  need_chroot swift
}

suite_swift() {
  check 'Host library and bindings for Swift' bindings/swift/generate.sh || return
  check 'Build: Swift 6 mode, the wrapper with warnings as errors' swift_tool 900 build || return
  swift_tests || true
  if [ "$(uname)" = Linux ]; then
    check 'What is for Apple alone, against stubs of its frameworks' in_swift timeout 300 bindings/swift/check-apple.sh target/swift/build/debug
  fi
}

# Where Swift is: here, or in the folder of its own.
in_swift() { if have swift; then "$@"; else tests/suites/chroot.sh swift enter "$@"; fi; }

# swift_tool SECONDS VERB ARGUMENTS...: swift on the package, wherever it is installed. A hang is a failure.
swift_tool() {
  local patience=$1 verb=$2
  shift 2
  # Debian's libswiftObservation has an undefined symbol, which nothing of ours uses.
  in_swift timeout "$patience" env COMPASS_STRICT=1 swift "$verb" --package-path bindings/swift --scratch-path target/swift/build \
    --disable-sandbox -Xlinker --allow-shlib-undefined "$@"
}

swift_tests() {
  local title='Tests: Swift' log="$work_dir/swift.log" status=0 ok=0 bad=0 ignored=0
  heading "$title"
  : >"$work_dir/swift.ended"
  { swift_tool 900 test --disable-swift-testing 2>&1 && echo well >"$work_dir/swift.ended"; } | tee "$log" |
    grep -vE "^\[|^Test (Case|Suite) .* (started|passed)" || true
  [ -s "$work_dir/swift.ended" ] || status=1
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
