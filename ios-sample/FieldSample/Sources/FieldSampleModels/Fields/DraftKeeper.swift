/// Keeps half-typed text, so that a dead battery costs no more than a letter. Of what comes faster than flash takes it, the newest is kept.
@MainActor
final class DraftKeeper {
    private let save: @MainActor (_ field: String, _ text: String) async -> Void
    private var waiting: [String: String] = [:]
    private var saving: Task<Void, Never>?

    init(save: @escaping @MainActor (_ field: String, _ text: String) async -> Void) { self.save = save }

    /// Keeps this text, soon; also when the screen is left at once.
    func typed(_ field: String, _ text: String) {
        waiting[field] = text
        if saving != nil { return }
        saving = Task {
            while let next = waiting.popFirst() { await save(next.key, next.value) }
            saving = nil
        }
    }

    /// Returns when everything is kept.
    func keep() async { await saving?.value }

    /// What waits for this field is not wanted any more; returns when nothing of it is on its way.
    func forget(_ field: String) async {
        waiting[field] = nil
        await saving?.value
    }
}
