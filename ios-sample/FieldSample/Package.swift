// swift-tools-version: 6.0
import PackageDescription

// All of the app but its views: models, navigation and words. Builds and is tested on Linux too.
// A package that is used by another may not set such flags: only our own builds are this strict.
let strict: [SwiftSetting] = Context.environment["COMPASS_STRICT"] == "1" ? [.unsafeFlags(["-warnings-as-errors"])] : []

let package = Package(
    name: "FieldSample",
    platforms: [.iOS(.v17), .macOS(.v14)],
    products: [
        .library(name: "FieldSampleModels", targets: ["FieldSampleModels"]), .library(name: "FieldSampleExamples", targets: ["FieldSampleExamples"]),
    ],
    dependencies: [.package(path: "../../bindings/swift")],
    targets: [
        .target(
            name: "FieldSampleModels",
            dependencies: [.product(name: "CompassCore", package: "swift")],
            swiftSettings: strict
        ),
        // What previews and tests of one screen show.
        .target(
            name: "FieldSampleExamples",
            dependencies: ["FieldSampleModels", .product(name: "CompassCoreFakes", package: "swift")],
            swiftSettings: strict
        ),
        // A technician's day, for the tests and for the process that one of them destroys.
        .target(name: "FieldStory", dependencies: ["FieldSampleModels"], path: "Tests/FieldStory", swiftSettings: strict),
        .executableTarget(name: "LastMoments", dependencies: ["FieldStory"], path: "Tests/LastMoments", swiftSettings: strict),
        .testTarget(
            name: "FieldSampleModelsTests",
            dependencies: ["FieldSampleExamples", "FieldSampleModels", "FieldStory", "LastMoments", .product(name: "CompassCoreTesting", package: "swift")]
        ),
    ],
    swiftLanguageModes: [.v6]
)

#if os(Linux)
// The app, too, where there is no Xcode: against stubs of Apple's frameworks. That of SwiftUI evaluates the views, so that tests can look at them.
let stubs = ["SwiftUI", "AVFoundation", "CoreLocation", "CryptoKit", "UniformTypeIdentifiers"]
package.targets += stubs.map { .target(name: $0, dependencies: $0 == "UniformTypeIdentifiers" ? ["SwiftUI"] : [], path: "Tests/Stubs/\($0)") }
package.targets += [
    .executableTarget(
        name: "FieldSampleApp",
        dependencies: ["FieldSampleExamples", "FieldSampleModels"] + stubs.map { .byName(name: $0) },
        path: "Tests/Stubs/FieldSampleApp",
        swiftSettings: strict
    ),
    .testTarget(name: "FieldSampleAppTests", dependencies: [
            "FieldSampleApp", "FieldSampleExamples", "FieldSampleModels", "FieldStory", "SwiftUI", .product(name: "CompassCoreTesting", package: "swift"),
        ]),
]
#endif
