// What the app uses of UIKit: see SwiftUI.swift.
@_exported import Foundation

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
