import CompassCore
import Foundation
import Observation

/// What takes the place of what is on the phone.
public enum DataChange: Hashable, Sendable {
    /// What is in this copy of a backup, which is the app's own.
    case putBack(URL)
    /// Nothing.
    case erase
}

/// What is asked before what is on the phone is replaced or erased.
public enum DataQuestion: Hashable, Sendable {
    case putBack(URL)
    /// Asked once more to be sure.
    case erase(sure: Bool)
    case undelivered(UndeliveredQuestion)

    /// What is to be done.
    var change: DataChange {
        switch self {
        case .putBack(let copy): .putBack(copy)
        case .erase: .erase
        case .undelivered(let question): question.change
        }
    }
}

/// Giving messages up, so that something else can be done, needs a reason and the name of who does it.
public struct UndeliveredQuestion: Hashable, Sendable {
    public let change: DataChange
    /// How many messages would be lost.
    public let lost: Phrase
    /// The settings know no name: it is asked here.
    public let asksName: Bool
    public var by: String
    public var reason = ""
    public var canDiscard: Bool { !reason.allSatisfy(\.isWhitespace) && !by.allSatisfy(\.isWhitespace) }
}

/// The files that the app writes to share them, and the copy of a backup that was chosen.
enum ExportFile: String, CaseIterable {
    case diagnostics = "diagnostics.txt", backup = "compass-backup.db", chosen = "chosen-backup.db"
    /// What could still be read of a database that does not open.
    case saved = "compass-saved.jsonl"

    @MainActor func url(in work: Workplace) -> URL { work.exports.appendingPathComponent(rawValue, isDirectory: false) }

    @MainActor func ifThere(in work: Workplace) -> URL? {
        let file = url(in: work)
        return FileManager.default.fileExists(atPath: file.path) ? file : nil
    }
}

/// Puts a backup in the place of what is on the phone, or erases it, after the questions that this takes: for the settings, and for a database
/// that does not open.
@MainActor @Observable
public final class Replacement {
    public private(set) var question: DataQuestion?
    /// The database is being replaced or erased.
    public private(set) var replacing = false
    @ObservationIgnored var say: @MainActor (Notice) -> Void = { _ in }
    /// What else there is to do once the database is gone.
    @ObservationIgnored var erased: @MainActor () -> Void = {}
    /// There is another database now.
    @ObservationIgnored var replaced: @MainActor () async -> Void = {}

    private let turns: Turns
    private let keepsSaved: Bool
    private let work: @MainActor () -> Workplace?

    /// `keepsSaved`: what was saved of the database stays when it is erased.
    init(_ turns: Turns, keepsSaved: Bool, _ work: @escaping @MainActor () -> Workplace?) {
        (self.turns, self.keepsSaved, self.work) = (turns, keepsSaved, work)
    }

    /// A backup was chosen. It is copied at once: the file may be the app's for this moment only.
    public func chooseBackup(_ file: URL) {
        guard let work = work() else { return }
        let copy = ExportFile.chosen.url(in: work)
        try? FileManager.default.removeItem(at: copy)
        do {
            try FileManager.default.copyItem(at: file, to: copy)
            question = .putBack(copy)
        } catch {
            say(Notice(words: .text(.failureUnreadable), failed: true))
        }
    }

    /// Asks first.
    public func eraseEverything() { question = .erase(sure: false) }

    /// What is typed into the question that gives messages up.
    public func discard(reason: String? = nil, by: String? = nil) {
        guard case .undelivered(var asked)? = question else { return }
        if let reason { asked.reason = reason }
        if let by { asked.by = by }
        question = .undelivered(asked)
    }

    /// No to the question.
    public func dismissQuestion() {
        if replacing { return }
        if let question { forgetCopy(question.change) }
        question = nil
    }

    /// Yes to the question.
    public func confirm() {
        switch question {
        case .putBack?, .erase(sure: true)?: replace(nil)
        case .erase(sure: false)?: question = .erase(sure: true)
        case .undelivered(let asked)? where asked.canDiscard:
            let reason = asked.reason.trimmingCharacters(in: .whitespacesAndNewlines)
            replace(DiscardUndelivered(actor: asked.by.trimmingCharacters(in: .whitespaces), reason: reason))
        default: break
        }
    }

    private func replace(_ discard: DiscardUndelivered?) {
        guard let change = question?.change, !replacing, let work = work() else { return }
        replacing = true
        turns.take { [self] in
            defer { replacing = false }
            do {
                switch change {
                case .putBack(let copy): try await work.database.restore(copy, discarding: discard)
                case .erase: try await erase(work, discard)
                }
            } catch let failure as CompassError where failure.code == .undelivered && discard == nil {
                question = .undelivered(
                    UndeliveredQuestion(
                        change: change, lost: failure.messages.map { .count(.undelivered, $0) } ?? .text(.undeliveredUnknown),
                        asksName: work.actor == nil, by: work.actor ?? ""))
                return
            } catch {
                question = nil
                forgetCopy(change)
                throw error
            }
            question = nil
            forgetCopy(change)
            say(Notice(words: .text(change == .erase ? .noticeErased : .noticePutBack)))
            await replaced()
        }
    }

    private func erase(_ work: Workplace, _ discard: DiscardUndelivered?) async throws {
        try await work.database.erase(discarding: discard)
        do { try work.vault.removeAll() } catch { throw CompassError(code: "secret_unavailable") }
        let exports = ExportFile.allCases.filter { !keepsSaved || $0 != .saved }.map { $0.url(in: work) }
        for file in exports + [work.attachments].compactMap({ $0 }) { try? FileManager.default.removeItem(at: file) }
        work.preferences.actor = ""
        erased()
    }

    private func forgetCopy(_ change: DataChange) {
        if case .putBack(let copy) = change { try? FileManager.default.removeItem(at: copy) }
    }
}

extension CompassError {
    // The core counts in its words alone: "2 messages are …", and without a number where it cannot.
    fileprivate var messages: Int? { detail.split(separator: " ").first.flatMap { Int($0) } }
}

/// A screen from which what is on the phone is replaced or erased.
@MainActor
public protocol Replacing: AnyObject {
    var replacement: Replacement { get }
    var notice: Notice? { get set }
}

extension Replacing {
    public var question: DataQuestion? { replacement.question }
    public var replacing: Bool { replacement.replacing }
    public func chooseBackup(_ file: URL) { replacement.chooseBackup(file) }
    public func eraseEverything() { replacement.eraseEverything() }
    public func discard(reason: String? = nil, by: String? = nil) { replacement.discard(reason: reason, by: by) }
    public func dismissQuestion() { replacement.dismissQuestion() }
    public func confirm() { replacement.confirm() }
}
