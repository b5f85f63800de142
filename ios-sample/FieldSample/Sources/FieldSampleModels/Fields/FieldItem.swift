import CompassCore
import Foundation

/// The keyboard that a line of text wants.
public enum Keyboard: Hashable, Sendable { case text, number, signedNumber, decimal, signedDecimal, email, phone, url, barcode }

/// How a field is filled in: which control, and what it shows.
public enum FieldInput: Hashable, Sendable {
    /// A line of text, or several: what is half typed, else the value as it is typed. A keyboard scanner ends it with the return key.
    case line(text: String, keyboard: Keyboard, multiline: Bool)
    /// Two big buttons; none chosen when none is said.
    case yesNo(Bool?)
    case day(LocalDate?, min: LocalDate?, max: LocalDate?)
    case time(LocalTime?)
    case moment(OffsetDateTime?)
    /// Options: one of them, or several.
    case choice([OptionItem], several: Bool)
    /// A button that asks the phone for its position.
    case place(Phrase?, searching: Bool)
    /// A button that takes a photo or chooses a file, or opens the pad for a signature.
    case file(Phrase?, signature: Bool, mediaTypes: [String])
}

/// An option with its mark.
public struct OptionItem: Hashable, Sendable, Identifiable {
    public let key: String, name: String, chosen: Bool
    public var id: String { key }
}

/// A field on a screen.
public struct FieldItem: Hashable, Sendable, Identifiable {
    public let key: String, name: String, help: String?, required: Bool
    public let state: FieldState
    public let input: FieldInput
    /// What is wrong with it, below the input; announced politely.
    public var problem: Phrase?
    /// The technician can fix it in the phone's settings, where this app was forbidden something.
    public var opensSettings = false
    /// Where a prefilled value came from, or that only the name, size and checksum of a file are sent.
    public var note: Phrase?
    /// What it shows is kept as a draft, and is not a value yet.
    public var unsaved = false
    public var canClear = false, canBeNotApplicable = false, canBeEmpty = false
    public var id: String { key }
}

/// What a technician does to a field. Views say it as it happens; what it means is for the model to say.
public enum FieldAct: Hashable, Sendable {
    /// Every change of a line's text. Kept as a draft at once.
    case typed(String)
    /// The line lost the focus, or its return key was pressed: its text is read, and set if it can be.
    case left
    case yesNo(Bool), day(LocalDate), time(LocalTime), moment(OffsetDateTime)
    /// An option was tapped: chosen, or of several, chosen or not any more.
    case option(String)
    case locating, located(Location), notLocated(denied: Bool)
    case attached(FileManifest), notAttached
    case notPhotographed(CameraAccess)
    case clear, notApplicable, empty

    /// The state that it brings a field into; none for text, which is read first, and for acts that give none.
    func state(_ definition: FieldDefinition, before: FieldState) -> FieldState? {
        switch self {
        case .typed, .left, .locating, .notLocated, .notAttached, .notPhotographed: return nil
        case .yesNo(let yes): return .provided(.boolean(yes))
        case .day(let day): return .provided(.date(day))
        case .time(let time): return .provided(.time(time))
        case .moment(let moment): return .provided(.dateTime(moment))
        case .located(let place): return .provided(.location(place))
        case .attached(let file): return .provided(.file(file))
        case .clear: return .notProvided
        case .notApplicable: return .notApplicable
        case .empty: return .empty
        case .option(let option):
            guard case .multipleChoice(let options, _, _) = definition.kind else { return .provided(.choice(option)) }
            var chosen: Set<String> = []
            if case .choices(let options) = before.value { chosen = Set(options) }
            chosen.formSymmetricDifference([option])
            // In the order of the options, not in the order of the taps.
            let ordered = options.map(\.key).filter(chosen.contains)
            return ordered.isEmpty ? .notProvided : .provided(.choices(ordered))
        }
    }
}

extension Typing {
    /// Takes the part of an act that is not a value.
    mutating func take(_ act: FieldAct, _ field: String) {
        switch act {
        case .typed(let text): type(text, field)
        case .locating:
            touch(field)
            searching.insert(field)
        case .notLocated(let denied):
            touch(field)
            refusals[field] = denied ? .locationDenied : .locationNotFound
        case .notAttached:
            touch(field)
            refusals[field] = .fileUnreadable
        case .notPhotographed(let access):
            touch(field)
            refusals[field] = access.words
        default: break
        }
    }
}

extension FieldKind {
    /// For what is typed and has to be read.
    var keyboard: Keyboard? {
        switch self {
        case .text, .multiline: .text
        case .integer(let min, _): min.map { $0 < 0 } ?? true ? .signedNumber : .number
        case .decimal(let min, _, _): min?.hasPrefix("-") ?? true ? .signedDecimal : .decimal
        case .email: .email
        case .phone: .phone
        case .url: .url
        case .barcode: .barcode
        default: nil
        }
    }

    var options: [FieldOption] {
        switch self {
        case .singleChoice(let options), .multipleChoice(let options, _, _): options
        default: []
        }
    }

    fileprivate var staysOnThePhone: Bool {
        switch self {
        case .attachment, .signature: true
        default: false
        }
    }
}

extension FieldView {
    /// Ready to show. `missing` is what a move was refused for.
    func item(_ typing: Typing, missing: Problem?, locale: Locale) -> FieldItem {
        let open = typing.open(self), key = definition.key
        let problem = typing.problems[key] ?? missing
        var item = FieldItem(
            key: key, name: definition.name, help: definition.help, required: definition.required, state: state,
            input: input(open, searching: typing.searching.contains(key), locale))
        item.opensSettings = [.cameraDenied, .locationDenied].contains(typing.refusals[key])
        item.problem = typing.refusals[key].map { .message($0, []) } ?? problem?.words(definition)
        if case .prefill(let name) = source {
            item.note = .text(.prefilledFrom, .plain(name))
        } else if definition.kind.staysOnThePhone {
            item.note = .text(.fileStays)
        }
        item.unsaved = open != nil
        item.canClear = state != .notProvided || !(open ?? "").isEmpty
        item.canBeNotApplicable = definition.allowNotApplicable && state != .notApplicable
        item.canBeEmpty = definition.allowEmpty && definition.kind.keyboard != nil && state != .empty
        return item
    }

    private func input(_ open: String?, searching: Bool, _ locale: Locale) -> FieldInput {
        let value = state.value, kind = definition.kind
        func choice(_ chosen: [String], several: Bool) -> FieldInput {
            .choice(kind.options.map { OptionItem(key: $0.key, name: $0.name, chosen: chosen.contains($0.key)) }, several: several)
        }
        switch kind {
        case .boolean: if case .boolean(let yes) = value { return .yesNo(yes) } else { return .yesNo(nil) }
        case .date(let min, let max):
            var chosen: LocalDate?
            if case .date(let day) = value { chosen = day }
            return .day(chosen, min: min.flatMap { LocalDate($0) }, max: max.flatMap { LocalDate($0) })
        case .time: if case .time(let time) = value { return .time(time) } else { return .time(nil) }
        case .dateTime: if case .dateTime(let moment) = value { return .moment(moment) } else { return .moment(nil) }
        case .singleChoice: if case .choice(let key) = value { return choice([key], several: false) } else { return choice([], several: false) }
        case .multipleChoice: if case .choices(let keys) = value { return choice(keys, several: true) } else { return choice([], several: true) }
        case .location: return .place(value?.words(definition), searching: searching)
        case .attachment(let rule): return .file(value?.words(definition), signature: false, mediaTypes: rule.mediaTypes)
        case .signature(let rule): return .file(value?.words(definition), signature: true, mediaTypes: rule.mediaTypes)
        case .text, .multiline, .integer, .decimal, .email, .phone, .url, .barcode:
            var multiline = false
            if case .multiline = kind { multiline = true }
            let text = open ?? value.map { FieldState.provided($0).typedText(decimalSeparator: locale.decimalSeparator ?? ".") } ?? ""
            return .line(text: text, keyboard: kind.keyboard ?? .text, multiline: multiline)
        }
    }
}
