// swift-tools-version: 6.0
import Foundation
import PackageDescription

// On a Mac the core comes as CompassFFI.xcframework (build-xcframework.sh). Elsewhere it is the host library in lib/ (generate.sh).
let library = Context.packageDirectory + "/lib"
let framework = FileManager.default.fileExists(atPath: Context.packageDirectory + "/CompassFFI.xcframework")

let core: Target = framework
    ? .binaryTarget(name: "CompassFFI", path: "CompassFFI.xcframework")
    : .systemLibrary(name: "CompassFFI")
let link: [LinkerSetting] = framework
    ? []
    : [.linkedLibrary("compass_ffi"), .unsafeFlags(["-L", library, "-Xlinker", "-rpath", "-Xlinker", library])]
// A package that another one uses must not set such flags, so only our own builds are this strict.
let strict: [SwiftSetting] = Context.environment["COMPASS_STRICT"] == "1" ? [.unsafeFlags(["-warnings-as-errors"])] : []
// With it, the compiler refuses a public signature that names a type of CompassInternal.
let ours: [SwiftSetting] = [.enableUpcomingFeature("InternalImportsByDefault")] + strict

let package = Package(
    name: "CompassCore",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [
        .library(name: "CompassCore", targets: ["CompassCore"]),
        .library(name: "CompassCoreFakes", targets: ["CompassCoreFakes"]),
        .library(name: "CompassCoreTesting", targets: ["CompassCoreTesting"]),
    ],
    targets: [
        core,
        .target(name: "CompassModel", dependencies: ["CompassFFI"], linkerSettings: link),
        .target(name: "CompassInternal", dependencies: ["CompassFFI", "CompassModel"]),
        // The clock for tests, which the library for phones does not have.
        .target(name: "CompassClock", dependencies: ["CompassFFI", "CompassModel"]),
        .target(
            name: "CompassCore",
            dependencies: ["CompassInternal", "CompassModel"],
            resources: [.copy("PrivacyInfo.xcprivacy")],
            swiftSettings: ours
        ),
        // For previews in an app, too, and so without that clock.
        .target(name: "CompassCoreFakes", dependencies: ["CompassCore"], swiftSettings: ours),
        .target(name: "CompassCoreTesting", dependencies: ["CompassClock", "CompassCore", "CompassCoreFakes"], swiftSettings: ours),
        .testTarget(
            name: "CompassCoreTests",
            dependencies: ["CompassCore", "CompassCoreFakes", "CompassCoreTesting", "CompassFFI", "CompassInternal"],
            swiftSettings: strict
        ),
    ],
    swiftLanguageModes: [.v6]
)
