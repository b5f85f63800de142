import Foundation

/// Keeps where in the app the technician is, for a battery that dies. The app does so in a `PlaceFile`.
///
/// `SceneStorage` is not enough: the system promises neither when it writes nor that it keeps what it wrote.
public protocol PlaceStore: Sendable {
    func load() -> String?
    func save(_ place: String)
}

/// A place in a small file, on flash when `save` returns.
public struct PlaceFile: PlaceStore {
    private let file: URL

    /// In a folder that is there.
    public init(_ file: URL) { self.file = file }

    public func load() -> String? { try? String(contentsOf: file, encoding: .utf8) }

    public func save(_ place: String) {
        // What cannot be kept costs a few taps, and no work: the disk is full, and the next answer says so.
        guard (try? Data(place.utf8).write(to: file, options: .atomic)) != nil, let written = try? FileHandle(forUpdating: file) else { return }
        try? written.synchronize()
        try? written.close()
    }
}
