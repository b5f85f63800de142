#!/usr/bin/env bash
# Checks the types of what is compiled out on Linux, against stubs of Apple's frameworks that declare what the package uses of them:
#
#     bindings/swift/check-apple.sh BUILD      BUILD: the folder of a finished debug build
#
# It sees wrong names, types and missing cases of ours, and what Swift 6 says about concurrency, as far as the stubs are right. It is no
# replacement for Xcode.
set -euo pipefail

build=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for stub in UIKit Network BackgroundTasks Security; do
  swiftc -emit-module -module-name "$stub" -parse-as-library -o "$work/$stub.swiftmodule" "Tests/AppleStubs/$stub.swift"
done
mkdir "$work/sources"
cp Sources/CompassCore/*.swift Tests/AppleStubs/Foundation+Apple.swift "$work/sources/"
# Every branch for Apple; FoundationNetworking stays, since that is where URLSession is here.
sed -i -E '/^ *#(if|elseif) /s/(canImport\((UIKit|Network|BackgroundTasks|Security|Darwin)\)|os\((iOS|tvOS|visionOS)\))/true/g; /^ *#if /s/!os\(watchOS\)/true/' \
  "$work"/sources/*.swift
# As far as SIL: only there the compiler looks for races.
swiftc -emit-sil -wmo -o "$work/out" -module-name CompassCore -package-name compass -swift-version 6 -enable-upcoming-feature InternalImportsByDefault \
  -warnings-as-errors -I "$work" -I "$build/Modules" -Xcc -fmodule-map-file="$PWD/Sources/CompassFFI/module.modulemap" "$work"/sources/*.swift
printf 'the branches for Apple fit the stubs\n'
