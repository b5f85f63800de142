import CompassCore
import FieldSampleModels
import Foundation

/// A phone in the background with the real core. All that it keeps lies in one folder, its flash.
@MainActor
public final class StoryPhone {
    public let compass: Compass
    public let flash: Flash
    public let place: PlaceFile
    public let screens: OpenScreens
    public var work: Workplace { screens.work }
    public var navigator: Navigator { screens.work.navigator }

    /// Opens what is on the flash, as the app does when it is started.
    public init(_ folder: URL, transport: (any Transport)?, extraRoots: [String] = []) async throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        flash = Flash(folder)
        place = PlaceFile(folder.appendingPathComponent("place"))
        var options = CompassOptions(file: folder.appendingPathComponent("compass.db"))
        options.secrets = flash
        options.transport = transport
        options.extraRoots = extraRoots
        // Not in the foreground: who delivers is a background job, or the technician.
        options.delivery = .manual
        compass = Compass.lazy(options)
        let network = PhoneNetwork()
        _ = try await compass.integrationEnabled()
        screens = OpenScreens(
            Workplace(
                compass: compass, network: network, database: CompassDatabase(compass, network) { [file = options.file] in file },
                navigator: Navigator(place), preferences: flash, vault: flash, locale: Locale(identifier: "en_GB"), exports: folder, attachments: folder.appendingPathComponent("attachments", isDirectory: true)))
    }

    public func settings() throws -> SettingsModel {
        navigator.open(.settings)
        guard case .settings(let model) = screens.model(of: navigator.top) else { throw NotSo("the settings are shown") }
        return model
    }

    public func workflows() throws -> WorkflowsModel {
        navigator.open(.workflows)
        guard case .workflows(let model) = screens.model(of: navigator.top) else { throw NotSo("the workflows are shown") }
        return model
    }

    /// The screen that is on top: a session, its review, its record.
    public func session() throws -> SessionModel {
        guard case .session(let model) = screens.model(of: navigator.top) else { throw NotSo("a session is shown") }
        return model
    }

    public func review() throws -> ReviewModel {
        guard case .review(let model) = screens.model(of: navigator.top) else { throw NotSo("a review is shown") }
        return model
    }

    public func record() throws -> RecordModel {
        guard case .record(let model) = screens.model(of: navigator.top) else { throw NotSo("a record is shown") }
        return model
    }

    /// The technician's first minutes with the app: a name, a workflow, the office and its secret.
    public func setUp(workflow: Data = PumpCheck.document, office: String, secret: String?) async throws {
        let settings = try settings()
        work.preferences.actor = "Jo"
        settings.importWorkflow(workflow)
        await settings.settled()
        if settings.notice?.failed != false { throw NotSo("the workflow is imported") }
        settings.setIntegration(true)
        settings.addEndpoint()
        settings.editing?.key = "office"
        settings.editing?.url = office
        settings.editing?.signed = secret != nil
        settings.editing?.secret = secret ?? ""
        settings.saveEndpoint()
        await settings.settled()
        try await until("the office is known") { settings.integrationEnabled && settings.endpoints.count == 1 && settings.editing == nil }
    }

    /// Starts a pump check, and stands in its first section.
    public func startPumpCheck() async throws -> SessionModel {
        let list = try workflows()
        try await until("the workflow is listed") { !list.workflows.isEmpty }
        list.start(PumpCheck.key)
        await list.settled()
        let session = try session()
        try await until("the session is shown") { !session.loading }
        return session
    }

    /// From the first section to the end, where it can be reviewed.
    public func workThrough(_ session: SessionModel) async throws {
        session.field("site", .typed("Mill Lane"))
        session.answer("on")
        await session.settled()
        session.field("pressure", .typed("2.50"))
        session.field("remark", .typed("As it should be"))
        session.answer("done")
        await session.settled()
        try await until("the session is at its end") { session.canReview }
    }

    /// By the review to the record.
    public func complete(_ session: SessionModel) async throws -> RecordModel {
        session.review()
        await session.settled()
        let review = try review()
        try await until("it can be completed") { review.canComplete }
        review.complete()
        await review.settled()
        let record = try record()
        try await until("the record is shown") { !record.actions.isEmpty }
        return record
    }
}

extension Workplace {
    /// The phone says whether there is a network, and whether its use costs money.
    public func networkChanged(reachable: Bool, metered: Bool = false) async {
        await network.changed(reachable ? .online(validated: nil, metered: metered, network: 1) : .offline, telling: compass)
    }
}

extension CompassHandle {
    /// As a person asks for it.
    public func sendNow() async throws -> FlushReport { try await flush(deadline: .seconds(20), urgent: true) }
}

/// Something of the story is not as it must be.
public struct NotSo: Error, CustomStringConvertible {
    public let description: String

    public init(_ expected: String) { description = "it is not so that \(expected)" }
}

/// Waits for what a model shows, which flows bring about. Gives up before those lose patience who wait for the one that waits.
@MainActor
public func until(_ expected: String, _ condition: @MainActor () async throws -> Bool) async throws {
    let end = Date().addingTimeInterval(20)
    while try await !condition() {
        if Date() > end { throw NotSo(expected) }
        try await Task.sleep(nanoseconds: 2_000_000)
    }
}
