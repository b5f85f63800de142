import Foundation

/// The keyboard that a line of text wants.
public enum Keyboard: Hashable, Sendable { case text, number, signedNumber, decimal, signedDecimal, email, phone, url, barcode }

/// How a field is filled in: which control, and what it shows.
public enum FieldInput: Hashable, Sendable {
    /// A line of text, or several: what is half typed, else the value as it is typed. A keyboard scanner ends it with the return key.
    case line(text: String, keyboard: Keyboard, multiline: Bool)
    /// Two big buttons; none chosen when none is said.
    case yesNo(Bool?)
    case day(Day?, min: Day?, max: Day?)
    case time(TimeOfDay?)
    case moment(OffsetMoment?)
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
    public let holding: Holding
    public let input: FieldInput
    /// What is wrong with it, below the input; announced politely.
    public var problem: Phrase?
    /// The technician can fix it in the phone's settings, where this app was forbidden something.
    public var opensSettings = false
    /// Where a prefilled value came from, or that only the fingerprint of a file is sent.
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
    case yesNo(Bool), day(Day), time(TimeOfDay), moment(OffsetMoment)
    /// An option was tapped: chosen, or of several, chosen or not any more.
    case option(String)
    case locating, located(Place), notLocated(denied: Bool)
    case attached(FileMark), notAttached
    case notPhotographed(CameraAccess)
    case clear, notApplicable, empty

    /// The value that it gives to a field; none for text, which is read first, and for acts that give none.
    func holding(_ info: FieldInfo, before: Holding) -> Holding? {
        switch self {
        case .typed, .left, .locating, .notLocated, .notAttached, .notPhotographed: return nil
        case .yesNo(let yes): return .given(.yesNo(yes))
        case .day(let day): return .given(.day(day))
        case .time(let time): return .given(.time(time))
        case .moment(let moment): return .given(.moment(moment))
        case .located(let place): return .given(.place(place))
        case .attached(let file): return .given(.file(file))
        case .clear: return .notProvided
        case .notApplicable: return .notApplicable
        case .empty: return .empty
        case .option(let option):
            if info.type == .singleChoice { return .given(.one(option)) }
            var chosen: Set<String> = []
            if case .many(let options) = before.value { chosen = Set(options) }
            chosen.formSymmetricDifference([option])
            // In the order of the options, not in the order of the taps.
            let ordered = info.options.map(\.key).filter(chosen.contains)
            return ordered.isEmpty ? .notProvided : .given(.many(ordered))
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

extension FieldType {
    /// What is typed for this type has to be read.
    var keyboard: Keyboard? {
        switch self {
        case .text, .multiline: .text
        case .integer: .number
        case .decimal: .decimal
        case .email: .email
        case .phone: .phone
        case .url: .url
        case .barcode: .barcode
        default: nil
        }
    }
}

extension FieldInfo {
    fileprivate var keyboard: Keyboard {
        let signed = min.map { $0.hasPrefix("-") } ?? true
        return switch type.keyboard ?? .text {
        case .number: signed ? .signedNumber : .number
        case .decimal: signed ? .signedDecimal : .decimal
        case let plain: plain
        }
    }
}

extension SessionField {
    /// Ready to show. `missing` is what a move was refused for.
    func item(_ typing: Typing, missing: FieldProblem?, numbers: NumberInput) -> FieldItem {
        let open = typing.open(self)
        let problem = typing.problems[info.key] ?? missing
        var item = FieldItem(
            key: info.key, name: info.name, help: info.help, required: info.required, holding: holding,
            input: input(open, searching: typing.searching.contains(info.key), numbers))
        item.opensSettings = [.cameraDenied, .locationDenied].contains(typing.refusals[info.key])
        item.problem = typing.refusals[info.key].map { .message($0, []) } ?? problem?.words(info)
        if let source {
            item.note = .text(.prefilledFrom, .plain(source))
        } else if info.type == .attachment || info.type == .signature {
            item.note = .text(.fileStays)
        }
        item.unsaved = open != nil
        item.canClear = holding != .notProvided || !(open ?? "").isEmpty
        item.canBeNotApplicable = info.allowNotApplicable && holding != .notApplicable
        item.canBeEmpty = info.allowEmpty && info.type.keyboard != nil && holding != .empty
        return item
    }

    private func input(_ open: String?, searching: Bool, _ numbers: NumberInput) -> FieldInput {
        let value = holding.value
        func options(_ chosen: [String], several: Bool) -> FieldInput {
            .choice(info.options.map { OptionItem(key: $0.key, name: $0.name, chosen: chosen.contains($0.key)) }, several: several)
        }
        switch info.type {
        case .yesNo: if case .yesNo(let yes) = value { return .yesNo(yes) } else { return .yesNo(nil) }
        case .date:
            var chosen: Day?
            if case .day(let day) = value { chosen = day }
            return .day(chosen, min: info.min.flatMap { Day($0) }, max: info.max.flatMap { Day($0) })
        case .time: if case .time(let time) = value { return .time(time) } else { return .time(nil) }
        case .dateTime: if case .moment(let moment) = value { return .moment(moment) } else { return .moment(nil) }
        case .singleChoice: if case .one(let key) = value { return options([key], several: false) } else { return options([], several: false) }
        case .multipleChoice: if case .many(let keys) = value { return options(keys, several: true) } else { return options([], several: true) }
        case .location: return .place(value?.words(info), searching: searching)
        case .attachment, .signature: return .file(value?.words(info), signature: info.type == .signature, mediaTypes: info.mediaTypes)
        default:
            let typed = switch value {
            case .words(let text): text
            case .whole(let number): numbers.typed(String(number))
            case .exact(let digits): numbers.typed(digits)
            default: ""
            }
            return .line(text: open ?? typed, keyboard: info.keyboard, multiline: info.type == .multiline)
        }
    }
}
