import CompassCore
import Foundation
import Observation

/// A file with what could still be read, to share: how many messages in it are not sent, and whether something is missing.
public struct SavedData: Hashable, Sendable {
    public let file: URL, unsent: Phrase, gaps: Phrase?
}

/// Opens the app's one handle, and the screens above it.
///
/// Before the first unlock of the phone nothing can be read. It is tried again by itself when the phone says that it can be, and by a tap.
/// Where the database does not open because it is damaged, what can be read of it is saved, a backup takes its place, or the phone starts over.
@MainActor @Observable
public final class OpeningModel: Replacing {
    /// The app, once it is open.
    public private(set) var screens: OpenScreens?
    /// Why it is not.
    public private(set) var failure: Phrase?
    /// It may help to save what can be read.
    public private(set) var canSave = false
    /// It may help to put a backup in its place, or to start over.
    public private(set) var canReplace = false
    public private(set) var saving = false
    /// What was saved.
    public private(set) var saved: SavedData?
    public var notice: Notice?
    public let replacement: Replacement

    private let prepare: @MainActor () async throws -> Workplace
    private let turns: Turns
    private var work: Workplace?
    private var opening = false

    /// - Parameter prepare: What screens work with; nothing is opened yet.
    public init(_ prepare: @escaping @MainActor () async throws -> Workplace) {
        self.prepare = prepare
        let turns = Turns(), held = Held()
        self.turns = turns
        replacement = Replacement(turns, keepsSaved: true) { held.model?.work }
        held.model = self
        turns.refused = { [weak self] in self?.notice = Notice(words: $0, failed: true) }
        replacement.say = { [weak self] in self?.notice = $0 }
        replacement.replaced = { [weak self] in await self?.retry() }
    }

    private final class Held {
        weak var model: OpeningModel?
    }

    public func settled() async { await turns.done() }

    /// What could not be read before can be read now. What nobody has asked to be opened stays closed.
    public func retryIfItFailed() async {
        if failure != nil { await retry() }
    }

    /// Tries, unless it is open or under way.
    public func retry() async {
        if screens != nil || opening { return }
        opening = true
        defer { opening = false }
        do {
            let work: Workplace
            if let known = self.work { work = known } else { work = try await prepare() }
            self.work = work
            // The first call opens the database.
            _ = try await work.compass.integrationEnabled()
            screens = OpenScreens(work)
            (failure, canSave, canReplace) = (nil, false, false)
        } catch let refused as CompassError {
            // These do not pass by waiting. Of a file that is none of ours, the words about a backup would say too little.
            let damaged = [.corrupt, .notADatabase, .io].contains(refused.code)
            failure = damaged ? .text(.failureDataDamaged) : refused.words
            (canSave, canReplace) = (damaged || refused.code == .newerSchema, damaged)
        } catch {
            failure = .text(.failureOther, .plain("internal"))
        }
    }

    /// Saves what can be read.
    public func save() {
        guard let work, !saving else { return }
        saving = true
        turns.take { [self] in
            defer { saving = false }
            let file = ExportFile.saved.url(in: work)
            // Into a place that is free: it does not write over what was saved before.
            try? FileManager.default.removeItem(at: file)
            let salvaged = try await work.database.salvage(to: file)
            saved = SavedData(
                file: file, unsent: .count(.savedUnsent, Int(salvaged.unsent)), gaps: salvaged.gaps == 0 ? nil : .text(.savedWithGaps))
            notice = Notice(words: .text(.noticeExported, .plain(ExportFile.saved.rawValue)))
        }
    }
}
