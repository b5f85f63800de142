// swift-tools-version: 6.0
import PackageDescription

// All of the app but its views: models, navigation and words. Builds and is tested on Linux too.
// A package that is used by another may not set such flags: only our own builds are this strict.
let strict: [SwiftSetting] = Context.environment["COMPASS_STRICT"] == "1" ? [.unsafeFlags(["-warnings-as-errors"])] : []

let package = Package(
    name: "FieldSample",
    platforms: [.iOS(.v17), .macOS(.v14)],
    products: [.library(name: "FieldSampleModels", targets: ["FieldSampleModels"])],
    dependencies: [.package(path: "../../bindings/swift")],
    targets: [
        .target(
            name: "FieldSampleModels",
            dependencies: [.product(name: "CompassCore", package: "swift")],
            swiftSettings: strict
        ),
        // A technician's day, for the tests and for the process that one of them destroys.
        .target(name: "FieldStory", dependencies: ["FieldSampleModels"], path: "Tests/FieldStory", swiftSettings: strict),
        .executableTarget(name: "LastMoments", dependencies: ["FieldStory"], path: "Tests/LastMoments", swiftSettings: strict),
        .testTarget(
            name: "FieldSampleModelsTests",
            dependencies: ["FieldSampleModels", "FieldStory", "LastMoments", .product(name: "CompassCoreTesting", package: "swift")]
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
        dependencies: ["FieldSampleModels"] + stubs.map { .byName(name: $0) },
        path: "Tests/Stubs/FieldSampleApp",
        swiftSettings: strict
    ),
    .testTarget(name: "FieldSampleAppTests", dependencies: [
            "FieldSampleApp", "FieldSampleModels", "FieldStory", "SwiftUI", .product(name: "CompassCoreTesting", package: "swift"),
        ]),
]
#endif
