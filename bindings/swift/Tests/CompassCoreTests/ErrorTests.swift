import CompassCore
import CompassCoreTesting
import Foundation
import XCTest

/// Every code of the core that can be caused from outside is thrown once.
final class ErrorTests: XCTestCase {
    private func command(_ command: Command, _ compass: Compass, _ session: SessionKey) async throws -> CommandOutcome {
        try await compass.run([command], in: session)
    }

    private func folder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("errors-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    private func options(_ file: URL) -> CompassOptions {
        var options = CompassOptions(file: file)
        options.delivery = .manual
        return options
    }

    private func document(_ change: (String) -> String) -> Data {
        Data(change(String(decoding: pumpCheck, as: UTF8.self)).utf8)
    }

    func testASecondOpenOfAFileIsRefusedUntilTheFirstIsClosed() async throws {
        let options = try CompassOptions.testing()
        let compass = try await Compass.open(options)
        await assertThrows(.alreadyOpen, try await Compass.open(options))
        try await compass.close()
        try await compass.close()
        await assertThrows(.closed, try await compass.totals())
        await assertThrows(.closed, try await compass.flush(deadline: .seconds(1)))
        let again = try await Compass.open(options)
        try await again.close()
    }

    func testFilesAndOptionsThatCannotBeOpened() async throws {
        let folder = try folder()
        await assertThrows(.cannotOpen, try await Compass.open(options(folder.appendingPathComponent("missing/compass.db"))))
        let text = folder.appendingPathComponent("text.db")
        try Data(String(repeating: "Not a database. ", count: 1000).utf8).write(to: text)
        await assertThrows("not_a_database", try await Compass.open(options(text)))
        var wrong = options(folder.appendingPathComponent("policy.db"))
        wrong.retry = RetryPolicy()
        wrong.retry?.jitter = 2
        await assertThrows("invalid_option", try await Compass.open(wrong))
    }

    func testAFileOfANewerReleaseAndADamagedOne() async throws {
        let file = try folder().appendingPathComponent("compass.db")
        let compass = try await Compass.ready()
        // A copy is one file, without a WAL beside it.
        try await compass.backup(to: file)
        try await compass.close()
        var bytes = try Data(contentsOf: file)
        // SQLite's `user_version`, which numbers the schema.
        let newer = bytes[60..<64]
        bytes.replaceSubrange(60..<64, with: [0, 0, 3, 231])
        try bytes.write(to: file)
        await assertThrows("newer_schema", try await Compass.open(options(file)))
        bytes.replaceSubrange(60..<64, with: newer)
        bytes.replaceSubrange(100..., with: Data(repeating: 0xAA, count: bytes.count - 100))
        try bytes.write(to: file)
        await assertThrows("corrupt", try await Compass.open(options(file)))
    }

    func testADiskWithoutRoom() async throws {
        guard ProcessInfo.processInfo.environment["COMPASS_OWN_MOUNTS"] == "1" else { throw XCTSkip("this test must not make mounts") }
        let folder = try folder()
        let mount = try Process.run(
            URL(fileURLWithPath: "/usr/bin/env"), arguments: ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder.path])
        mount.waitUntilExit()
        if mount.terminationStatus != 0 { throw XCTSkip("mounting is not allowed here") }
        let compass = try await Compass.open(options(folder.appendingPathComponent("compass.db")))
        _ = try await compass.importWorkflow(pumpCheck)
        let view = try await compass.begun()
        let note = String(repeating: "Full. ", count: 1600)
        do {
            for _ in 0..<1000 { _ = try await compass.note(note, in: view.key, commandId: fresh()) }
            XCTFail("there was space")
        } catch let error as CompassError {
            XCTAssertEqual(error.code, .diskFull)
            XCTAssertTrue(error.retryable)
        }
        let after = try await compass.session(view.key)
        XCTAssertFalse(after.notes.isEmpty)
        try await compass.close()
    }

    func testAnotherProcessThatHoldsTheDatabaseForTooLong() async throws {
        let options = try CompassOptions.testing()
        let compass = try await Compass.open(options)
        let other = try otherProcess(options.file, #"c.execute("BEGIN IMMEDIATE"); print("held", flush=True); sys.stdin.read()"#)
        do {
            try await compass.setIntegrationEnabled(true)
            XCTFail("another process holds the database")
        } catch let error as CompassError {
            XCTAssertEqual(error.code, "locked")
            XCTAssertTrue(error.retryable)
        }
        try other.close()
        try await eventually { (try? await compass.setIntegrationEnabled(true)) != nil }
        try await compass.close()
    }

    /// A session in progress whose stored document and hash were changed without the core, as if it had been imported like this.
    private func tampered(_ old: String, _ new: String) async throws -> (compass: Compass, view: SessionView) {
        let options = try CompassOptions.testing()
        let compass = try await Compass.open(options)
        _ = try await compass.importWorkflow(pumpCheck)
        let key = try await compass.begun().key
        let view = try await compass.setFields(["site": .text("Mill Lane")], in: key).view
        try await compass.close()
        // A file with another trigger does not open, so this one is made again with the same text.
        let change = #"""
            import hashlib, json
            rule, = c.execute("SELECT sql FROM sqlite_master WHERE name = 'workflow_is_immutable'").fetchone()
            before, = c.execute("SELECT CAST(document AS TEXT) FROM workflow").fetchone()
            after = before.replace(sys.argv[2], sys.argv[3])
            assert after != before
            canonical = json.dumps(json.loads(after), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            c.execute("DROP TRIGGER workflow_is_immutable")
            c.execute("UPDATE workflow SET document = ?, hash = ?", (after.encode(), hashlib.sha256(canonical.encode()).digest()))
            c.execute(rule)
            print("done", flush=True)
            """#
        try otherProcess(options.file, change, [old, new]).close()
        return (try await Compass.open(options), view)
    }

    func testAStoredDocumentThatIsNotAWorkflowIsAnInternalError() async throws {
        let (compass, view) = try await tampered(#""type": "date""#, #""type": "colour""#)
        await assertThrows(.internal, try await compass.session(view.key))
        try await compass.close()
    }

    func testAnswersThatLeadNowhereInAStoredDocument() async throws {
        let (unlinked, view) = try await tampered(#", "next": "gone""#, "")
        await assertThrows("unlinked_answer", try await unlinked.answer("off", visit: view.visit, in: view.key))
        try await unlinked.close()
        let (broken, other) = try await tampered(#""next": "done""#, #""next": "shed""#)
        await assertThrows("broken_workflow", try await broken.answer("on", visit: other.visit, in: other.key))
        try await broken.close()
    }

    func testAStoredDocumentThatNeedsANewerCoreCanBeReadAndNotChanged() async throws {
        let (compass, view) = try await tampered(#""format": 1"#, #""requires": ["something-new"], "format": 1"#)
        let visit = try await compass.session(view.key).visit
        XCTAssertEqual(visit, view.visit)
        await assertThrows("requires_newer_core", try await compass.discard(view.key))
        try await compass.close()
    }

    #if os(Linux)
    func testADiskThatRefusesToWrite() async throws {
        let compass = try await Compass.open(try CompassOptions.testing())
        // Files may not grow, as on a disk that fails; the signal for it is ignored.
        signal(SIGXFSZ, SIG_IGN)
        var before = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &before)
        var none = rlimit(rlim_cur: 1024, rlim_max: before.rlim_max)
        setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &none)
        defer { setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &before) }
        await assertThrows("io", try await compass.importWorkflow(pumpCheck))
        setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &before)
        _ = try await compass.importWorkflow(pumpCheck)
        try await compass.close()
    }
    #endif

    /// Runs Python on the database in another process, and waits for its first output.
    private func otherProcess(_ file: URL, _ lines: String, _ arguments: [String] = []) throws -> FileHandle {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let script = "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1], isolation_level=None)\n" + lines
        process.arguments = ["python3", "-c", script, file.path] + arguments
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        XCTAssertFalse(output.fileHandleForReading.availableData.isEmpty)
        return input.fileHandleForWriting
    }

    func testWorkflows() async throws {
        let compass = try await Compass.ready()
        await assertThrows(.invalidWorkflow, try await compass.importWorkflow(Data(#"{"format":1}"#.utf8)))
        let other = document { $0.replacingOccurrences(of: "Find the pump.", with: "Find it.") }
        await assertThrows("workflow_conflict", try await compass.importWorkflow(other))
        await assertThrows("unknown_workflow", try await compass.workflow("boiler"))
        XCTAssertThrowsError(try changed()) { error in XCTAssertEqual((error as? CompassError)?.code, "authoring") }
        let incomplete = document {
            $0.replacingOccurrences(of: #""version": 1"#, with: #""version": 2"#).replacingOccurrences(of: #", "next": "gone""#, with: "")
        }
        _ = try await compass.importWorkflow(incomplete)
        // The older version can be started, and is.
        let first = WorkflowVersion(version: 1, localRevision: 0)
        let begun = try await compass.begun()
        XCTAssertEqual(begun.workflow.version, 1)
        await assertThrows(.workflowInUse, try await compass.forgetWorkflow("pump-check", version: first))
        _ = try await compass.discard(begun.key)
        try await compass.delete(begun.key)
        try await compass.forgetWorkflow("pump-check", version: first)
        do {
            _ = try await compass.begun()
            XCTFail("an incomplete workflow was started")
        } catch let error as CompassError {
            XCTAssertEqual(error.code, .notStartable)
            XCTAssertTrue(error.findings.contains { $0.severity == .incomplete })
        }
        try await compass.close()
    }

    private func changed() throws {
        var document = WorkflowDocument(pumpCheck)
        try document.removeAction("invoice", from: "done")
    }

    func testSessionsInProgress() async throws {
        let compass = try await Compass.ready()
        let view = try await compass.begun()
        let key = view.key
        await assertThrows(.unknownSession, try await compass.session("0199d0c2-6f1e-7c31-9f7a-0d1c8a4f2b11"))
        await assertThrows("invalid_argument", try await compass.session("42 Mill Lane"))
        await assertThrows("unknown_visit", try await compass.back(to: 1, visit: 9, in: key))
        await assertThrows("already_there", try await compass.back(to: 1, visit: 1, in: key))
        await assertThrows("unknown_answer", try await compass.answer("up", visit: 1, in: key))
        await assertThrows(.fieldProblems, try await compass.answer("on", visit: 1, in: key))
        await assertThrows("unknown_response", try await compass.useResponse("cheap", in: key, commandId: fresh()))
        await assertThrows("unknown_fields", try await compass.setFields(["colour": .text("red")], in: key))
        await assertThrows("fields_not_on_path", try await compass.setFields(["aside": .text("x")], in: key))
        let twice = [FieldChange(field: "site", change: .clear), FieldChange(field: "site", change: .clear)]
        await assertThrows("duplicate_fields", try await command(.setFields(changes: twice), compass, key))
        await assertThrows("nothing_given", try await command(.setFields(changes: []), compass, key))
        await assertThrows("not_an_end_section", try await compass.complete(key, visit: 1))
        await assertThrows("blank", try await compass.note(" ", in: key, commandId: fresh()))
        await assertThrows("too_long", try await compass.note(String(repeating: "x", count: 10_001), in: key, commandId: fresh()))
        await assertThrows("control_character", try await compass.note("a\u{7}b", in: key, commandId: fresh()))
        await assertThrows("not_finished", try await compass.edit(key, fields: [twice[0]], commandId: fresh()))
        await assertThrows("not_deletable", try await compass.delete(key))
        let used = fresh()
        _ = try await compass.note("one", in: key, commandId: used)
        await assertThrows(.commandIdReused, try await compass.note("two", in: key, commandId: used))
        await assertThrows("unknown_action", try await compass.preview("invoice", in: key))
        _ = try await compass.discard(key)
        await assertThrows("discarded", try await compass.note("late", in: key, commandId: fresh()))
        await assertThrows("not_in_progress", try await compass.setFields(["site": .text("x")], in: key))
        try await compass.close()
    }

    func testMessageThatIsTooLarge() async throws {
        let pages = (1...4).map { "page\($0)" }
        let definitions = pages.map { #"{"key": "\#($0)", "name": "Page", "type": "text", "max_length": 20000}, "# }.joined()
        let document = String(decoding: pumpCheck, as: UTF8.self)
            .replacingOccurrences(of: #""fields": [\#n"#, with: #""fields": ["# + definitions)
            .replacingOccurrences(of: #""fields": ["site""#, with: #""fields": ["# + pages.map { #""\#($0)", "# }.joined() + #""site""#)
            .replacingOccurrences(of: #""version": 1"#, with: #""version": 2"#)
        let compass = try await Compass.ready()
        _ = try await compass.importWorkflow(Data(document.utf8))
        let view = try await compass.begun()
        var values: [String: FieldValue] = ["site": .text("Mill Lane")]
        for page in pages { values[page] = .text(String(repeating: "🔥", count: 20_000)) }
        _ = try await compass.setFields(values, in: view.key)
        let end = try await compass.answer("on", visit: view.visit, in: view.key).view
        _ = try await compass.complete(view.key, visit: end.visit)
        await assertThrows("payload_too_large", try await compass.send("report", in: view.key, commandId: fresh()))
        await assertThrows("payload_too_large", try await compass.sendCorrected("report", in: view.key, commandId: fresh()))
        try await compass.close()
    }

    func testFinishedSessionsAndTheirActions() async throws {
        let compass = try await Compass.ready(transport: ScriptedTransport { _, _ in .answered(TransportResponse(status: 400)) }) {
            $0.retry = RetryPolicy()
        }
        let key = try await compass.failed().key
        await assertThrows("already_finished", try await compass.discard(key))
        await assertThrows("unknown_note", try await compass.edit(key, notes: [NoteChange(note: 99, text: "x")], commandId: fresh()))
        let note = try await compass.note("one", in: key, commandId: fresh()).view.notes[0].seq
        let change = NoteChange(note: note, text: "two")
        await assertThrows("duplicate_note", try await compass.edit(key, notes: [change, change], commandId: fresh()))
        await assertThrows("unknown_action", try await compass.send("invoice", in: key, commandId: fresh()))
        await assertThrows("nothing_corrected", try await compass.sendCorrected("report", in: key, commandId: fresh()))
        await assertThrows("undelivered", try await compass.delete(key))
        for _ in 0..<3 {
            _ = try await compass.send("report", in: key, commandId: fresh())
            _ = try await compass.flush(deadline: .seconds(10))
        }
        await assertThrows(.actionLocked, try await compass.send("report", in: key, commandId: fresh()))
        _ = try await compass.abandon("report", in: key, actor: "ada", reason: "by phone", commandId: fresh())
        try await compass.delete(key)
        await assertThrows(.deletedSession, try await compass.record(key))
        try await compass.close()
    }

    func testABodyThatWasDroppedIsNotReplayed() async throws {
        let compass = try await Compass.ready(transport: ScriptedTransport())
        let key = try await compass.completed().key
        _ = try await compass.flush(deadline: .seconds(10))
        _ = try await compass.redact(
            .field(key: "site"), in: key, actor: "Mia", reason: "Not ours to know", pending: .abandon, bodies: .forget, commandId: fresh())
        await assertThrows(.bodyDropped, try await compass.replay("report", in: key, commandId: fresh()))
        try await compass.close()
    }

    func testEndpointsAndDeliveries() async throws {
        let compass = try await Compass.ready()
        await assertThrows("unknown_endpoint", try await compass.setEndpointEnabled("shed", enabled: true))
        await assertThrows("invalid_endpoint", try await compass.putEndpoint(officeAt("http://office.example/hooks")))
        let sent = try await compass.completed().key
        _ = try await compass.flush(deadline: .seconds(10))
        await assertThrows("action_status", try await compass.send("report", in: sent, commandId: fresh()))
        await assertThrows("unknown_delivery", try await compass.deliveryBody("msg_abcdefghijklmnopqrstuvwxyz"))
        try await compass.close()
    }

    func testAnErrorNamesThePlaceAndHoldsNoValue() async throws {
        let compass = try await Compass.ready()
        let view = try await compass.begun()
        do {
            _ = try await compass.setFields(["pressure": .text("42 Mill Lane"), "count": .text("topsecret")], in: view.key)
            XCTFail("a text was taken for a number")
        } catch let error as CompassError {
            XCTAssertEqual(error.problems.map(\.field), ["count", "pressure"])
            XCTAssertEqual(error.place, "count, pressure")
            XCTAssertFalse(error.retryable)
            var dumped = ""
            dump(error, to: &dumped)
            for text in ["\(error)", error.localizedDescription, dumped] {
                XCTAssertFalse(text.contains("Mill") || text.contains("topsecret"), text)
            }
        }
        try await compass.close()
    }

    func testEveryCodeOfTheCoreIsThrownInATestHere() throws {
        // `reentrant` has tests of its own. Without memory Swift ends the process; Python and Kotlin have a process of its own for that.
        let elsewhere: Set<String> = ["reentrant", "out_of_memory"]
        let tests = try String(contentsOfFile: #filePath, encoding: .utf8).replacingOccurrences(of: "_", with: "").lowercased()
        var codes: Set<String> = []
        for file in ["src/error.rs", "src/engine/session/refusal.rs"] {
            let source = try String(contentsOf: Stage.repository.appendingPathComponent(file), encoding: .utf8)
            for match in source.matches(of: /=> "([a-z_]+)",/) { codes.insert(String(match.1)) }
        }
        XCTAssertGreaterThan(codes.count, 40)
        for code in codes.subtracting(elsewhere) {
            let name = code.replacingOccurrences(of: "_", with: "")
            XCTAssertTrue(tests.contains("\"\(name)\"") || tests.contains("(.\(name),") || tests.contains(", .\(name))"), code)
        }
    }
}
