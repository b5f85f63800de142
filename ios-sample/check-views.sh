#!/usr/bin/env bash
# Checks the types of the views, and of what is for Apple alone beneath them, against stubs of Apple's frameworks that declare what the views use of them:
#
#     ios-sample/check-views.sh BUILD      BUILD: the folder of a finished debug build of FieldSample
#
# It sees wrong names, types and missing cases of ours, as far as the stubs are right. Nothing of it is run, and it is no replacement for Xcode.
set -euo pipefail

build=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for stub in UIKit AVFoundation CoreLocation CryptoKit SwiftUI; do
  swiftc -emit-module -module-name "$stub" -parse-as-library -I "$work" -o "$work/$stub.swiftmodule" "Stubs/$stub.swift"
done
mkdir "$work/sources"
cp App/Sources/*.swift Stubs/Phone.swift "$work/sources/"
# UTType is in the stub of SwiftUI. Macros of Apple's SDK cannot be declared here: a preview becomes a function, an entry what it stands for.
sed -i -E '/^import UniformTypeIdentifiers$/d; s/^#Preview \{ (.*) \}$/@MainActor private func preview__LINE__() -> some View { \1 }/' "$work"/sources/*.swift
for file in "$work"/sources/*.swift; do
  awk '{ gsub(/__LINE__/, NR); print }' "$file" >"$file.new"
  mv "$file.new" "$file"
done
sed -i -E 's/^    @Entry var phrases = (.*)$/    var phrases: Phrases { \1 }/' "$work/sources/Style.swift"
swiftc -typecheck -parse-as-library -module-name FieldSampleApp -swift-version 6 -I "$work" -I "$build/Modules" \
  -Xcc -fmodule-map-file="$PWD/../bindings/swift/Sources/CompassFFI/module.modulemap" "$work"/sources/*.swift
printf 'the views fit the stubs and the models\n'

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
