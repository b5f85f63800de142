#!/usr/bin/env bash
# Builds CompassFFI.xcframework (iOS, its simulator and macOS) and the generated sources beside it, on a Mac with Xcode 16 or newer:
#
#     bindings/swift/build-xcframework.sh [--built-in-transport]
#
# --built-in-transport: with the core's own HTTP client, which is not needed beside the platform's (docs/http-transport.md).
#
# Never run yet: there was no Xcode where it was written.
set -euo pipefail

package=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$package/../.."
if [ "$(uname)" != Darwin ]; then
  printf 'build-xcframework.sh: needs a Mac with Xcode\n' >&2
  exit 1
fi

export IPHONEOS_DEPLOYMENT_TARGET=16.0 MACOSX_DEPLOYMENT_TARGET=13.0
targets=(aarch64-apple-ios aarch64-apple-ios-sim x86_64-apple-ios aarch64-apple-darwin x86_64-apple-darwin)
rustup target add "${targets[@]}"
for target in "${targets[@]}"; do
  # Tests run in the simulator and on the Mac, with the clock that they move; the library for phones has none.
  case $target in
    aarch64-apple-ios) uniffi/ship "$target" "$@" ;;
    *) uniffi/ship "$target" --testing "$@" ;;
  esac
done

bindings/swift/generate.sh
out=${CARGO_TARGET_DIR:-target}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# In a folder of its own: otherwise it would conflict with the module map of another framework.
mkdir -p "$work/headers/CompassFFI" "$work/simulator" "$work/mac"
cp "$package"/Sources/CompassFFI/{CompassModelFFI.h,CompassInternalFFI.h,CompassClockFFI.h,module.modulemap} "$work/headers/CompassFFI/"
library=release/libcompass_ffi.a
lipo -create "$out/aarch64-apple-ios-sim/$library" "$out/x86_64-apple-ios/$library" -output "$work/simulator/libcompass_ffi.a"
lipo -create "$out/aarch64-apple-darwin/$library" "$out/x86_64-apple-darwin/$library" -output "$work/mac/libcompass_ffi.a"

rm -rf "$package/CompassFFI.xcframework"
xcodebuild -create-xcframework \
  -library "$out/aarch64-apple-ios/$library" -headers "$work/headers" \
  -library "$work/simulator/libcompass_ffi.a" -headers "$work/headers" \
  -library "$work/mac/libcompass_ffi.a" -headers "$work/headers" \
  -output "$package/CompassFFI.xcframework"
du -sh "$package/CompassFFI.xcframework"/*
