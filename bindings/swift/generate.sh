#!/usr/bin/env bash
# Builds the host library into lib/ and writes the generated sources of this package. They are not in git.
#
#     bindings/swift/generate.sh
set -euo pipefail

package=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$package/../.." && pwd)
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
"$repository/uniffi/generate" swift "$fresh"

# The generator has no option for this: Foundation has a `Decimal`, and one generated source must import the other.
perl -pi -e 's/(?<![\w."`])Decimal\b(?!")/DecimalValue/g' "$fresh/CompassModel.swift"
perl -pi -e 's/^import Foundation$/import CompassModel\nimport Foundation/' "$fresh/CompassInternal.swift" "$fresh/CompassClock.swift"

# Unchanged files keep their time, so that they are not compiled again.
place() { cmp -s "$1" "$2" || { mkdir -p "$(dirname "$2")" && cp "$1" "$2"; }; }
for module in CompassModel CompassInternal CompassClock; do
  place "$fresh/$module.swift" "$package/Sources/$module/Generated/$module.swift"
  place "$fresh/${module}FFI.h" "$package/Sources/CompassFFI/${module}FFI.h"
done
target=${CARGO_TARGET_DIR:-$repository/target}/debug
case $(uname) in
  Darwin) place "$target/libcompass_ffi.dylib" "$package/lib/libcompass_ffi.dylib" ;;
  *) place "$target/libcompass_ffi.so" "$package/lib/libcompass_ffi.so" ;;
esac
