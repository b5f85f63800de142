import FieldSampleModels
import Observation
import SwiftUI

/// The line that is being typed in, on any screen: the foot then makes room for the keyboard and offers to close it.
@MainActor @Observable
final class OpenLine {
    private var leave: (() -> Void)?
    private var owner: UUID?

    var isOpen: Bool { owner != nil }

    func opened(_ owner: UUID, leave: @escaping () -> Void) { (self.owner, self.leave) = (owner, leave) }

    /// Another line may have been opened meanwhile.
    func closed(_ owner: UUID) { if self.owner == owner { (self.owner, leave) = (nil, nil) } }

    func close() { leave?() }
}

/// A box to type in, all of which can be tapped. What was typed is `left` with the return key, or when another place is tapped.
struct LineBox: View {
    @Environment(\.theme) private var theme
    @Environment(\.openLine) private var line
    @Binding var text: String
    let label: Phrase
    var keyboard = Keyboard.text
    var multiline = false
    var secure = false
    var left: @MainActor () -> Void = {}
    @FocusState private var focused: Bool
    @State private var owner = UUID()

    var body: some View {
        input
            .focused($focused)
            .keyboardType(keyboard.type)
            .textInputAutocapitalization(keyboard == .text && !secure ? .sentences : .never)
            .autocorrectionDisabled(keyboard != .text || secure)
            .spoken(label)
            .padding(.horizontal, 16)
            .padding(.vertical, 8)
            .frame(maxWidth: .infinity, minHeight: Sizes.target, alignment: .leading)
            .background(Color(theme.card), in: RoundedRectangle(cornerRadius: 12))
            .overlay { RoundedRectangle(cornerRadius: 12).strokeBorder(Color(focused ? theme.accent : theme.line), lineWidth: theme.lineWidth) }
            .contentShape(Rectangle())
            .onTapGesture { focused = true }
            .onSubmit { left() }
            .onChange(of: focused) { _, now in
                if now { line?.opened(owner) { focused = false } } else { line?.closed(owner) }
                if !now { left() }
            }
            .onDisappear { line?.closed(owner) }
    }

    @ViewBuilder private var input: some View {
        if secure { SecureField("", text: $text) } else { TextField("", text: $text, axis: multiline ? .vertical : .horizontal) }
    }
}

/// A line of text, or several, with its label above.
struct LineInput: View {
    let id: TextId
    @Binding var text: String
    var keyboard = Keyboard.text
    var multiline = false
    var secure = false

    var body: some View {
        VStack(alignment: .leading, spacing: 8) {
            // The box has it as its own.
            Words(id).accessibilityHidden(true)
            LineBox(text: $text, label: .message(id, []), keyboard: keyboard, multiline: multiline, secure: secure)
        }
    }
}

extension Keyboard {
    fileprivate var type: UIKeyboardType {
        switch self {
        case .text, .barcode: .default
        case .number: .numberPad
        case .decimal: .decimalPad
        // The pads have no minus.
        case .signedNumber, .signedDecimal: .numbersAndPunctuation
        case .email: .emailAddress
        case .phone: .phonePad
        case .url: .URL
        }
    }
}
