import CompassCore
import FieldSampleModels
import FieldStory
import Foundation

/// The process that a dead battery destroys: works on a phone until it is in the middle of a word, says so, and waits for its end.
///
///     LastMoments FLASH OFFICE AUTHORITY SECRET
@main
@MainActor
struct LastMoments {
    static func main() async throws {
        let arguments = CommandLine.arguments
        let authority = try String(contentsOfFile: arguments[3], encoding: .utf8)
        let phone = try await StoryPhone(URL(fileURLWithPath: arguments[1]), transport: nil, extraRoots: [authority])
        try await phone.setUp(office: arguments[2], secret: arguments[4])
        // From here on the house has no signal.
        await phone.work.networkChanged(reachable: false)

        let session = try await phone.startPumpCheck()
        session.field("site", .typed("Mill Lane"))
        session.answer("on")
        await session.settled()
        session.back()
        await session.settled()
        guard case .line("Mill Lane", _, _) = session.fields.first?.input else { throw NotSo("back loses nothing") }
        session.answer("on")
        await session.settled()
        session.sheet = .note("Beware of the dog")
        session.saveNote()
        await session.settled()
        session.field("pressure", .typed("2.50"))
        session.field("pressure", .left)
        session.field("remark", .typed("Half a wo"))
        session.openNote()
        session.sheet = .note("And of the")
        await session.settled()

        // Not what the models know, but what another look at the flash finds.
        guard case .session(let key) = phone.navigator.top else { throw NotSo("a session is shown") }
        try await until("the word is kept") {
            let kept = try await phone.compass.session(key)
            return kept.fields.contains { $0.draft == "Half a wo" } && kept.noteDraft == "And of the" && kept.notes.count == 1
        }
        try await until("the place is kept") { phone.place.load() == "workflows session/\(key)" }
        FileHandle.standardOutput.write(Data("the battery may die now\n".utf8))
        await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
    }
}
