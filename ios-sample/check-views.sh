#!/usr/bin/env bash
# Checks the types of the views against stubs of Apple's frameworks that declare what the views use of them:
#
#     ios-sample/check-views.sh BUILD      BUILD: the folder of a finished debug build of FieldSample
#
# It sees wrong names, types and missing cases of ours, as far as the stubs are right. Nothing of it is run, and it is no replacement for Xcode.
set -euo pipefail

build=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for stub in UIKit CoreLocation CryptoKit SwiftUI; do
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
