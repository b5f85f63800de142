#!/usr/bin/env bash
# Checks what is for Apple alone in the models, and in the core's package beneath them, against stubs of Apple's frameworks:
#
#     ios-sample/check-apple.sh BUILD      BUILD: the folder of a finished debug build of FieldSample
#
# It sees wrong names, types, missing cases and races of ours, as far as the stubs are right. Nothing of it is run, and it is no replacement for
# Xcode. The views are not in it: they are built and tested with the package (FieldSample/Tests/Stubs).
set -euo pipefail

build=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The core's package and the models, with every branch for Apple: the background task, the Keychain, the network's state.
core=$PWD/../bindings/swift
mkdir "$work/apple" "$work/core" "$work/models"
for stub in UIKit Network BackgroundTasks Security; do
  swiftc -emit-module -module-name "$stub" -parse-as-library -o "$work/apple/$stub.swiftmodule" "$core/Tests/AppleStubs/$stub.swift"
done
cp "$core"/Sources/CompassCore/*.swift "$core/Tests/AppleStubs/Foundation+Apple.swift" "$work/core/"
cp FieldSample/Sources/FieldSampleModels/*.swift FieldSample/Sources/FieldSampleModels/*/*.swift "$work/models/"
sed -i -E '/^ *#(if|elseif) /s/(canImport\((UIKit|Network|BackgroundTasks|Security|Darwin)\)|os\((iOS|tvOS|visionOS)\))/true/g; /^ *#if /s/!os\(watchOS\)/true/' \
  "$work"/core/*.swift "$work"/models/*.swift
apple=(-swift-version 6 -I "$work/apple" -I "$build/Modules" -Xcc -fmodule-map-file="$core/Sources/CompassFFI/module.modulemap")
swiftc -emit-module -module-name CompassCore -package-name compass -enable-upcoming-feature InternalImportsByDefault \
  -o "$work/apple/CompassCore.swiftmodule" "${apple[@]}" "$work"/core/*.swift
# As far as SIL: only there the compiler looks for races.
swiftc -emit-sil -wmo -warnings-as-errors -module-name FieldSampleModels -o "$work/out" "${apple[@]}" "$work"/models/*.swift
printf 'the branches for Apple fit the stubs\n'
