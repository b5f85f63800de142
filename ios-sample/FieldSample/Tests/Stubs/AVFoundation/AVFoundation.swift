// What the app uses of AVFoundation: see the stub of SwiftUI.
public struct AVMediaType: Sendable { public static let video = AVMediaType() }
public enum AVAuthorizationStatus { case notDetermined, restricted, denied, authorized }
public final class AVCaptureDevice {
    public static func authorizationStatus(for type: AVMediaType) -> AVAuthorizationStatus { .notDetermined }
    public static func requestAccess(for type: AVMediaType) async -> Bool { false }
}
