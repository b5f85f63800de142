import CompassCore
import CompassCoreTesting
import FieldSampleExamples
import FieldStory
import Foundation
import SwiftUI
import XCTest

@testable import FieldSampleApp
@testable import FieldSampleModels

/// The app tapped through on the fake, by what a screen reader calls things.
@MainActor
final class WalkTests: XCTestCase {
    private func stand(_ phone: FakeState = .atWork, saved: String = "workflows", values: EnvironmentValues = EnvironmentValues()) throws -> Stand {
        Stand(phone, words: try phrases(), values: values, saved: saved)
    }

    private func endOfSession() -> FakeState {
        var phone = FakeState.atWork
        phone.views["s1"]?.fields = []
        return phone
    }

    /// With the real core.
    func testAMessageIsAddedToASectionInThreeTaps() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("added-\(UUID().uuidString)")
        let phone = try await StoryPhone(folder, transport: nil)
        try await phone.setUp(office: "https://office.example/hooks", secret: nil)
        phone.navigator.open(.workflows)
        let stand = Stand(phone.screens, words: try phrases())
        try await stand.tap("Open: Pump check")
        _ = try await stand.find("Leave", .heading)
        try await eventually {
            try stand.workflow().openAdd("leave")
            return try stand.workflow().adding?.chosen != nil
        }
        try stand.workflow().adding = nil
        try await stand.tap("Send a message from here: Leave")
        _ = try await stand.find("office", .button)
        try await stand.tap("Add")
        _ = try await stand.find("Added. New version 1.1 on this phone", .button)
        try await stand.tap("Remove: Leave")
        _ = try await stand.find("Remove “Leave” from this section? Sessions that have begun still send it.", .heading)
        try await stand.tap("Remove")
        _ = try await stand.find("Removed. New version 1.2 on this phone", .button)
        let left = try await phone.compass.workflow(PumpCheck.key).sections.flatMap(\.actions).map(\.name)
        XCTAssertEqual(left, ["Report"])
        try await phone.compass.close()
    }

    func testASessionIsWorkedThroughToItsRecord() async throws {
        AccessibilityNotification.Announcement.said = []
        let stand = try stand(endOfSession())
        try await stand.tap("Continue: Boiler service")
        _ = try await stand.find("Inspection and combustion", .heading)
        XCTAssertTrue(UIApplication.shared.isIdleTimerDisabled, "the screen stays on in a session")
        // To the button that is tapped next.
        stand.focus(false)
        try await stand.tap("All in order")
        _ = try await stand.find("Service complete", .heading)
        try await eventually { stand.focused == [true] }
        try await eventually { AccessibilityNotification.Announcement.said.contains("Saved on this phone") }
        try await stand.tap("Review and complete")
        _ = try await stand.find("1 message will be sent", .text)
        XCTAssertTrue(stand.spoken.contains { $0.words == "Tell the office, To office" })
        XCTAssertTrue(UIApplication.shared.isIdleTimerDisabled, "and in its review")
        try await stand.tap("Complete")
        try await eventually { stand.work.navigator.saved == "workflows record/s1" }
        _ = stand.drawn
        XCTAssertFalse(UIApplication.shared.isIdleTimerDisabled, "and only there")
    }

    func testASessionIsLeftAsItIsAndGoneOnWith() async throws {
        let stand = try stand(saved: "workflows session/s1")
        try await stand.type("BX", into: "Serial number")
        try await stand.tap("Done")
        try await eventually { stand.fake.current.views["s1"]?.fields[0].state == .provided(.text("BX")) }
        try await stand.tap("Leave for now")
        _ = try await stand.find("Workflows", .heading)
        try await stand.tap("Continue: Boiler service")
        try await eventually { stand.spoken.contains { $0.role == .field && $0.value == "BX" } }
    }

    func testTheFootMakesRoomForTheKeyboard() async throws {
        let stand = try stand(saved: "workflows session/s1")
        try await stand.type("1", into: "Pressure")
        XCTAssertTrue(stand.spoken.contains { $0.words == "Done" })
        XCTAssertFalse(stand.spoken.contains { $0.words == "All in order" })
        try await stand.tap("Done")
        _ = try await stand.find("All in order", .button)
        try await stand.type("2", into: "Pressure")
        // To another line: the keyboard stays.
        try await stand.type("BX", into: "Serial number")
        XCTAssertEqual(stand.spoken.filter { $0.words == "Done" }.count, 1)
    }

    func testEndingNeedsAReasonAndDiscardingASecondTap() async throws {
        let stand = try stand(saved: "workflows session/s1")
        try await stand.tap("End now")
        _ = try await stand.find("End this session now? Nothing will be sent.", .heading)
        XCTAssertEqual(stand.spoken.first { $0.words == "End now" }?.isOff, true)
        try await stand.type("Nobody home", into: "Why?")
        stand.drawn.closeLine()
        try await stand.tap("Cancel")
        _ = try await stand.find("Inspection and combustion", .heading)
        try await stand.tap("Discard")
        _ = try await stand.find("All answers of this session will be lost, and nothing will be sent.", .heading)
        XCTAssertEqual(stand.fake.current.writes, [])
        try await stand.tap("Discard")
        try await eventually { stand.fake.current.commands == [.discard] && stand.work.navigator.saved == "workflows" }
    }

    func testWhatChangesIsAnnounced() async throws {
        let stand = try stand(saved: "workflows session/s1")
        _ = try await stand.find("Inspection and combustion", .heading)
        AccessibilityNotification.Announcement.said = []
        func said(_ words: String) async throws {
            try await eventually {
                _ = stand.drawn
                return AccessibilityNotification.Announcement.said.contains(words)
            }
        }
        await stand.work.network.changed(.offline, telling: stand.fake)
        try await said("No signal: 1 saved, will send")
        try await stand.type("a lot", into: "Pressure")
        try await stand.tap("Done")
        try await said("Write a number")
        try await stand.tap("All in order")
        try await said("2 things are missing")
        try await stand.tap("Objection: Too expensive")
        try await stand.tap("I used it")
        try await said("Noted that it was used")
        try await stand.tap("Noted that it was used")
        XCTAssertFalse(stand.spoken.contains { $0.words == "Noted that it was used" }, "a tap takes it away")
    }

    func testASignatureIsTypedByWhoeverCannotDraw() async throws {
        var phone = FakeState.atWork
        phone.views["s1"]?.fields = Scene.everyField
        let stand = try stand(phone, saved: "workflows session/s1")
        try await stand.tap("Sign: A field of signature")
        _ = try await stand.find("Sign here with a finger", .text)
        XCTAssertEqual(stand.spoken.first { $0.words == "Save" }?.isOff, true)
        XCTAssertTrue(stand.isStill, "the pad stays under the finger")
        try await stand.type("Ada Fox", into: "Or type the name")
        XCTAssertFalse(stand.isStill, "beside the keyboard the rest is reached by scrolling")
        stand.drawn.closeLine()
        try await stand.tap("Save")
        // Nothing is drawn here, and so there is no picture.
        _ = try await stand.find("The file could not be read. Take it again.", .text)
        try await stand.tap("Take a photo: A field of attachment")
        _ = try await stand.find("This phone has no camera. Choose a file.", .text)
    }

    func testAPhoneThatIsStillLockedSaysSo() async throws {
        let model = OpeningModel { throw CompassError(code: .cannotOpen) }
        let sketch = Sketch(OpeningView(model: model).environment(\.phrases, try phrases()))
        try await eventually { sketch.draw().spoken.contains { $0.words.hasPrefix("What is on this phone cannot be read yet.") } }
        XCTAssertTrue(sketch.draw().spoken.contains { $0.words == "Try again" && $0.role == .button })
        XCTAssertEqual(ViewAudit(.light).faults(of: sketch.draw()), [])
    }

    func testTheScreenOfADamagedDatabaseLooksRight() async throws {
        let looks: [(String, Theme, EnvironmentValues)] = [
            ("en_GB", .light, EnvironmentValues(.light)), ("en_GB", .dark, EnvironmentValues(.dark)),
            ("ar_EG", .strongLight, EnvironmentValues(.light, contrast: .increased)),
            ("ar_EG", .dark, EnvironmentValues(.dark, text: .accessibility5)),
        ]
        for (language, theme, values) in looks {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("looks-\(UUID().uuidString)")
            let store = MemoryStore(), fake = FakeCompass(.atWork)
            fake.refuseNext(CompassError(code: .corrupt), of: "integrationEnabled")
            let model = OpeningModel {
                Workplace(
                    compass: fake, database: FakeDatabase(fake), navigator: Navigator(), preferences: store, vault: store, exports: folder)
            }
            let sketch = Sketch(OpeningView(model: model).environment(\.phrases, try phrases(language)), values)
            func audit(_ what: String) {
                let faults = ViewAudit(theme) { $0.hasPrefix("?") ? "is not in the catalog" : nil }.faults(of: sketch.draw())
                XCTAssertEqual(faults, [], "\(what), \(language)")
            }
            try await eventually {
                _ = sketch.draw()
                return model.canReplace
            }
            model.save()
            await model.settled()
            XCTAssertNotNil(model.saved)
            audit("saved")
            model.eraseEverything()
            audit("start over")
            model.confirm()
            model.confirm()
            await model.settled()
            guard case .undelivered? = model.question else { return XCTFail("nothing is asked") }
            audit("messages would be lost")
        }
    }

    /// With the real core.
    func testWhatCanBeReadOfADamagedFileIsSavedAndACopyIsPutBack() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("damaged-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let before = try await StoryPhone(folder, transport: nil)
        try await before.setUp(office: "https://office.example/hooks", secret: nil)
        let copy = folder.appendingPathComponent("copy.db")
        try await before.compass.backup(to: copy)
        let session = try await before.startPumpCheck()
        try await before.workThrough(session)
        _ = try await before.complete(session)
        try await before.compass.close()
        let file = folder.appendingPathComponent("compass.db")
        // A bit of the schema: the rows are all there.
        var bytes = try Data(contentsOf: file)
        let rule = try XCTUnwrap(bytes.range(of: Data("CREATE TRIGGER".utf8)))
        bytes[rule.upperBound - 1] = UInt8(ascii: "X")
        try bytes.write(to: file)

        let compass = Compass.lazy(CompassOptions(file: file))
        let store = MemoryStore(), network = PhoneNetwork()
        let model = OpeningModel {
            Workplace(
                compass: compass, network: network, database: CompassDatabase(compass, network) { file }, navigator: Navigator(),
                preferences: store, vault: store, exports: folder)
        }
        let sketch = Sketch(OpeningView(model: model).environment(\.phrases, try phrases()))
        func find(_ words: String) async throws -> Spoken {
            var found: Spoken?
            try await eventually {
                found = sketch.draw().spoken.first { $0.words.hasPrefix(words) && !$0.isOff }
                return found != nil
            }
            return found!
        }
        func tap(_ words: String) async throws { try await find(words).act?() }
        func type(_ text: String, into label: String) async throws { try await find(label).line?.wrappedValue = text }
        _ = try await find("What is saved on this phone is damaged")
        XCTAssertEqual(ViewAudit(.light).faults(of: sketch.draw()), [])
        try await tap("Save what can be read")
        _ = try await find("1 message that was not sent is in it")
        XCTAssertEqual(ViewAudit(.light).faults(of: sketch.draw()), [])
        let saved = try String(contentsOf: folder.appendingPathComponent("compass-saved.jsonl"), encoding: .utf8)
        XCTAssertTrue(saved.hasPrefix("{\"unsent\":") && saved.contains("Mill Lane"))

        try await tap("Start over")
        _ = try await find("Sessions, records, workflows")
        try await tap("Cancel")
        try await tap("Put back a copy")
        sketch.draw().chosen(copy)
        try await tap("Put it back")
        _ = try await find("1 message is not delivered and would be lost")
        _ = try await find("Save first what can be read")
        try await type("Jo", into: "Your name")
        try await type("It is saved", into: "Why?")
        try await tap("Give them up and go on")
        // Where the copy was made: before the session.
        _ = try await find("Open: Pump check")
        let sessions = try await compass.sessions(SessionFilter(), page: nil, limit: 9).sessions.count
        XCTAssertEqual(sessions, 0)
        XCTAssertTrue(FileManager.default.fileExists(atPath: folder.appendingPathComponent("compass-saved.jsonl").path))
        try await compass.close()
    }

    func testADayIsChosenInASheetAndNotBefore() async throws {
        var phone = FakeState.atWork
        phone.views["s1"]?.fields = Scene.everyField
        let stand = try stand(phone, saved: "workflows session/s1")
        try await stand.tap("Choose: A field of date")
        let picker = try await stand.find("A field of date", .picker)
        picker.day?.wrappedValue = Calendars.date(LocalDate("2027-01-15")!)!
        try await stand.tap("Use this")
        let day = try XCTUnwrap(stand.fake.current.views["s1"]?.fields.firstIndex { $0.definition.key == "date" })
        try await eventually { stand.fake.current.views["s1"]?.fields[day].state == .provided(.date(LocalDate("2027-01-15")!)) }
        XCTAssertEqual(stand.fake.current.commands.count, 1, "once, and not when the sheet came")
        try await stand.tap("Today: A field of date")
        try await eventually { stand.fake.current.views["s1"]?.fields[day].state == .provided(.date(LocalDate(Date(), in: .current)!)) }
    }

    func testWhatWasDeliveredIsSentAgainFromTheMenuAfterAQuestion() async throws {
        let stand = try stand(saved: "sessions record/s3")
        _ = try await stand.find("Won", .text)
        XCTAssertFalse(stand.spoken.contains { $0.words == "Send delivered messages again" }, "it is not among the buttons")
        try await stand.tap("More")
        try await stand.tap("Send delivered messages again")
        _ = try await stand.find("Every delivered message of this session is sent once more", .text)
        try await stand.tap("Cancel")
        XCTAssertFalse(stand.fake.current.calls.contains("replaySession"))
        try await stand.tap("More")
        try await stand.tap("Send delivered messages again")
        try await stand.tap("Send again")
        // The fake has no rules, and sends nothing again.
        _ = try await stand.find("1 message cannot be sent again", .button)
        XCTAssertTrue(stand.fake.current.calls.contains("replaySession"))
    }

    func testAnEditIsGivenAReason() async throws {
        let stand = try stand(saved: "sessions record/s3")
        try await stand.tap("Edit")
        try await stand.type("1.75", into: "Pressure")
        try await stand.type("Misread", into: "Reason for the edit")
        stand.drawn.closeLine()
        try await stand.tap("Save")
        try await eventually {
            if case .edit(_, _, _, "Misread")? = stand.fake.current.commands.last { true } else { false }
        }
    }

    func testSessionsAreSearchedAndFiltered() async throws {
        let stand = try stand(saved: "sessions")
        try await stand.tap("Show: All")
        try await stand.tap("Failed")
        _ = try await stand.find("Show: Failed", .button)
        try await eventually { stand.spoken.filter { $0.words.hasPrefix("Boiler service") }.count == 1 }
        try await stand.tap("Boiler service")
        try await eventually { stand.work.navigator.top == .record("s4") }
    }

    func testTheStripLeadsToTheOutboxAndTheTabsEverywhereElse() async throws {
        let stand = try stand()
        try await stand.tap("1 saved, sending")
        _ = try await stand.find("Outbox", .heading)
        try await stand.tap("Send now")
        _ = try await stand.find("1 message sent", .button)
        try await stand.tap("Settings")
        _ = try await stand.find("Settings", .heading)
    }

    func testSettingsChangeTheLook() async throws {
        let stand = try stand(saved: "settings")
        try await stand.tap("High contrast")
        XCTAssertEqual(ViewAudit(.strongLight).faults(ofScreen: stand.drawn), [])
        XCTAssertNotEqual(ViewAudit(.light).faults(ofScreen: stand.drawn), [])
        try await stand.tap("Largest")
        XCTAssertEqual(Set(stand.drawn.all.filter { !$0.words.isEmpty && $0.children.isEmpty }.map(\.size)), [.accessibility2])
    }

    func testAWorkflowIsImportedFromAFile() async throws {
        let stand = try stand(saved: "settings")
        try await stand.tap("Import a workflow file")
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).json")
        try Data("{}".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        stand.drawn.chosen(file)
        _ = try await stand.find("Imported: Visit", .button)
    }

    func testABackupIsPutBackFromAFile() async throws {
        let stand = try stand(saved: "settings")
        let lost = stand.fake.current.outbox.count
        try await stand.tap("Put a backup back")
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).db")
        try Data("a backup".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        stand.drawn.chosen(file)
        _ = try await stand.find("What is on this phone now goes", .text)
        try await stand.tap("Put it back")
        _ = try await stand.find("\(lost) messages are not delivered and would be lost", .text)
        // A reason and a name are needed.
        XCTAssertFalse(stand.spoken.contains { $0.words.hasPrefix("Give them up and go on") && !$0.isOff })
        try await stand.type("Mia", into: "Your name")
        try await stand.type("on paper", into: "Why?")
        // With the keyboard there is one button: that it is done.
        try await stand.tap("Done")
        try await stand.tap("Give them up and go on")
        _ = try await stand.find("The backup is back", .button)
        XCTAssertEqual(stand.database.calls, ["restore chosen-backup.db", "restore chosen-backup.db Mia: on paper"])
    }

    func testEverythingIsErasedAfterTwoQuestions() async throws {
        var phone = FakeState.atWork
        phone.outbox = []
        let stand = try stand(phone, saved: "settings")
        try await stand.tap("Erase everything")
        try await stand.tap("Cancel")
        try await stand.tap("Erase everything")
        try await stand.tap("Go on")
        XCTAssertEqual(stand.database.calls, [])
        try await stand.tap("Erase it now")
        _ = try await stand.find("Everything is erased", .button)
        XCTAssertEqual(stand.database.calls, ["erase"])
        try await stand.tap("Workflows")
        try await eventually { !stand.spoken.contains { $0.words.hasPrefix("Open: Boiler service") } }
    }

    func testWithLargeTextOrInALowWindowTheFootScrollsAlong() async throws {
        var low = EnvironmentValues()
        low.verticalSizeClass = .compact
        for (values, scrolls) in [(EnvironmentValues(), false), (EnvironmentValues(.light, text: .accessibility3), true), (low, true)] {
            let stand = try stand(saved: "outbox", values: values)
            _ = try await stand.find("Send now", .button)
            XCTAssertEqual(stand.footScrolls, scrolls)
        }
    }

    func testManyAnswersScrollAlongToo() async throws {
        var phone = FakeState.atWork
        phone.views["s1"]?.answers = (1...4).map { Answer(key: "answer-\($0)", name: "Answer \($0)", next: nil) }
        let stand = try stand(phone, saved: "workflows session/s1")
        _ = try await stand.find("Answer 4", .button)
        XCTAssertTrue(stand.footScrolls)
    }

    func testEveryPreviewShowsAScreen() async throws {
        let previews: [Shown] = [
            RootPreviews.previews.asShown, WorkflowsPreviews.previews.asShown, WorkflowPreviews.previews.asShown,
            SessionsPreviews.previews.asShown, OutboxPreviews.previews.asShown, SessionPreviews.previews.asShown,
            ReviewPreviews.previews.asShown, RecordPreviews.previews.asShown, SettingsPreviews.previews.asShown,
        ]
        for preview in previews {
            let sketch = Sketch(preview.environment(\.phrases, try phrases()))
            try await eventually { sketch.draw().spoken.contains { $0.role == .heading && !$0.words.isEmpty } }
        }
    }
}

extension Stand {
    fileprivate func workflow() throws -> WorkflowModel {
        guard case .workflow(let model) = screens.model(of: work.navigator.top) else { throw Impatient() }
        return model
    }

    fileprivate var footScrolls: Bool {
        drawn.all.contains { node in
            guard case .scroll = node.kind else { return false }
            return node.all.contains { $0.isView("PageFoot") }
        }
    }

    /// Whether the topmost page does not scroll.
    fileprivate var isStill: Bool {
        (drawn.sheets.last ?? drawn).all.contains { node in
            if case .with(.still(true)) = node.kind { true } else { false }
        }
    }

    /// Whether the screen reader was put on what asks for it.
    fileprivate var focused: [Bool] { focuses.map(\.wrappedValue) }

    fileprivate func focus(_ on: Bool) { for focus in focuses { focus.wrappedValue = on } }

    private var focuses: [AccessibilityFocusState<Bool>.Binding] {
        drawn.all.compactMap { node in
            if case .with(.spokenFocus(let focus)) = node.kind { focus } else { nil }
        }
    }
}

extension Drawn {
    /// The keyboard is put away.
    fileprivate func closeLine() {
        for node in all { if case .with(.focus(let focus)) = node.kind { focus.wrappedValue = false } }
    }

    /// A file was chosen.
    fileprivate func chosen(_ file: URL) {
        for node in all { if case .with(.importer(let done)) = node.kind { done(.success(file)) } }
    }
}
