// What the app uses of UIKit. In this module, for the core asks whether there is one of that name.

@MainActor public final class UIApplication {
    public struct LaunchOptionsKey: Hashable, Sendable {}
    public static let shared = UIApplication()
    public static let openSettingsURLString = ""
    public var isIdleTimerDisabled = false
    public func open(_ url: URL) {}
}
@MainActor public protocol UIApplicationDelegate {}
public enum UIKeyboardType { case `default`, numberPad, decimalPad, numbersAndPunctuation, emailAddress, phonePad, URL }
public final class UIImage {
    public func jpegData(compressionQuality: CGFloat) -> Data? { nil }
    public func pngData() -> Data? { nil }
}
@MainActor public protocol UIImagePickerControllerDelegate {}
@MainActor public protocol UINavigationControllerDelegate {}
@MainActor public final class UIImagePickerController {
    public struct InfoKey: Hashable, Sendable { public static let originalImage = InfoKey() }
    public enum SourceType { case camera, photoLibrary }
    public init() {}
    public static func isSourceTypeAvailable(_ type: SourceType) -> Bool { false }
    public var sourceType = SourceType.camera
    public var delegate: (any UIImagePickerControllerDelegate & UINavigationControllerDelegate)?
}

// Of other modules of Apple's that SwiftUI brings along or needs.
public struct UTType: Hashable, Sendable {
    let type: String
    public init?(filenameExtension: String) { type = filenameExtension }
    public var preferredMIMEType: String? { ["txt": "text/plain", "jpg": "image/jpeg", "pdf": "application/pdf"][type] }
    public static let json = UTType(filenameExtension: "json")!, item = UTType(filenameExtension: "")!
}
extension Data.WritingOptions {
    public static var completeFileProtectionUntilFirstUserAuthentication: Data.WritingOptions { [] }
}
extension URL {
    public func startAccessingSecurityScopedResource() -> Bool { false }
    public func stopAccessingSecurityScopedResource() {}
}
