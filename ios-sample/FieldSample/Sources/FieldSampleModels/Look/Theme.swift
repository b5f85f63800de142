/// What something on a screen is about; a sign and words say it, too.
public enum Tone: CaseIterable, Sendable { case plain, good, waiting, bad }

/// The colours of the app, by what they are for. Views take theirs from here and nowhere else.
public struct Theme: Hashable, Sendable {
    public let page: Shade, card: Shade
    /// Text, and text that matters less.
    public let ink: Shade, quietInk: Shade
    /// Around inputs and buttons.
    public let line: Shade
    public let accent: Shade, onAccent: Shade
    /// Behind what is chosen.
    public let tint: Shade
    public let good: Shade, goodGround: Shade, waiting: Shade, waitingGround: Shade, bad: Shade, badGround: Shade
    /// High contrast: cards and badges have a border, for their grounds are those of the page.
    public let isStrong: Bool

    /// How thick borders are, in points.
    public var lineWidth: Double { isStrong ? 2 : 1 }

    /// Text of this tone.
    public func ink(_ tone: Tone) -> Shade {
        switch tone {
        case .plain: ink
        case .good: good
        case .waiting: waiting
        case .bad: bad
        }
    }

    /// What lies behind text of this tone.
    public func ground(_ tone: Tone) -> Shade {
        switch tone {
        case .plain: tint
        case .good: goodGround
        case .waiting: waitingGround
        case .bad: badGround
        }
    }

    /// A signature is ink on paper, in every theme.
    public static let paper = Shade(0xFFFFFF), pen = Shade(0x000000)

    public static func of(dark: Bool, strong: Bool) -> Theme {
        switch (dark, strong) {
        case (false, false): light
        case (true, false): self.dark
        case (false, true): strongLight
        case (true, true): strongDark
        }
    }

    public static let light = Theme(
        page: Shade(0xF1F3EF), card: Shade(0xFFFFFF), ink: Shade(0x13201A), quietInk: Shade(0x405048), line: Shade(0x7B8A82),
        accent: Shade(0x0A5C46), onAccent: Shade(0xFFFFFF), tint: Shade(0xDCEBE3), good: Shade(0x0A5C46), goodGround: Shade(0xDAEFE4),
        waiting: Shade(0x6B4200), waitingGround: Shade(0xFCEBC8), bad: Shade(0x9B1414), badGround: Shade(0xFBDEDA), isStrong: false)

    public static let dark = Theme(
        page: Shade(0x0E1512), card: Shade(0x19221E), ink: Shade(0xEDF3EF), quietInk: Shade(0xB7C5BD), line: Shade(0x70807A),
        accent: Shade(0x7EDBB6), onAccent: Shade(0x04281C), tint: Shade(0x22332C), good: Shade(0x86DFB7), goodGround: Shade(0x153428),
        waiting: Shade(0xF5C66F), waitingGround: Shade(0x382B10), bad: Shade(0xFFB6AC), badGround: Shade(0x43191A), isStrong: false)

    public static let strongLight = Theme(
        page: Shade(0xFFFFFF), card: Shade(0xFFFFFF), ink: Shade(0x000000), quietInk: Shade(0x000000), line: Shade(0x000000),
        accent: Shade(0x003D2D), onAccent: Shade(0xFFFFFF), tint: Shade(0xFFFFFF), good: Shade(0x003D20), goodGround: Shade(0xFFFFFF),
        waiting: Shade(0x4A2C00), waitingGround: Shade(0xFFFFFF), bad: Shade(0x730000), badGround: Shade(0xFFFFFF), isStrong: true)

    public static let strongDark = Theme(
        page: Shade(0x000000), card: Shade(0x000000), ink: Shade(0xFFFFFF), quietInk: Shade(0xFFFFFF), line: Shade(0xFFFFFF),
        accent: Shade(0xFFE54A), onAccent: Shade(0x000000), tint: Shade(0x000000), good: Shade(0x8DFFBA), goodGround: Shade(0x000000),
        waiting: Shade(0xFFD968), waitingGround: Shade(0x000000), bad: Shade(0xFFBDB5), badGround: Shade(0x000000), isStrong: true)
}
