import CompassCore
import Foundation

// What FakeCompass does for a command, as far as that needs no rules.
extension SessionView {
    func after(_ command: Command, by actor: String?, answers: [String: SessionView]) -> SessionView {
        switch command {
        case .setFields(let changes): changes.reduce(self) { $0.after($1) }
        case .answer(_, let answer): answers[answer] ?? self
        case .note(_, let text):
            copy(notes: notes + [Note(seq: UInt32(notes.count + 1), at: fixtureTime, actor: actor, text: text, edited: false)], noteDraft: .some(nil))
        case .complete: copy(state: .completed, won: section.win)
        case .end: copy(state: .ended)
        case .discard: copy(state: .discarded)
        case .back, .useResponse, .edit: self
        }
    }

    private func after(_ change: FieldChange) -> SessionView {
        let state: FieldState = switch change.change {
        case .set(let value): .provided(value)
        case .clear: .notProvided
        case .notApplicable: .notApplicable
        }
        let fields = fields.map { $0.definition.key == change.field ? $0.copy(state: state, draft: nil) : $0 }
        return copy(fields: fields, problems: state == .notProvided ? problems : problems.filter { $0.field != change.field })
    }

    func drafted(_ text: String, field: String) -> SessionView {
        copy(fields: fields.map { $0.definition.key == field ? $0.copy(state: $0.state, draft: text.isEmpty ? nil : text) : $0 })
    }

    func noteDrafted(_ text: String) -> SessionView { copy(noteDraft: .some(text.isEmpty ? nil : text)) }

    private func copy(
        state: SessionState? = nil, won: Bool? = nil, fields: [FieldView]? = nil, notes: [Note]? = nil, noteDraft: String?? = nil,
        problems: [Problem]? = nil
    ) -> SessionView {
        SessionView(
            key: key, workflow: workflow, state: state ?? self.state, won: won ?? self.won, actor: actor, startedAt: startedAt,
            finishedAt: state == nil ? finishedAt : fixtureTime, visit: visit, section: section, fields: fields ?? self.fields,
            answers: state == nil ? answers : [], responses: responses, path: path, notes: notes ?? self.notes,
            noteDraft: noteDraft ?? self.noteDraft, problems: problems ?? self.problems, canComplete: state == nil && canComplete,
            completionProblems: completionProblems, wouldFire: wouldFire)
    }
}

extension FieldView {
    fileprivate func copy(state: FieldState, draft: String?) -> FieldView {
        FieldView(
            definition: definition, state: state, completedAt: state == .notProvided ? nil : fixtureTime,
            source: state == .notProvided ? nil : .technician, draft: draft, problem: state == .notProvided ? problem : nil)
    }
}
