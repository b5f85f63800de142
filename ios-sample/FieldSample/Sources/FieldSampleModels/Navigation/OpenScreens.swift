/// The model of a screen.
public enum ScreenModel {
    case workflows(WorkflowsModel), sessions(SessionsModel), outbox(OutboxModel), settings(SettingsModel)
    case workflow(WorkflowModel), session(SessionModel), review(ReviewModel), record(RecordModel)
}

/// The models of the screens that are open: one for each, made when it is first shown, and gone once its screen is left, since a model
/// follows what it shows for as long as it exists. Views come and go. One per process.
///
/// ```swift
/// switch screens.model(of: screen) {
/// case .session(let model): SessionScreen(model: model)
/// ```
@MainActor
public final class OpenScreens {
    public let work: Workplace
    /// Of what the strip of every screen tells.
    public let status: StatusModel
    private var models: [Screen: ScreenModel] = [:]

    public init(_ work: Workplace) {
        (self.work, status) = (work, StatusModel(work))
        work.navigator.onMove = { [weak self] in self?.dropLeft() }
    }

    /// The same one for as long as the screen is open.
    public func model(of screen: Screen) -> ScreenModel {
        if let model = models[screen] { return model }
        let model = make(screen)
        // A screen that is just sliding away may be drawn once more.
        if work.navigator.screens.contains(screen) { models[screen] = model }
        return model
    }

    private func dropLeft() {
        let open = Set(work.navigator.screens)
        models = models.filter { open.contains($0.key) }
    }

    private func make(_ screen: Screen) -> ScreenModel {
        switch screen {
        case .workflows: .workflows(WorkflowsModel(work))
        case .sessions: .sessions(SessionsModel(work))
        case .outbox: .outbox(OutboxModel(work))
        case .settings: .settings(SettingsModel(work))
        case .workflow(let key): .workflow(WorkflowModel(key, work))
        case .session(let key): .session(SessionModel(key, work))
        case .review(let key): .review(ReviewModel(key, work))
        case .record(let key): .record(RecordModel(key, work))
        }
    }
}
