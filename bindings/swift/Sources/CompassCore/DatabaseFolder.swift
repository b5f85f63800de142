public import Foundation

/// The folder of the database, as a phone needs it.
///
/// ```swift
/// let folder = try DatabaseFolder.prepare()
/// ```
public enum DatabaseFolder {
    /// Makes the folder `compass` in Application Support, or the one that is named, if it is missing, and gives it.
    ///
    /// On iOS its files can be read from the first unlock on (background jobs run while the phone is locked), and on Apple's platforms it
    /// is left out of backups: a restored copy would hold messages that the old phone has sent since.
    @discardableResult
    public static func prepare(_ folder: URL? = nil) throws -> URL {
        let files = FileManager.default
        var folder = try folder
            ?? files.url(for: .applicationSupportDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
                .appendingPathComponent("compass", isDirectory: true)
        try files.createDirectory(at: folder, withIntermediateDirectories: true)
        #if os(iOS)
        // The database, its log and its index inherit it from the folder.
        try files.setAttributes([.protectionKey: FileProtectionType.completeUntilFirstUserAuthentication], ofItemAtPath: folder.path)
        #endif
        #if canImport(Darwin)
        var values = URLResourceValues()
        values.isExcludedFromBackup = true
        try folder.setResourceValues(values)
        #else
        folder = folder.standardizedFileURL
        #endif
        return folder
    }
}
