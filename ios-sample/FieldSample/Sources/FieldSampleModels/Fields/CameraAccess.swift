/// What the phone says of its camera when a photo is to be taken.
///
/// ```swift
/// if access == .notAsked { access = await ask() ? .allowed : .denied }
/// if access.isRefused { act(.notPhotographed(access)) } else { openCamera() }
/// ```
public enum CameraAccess: Hashable, Sendable, CaseIterable {
    case allowed
    /// The phone asks the technician now.
    case notAsked
    case denied
    /// By those who manage the phone: its settings have no switch for it.
    case restricted
    /// There is none.
    case missing

    /// There is no photo to be had; the field says why, and a file can be chosen.
    public var isRefused: Bool { words != nil }

    var words: TextId? {
        switch self {
        case .allowed, .notAsked: nil
        case .denied: .cameraDenied
        case .restricted: .cameraRestricted
        case .missing: .cameraMissing
        }
    }
}
