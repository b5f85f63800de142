#!/usr/bin/env bash
# Checks the types in code that is left out on Linux, and in the examples of the guide (docs/embedding-ios.md), against stubs of Apple's
# frameworks that declare the used parts:
#
#     bindings/swift/check-apple.sh BUILD      BUILD: the folder of a finished debug build
#
# It finds wrong names, types and missing cases, and errors of concurrency in Swift 6, as far as the stubs are right. It does not replace
# Xcode.
set -euo pipefail

build=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for stub in UIKit Network BackgroundTasks Security SwiftUI; do
  swiftc -emit-module -module-name "$stub" -parse-as-library -o "$work/$stub.swiftmodule" "Tests/AppleStubs/$stub.swift"
done
mkdir "$work/sources"
cp Sources/CompassCore/*.swift Tests/AppleStubs/Foundation+Apple.swift "$work/sources/"
# Every branch for Apple; FoundationNetworking stays, because URLSession is there on Linux.
sed -i -E '/^ *#(if|elseif) /s/(canImport\((UIKit|Network|BackgroundTasks|Security|Darwin)\)|os\((iOS|tvOS|visionOS)\))/true/g; /^ *#if /s/!os\(watchOS\)/true/' \
  "$work"/sources/*.swift
apple=(-swift-version 6 -warnings-as-errors -I "$work" -I "$build/Modules" -Xcc -fmodule-map-file="$PWD/Sources/CompassFFI/module.modulemap")
ours=(-package-name compass -enable-upcoming-feature InternalImportsByDefault)
# Up to SIL: only there the compiler checks for races.
swiftc -emit-sil -wmo -o "$work/out" -module-name CompassCore "${ours[@]}" "${apple[@]}" "$work"/sources/*.swift
printf 'the branches for Apple fit the stubs\n'

swiftc -emit-module -wmo -o "$work/CompassCore.swiftmodule" -module-name CompassCore "${ours[@]}" "${apple[@]}" "$work"/sources/*.swift
for module in CompassCoreFakes CompassCoreTesting; do
  swiftc -emit-module -wmo -o "$work/$module.swiftmodule" -module-name "$module" "${ours[@]}" "${apple[@]}" "Sources/$module"/*.swift
done
# Each example is a file of one app; the first, which has statements, is the body of a function.
mkdir "$work/guide"
awk -v folder="$work/guide" '
  /^```swift$/ {
    file = sprintf("%s/Example%d.swift", folder, ++number)
    split("CompassCore CompassCoreTesting Foundation SwiftUI UIKit XCTest", modules, " ")
    for (i = 1; i in modules; i++) print "import " modules[i] > file
    if (number == 1) print "@MainActor func first() async throws {" > file
    next
  }
  /^```$/ && file { if (number == 1) print "}" > file; close(file); file = ""; next }
  file && !/^import / { print > file }
' ../../docs/embedding-ios.md
swiftc -emit-sil -wmo -o "$work/out" -module-name Guide "${apple[@]}" "$work"/guide/*.swift Tests/Guide/Around.swift
printf '%s examples of the guide compile too\n' "$(find "$work/guide" -type f | wc -l)"
