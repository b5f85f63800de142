public import Foundation

/// The folder of the database, with the protection that it needs on a phone.
///
/// ```swift
/// let folder = try DatabaseFolder.prepare()
/// ```
public enum DatabaseFolder {
    /// Creates the folder `compass` in Application Support, or the given one, if it does not exist, and returns it.
    ///
    /// On iOS its files can be read from the first unlock on (background jobs run while the phone is locked), and on Apple's platforms it
    /// is left out of backups: a restored copy would send messages again that the old phone has sent since.
    @discardableResult
    public static func prepare(_ folder: URL? = nil) throws -> URL {
        let files = FileManager.default
        let folder = try folder
            ?? files.url(for: .applicationSupportDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
                .appendingPathComponent("compass", isDirectory: true)
        try files.createDirectory(at: folder, withIntermediateDirectories: true)
        // The database, its WAL and its index inherit the protection class from the folder.
        return try protect(folder)
    }

    /// Protects a new copy like the folder of the database, in any folder; if that fails, the copy is removed.
    static func protectCopy(_ file: URL) throws {
        do {
            try protect(file)
        } catch {
            try? FileManager.default.removeItem(at: file)
            throw CompassError(code: "io", detail: "the copy could not be protected and was removed")
        }
    }

    @discardableResult
    private static func protect(_ item: URL) throws -> URL {
        var item = item
        #if os(iOS)
        let readable = FileProtectionType.completeUntilFirstUserAuthentication
        try FileManager.default.setAttributes([.protectionKey: readable], ofItemAtPath: item.path)
        #endif
        #if canImport(Darwin)
        var values = URLResourceValues()
        values.isExcludedFromBackup = true
        try item.setResourceValues(values)
        #else
        item = item.standardizedFileURL
        #endif
        return item
    }
}
