// Colours, letters, forms.

public struct Color: Leaf, Hashable, Sendable {
    public enum RGBColorSpace: Sendable { case sRGB }
    /// Its parts in sRGB; none for a colour of the system's.
    public let parts: [Double]
    init(parts: [Double]) { self.parts = parts }
    public init(_ space: RGBColorSpace = .sRGB, red: Double, green: Double, blue: Double, opacity: Double = 1) {
        parts = [red, green, blue] + (opacity == 1 ? [] : [opacity])
    }
    public static let accentColor = Color(parts: []), secondary = Color(parts: []), primary = Color(parts: []), white = Color(parts: [])
    public static let black = Color(parts: []), gray = Color(parts: []), red = Color(parts: []), green = Color(parts: []), orange = Color(parts: [])
    public static let clear = Color(parts: [0, 0, 0, 0])
    public func opacity(_ share: Double) -> Color { share == 1 ? self : Color(parts: parts + [share]) }
    public func drawn(_ spot: Spot) -> [Drawn] { [Drawn(.colour(self))] }
}

public struct Font: Hashable, Sendable {
    public enum TextStyle: Sendable { case largeTitle, title, title2, title3, headline, body, callout, subheadline, footnote, caption, caption2 }
    public enum Design: Sendable { case monospaced, serif }
    /// None for a size of its own, which does not grow with the phone's setting.
    public let style: TextStyle?, fixed: CGFloat?
    init(_ style: TextStyle?, fixed: CGFloat? = nil) { (self.style, self.fixed) = (style, fixed) }
    public static let largeTitle = Font(.largeTitle), title = Font(.title), title2 = Font(.title2), title3 = Font(.title3)
    public static let headline = Font(.headline), body = Font(.body), callout = Font(.callout), subheadline = Font(.subheadline)
    public static let footnote = Font(.footnote), caption = Font(.caption), caption2 = Font(.caption2)
    public static func system(size: CGFloat) -> Font { Font(nil, fixed: size) }
    public static func system(_ style: TextStyle, design: Design? = nil) -> Font { Font(style) }
}

public enum DynamicTypeSize: Int, Comparable, Sendable, CaseIterable {
    case xSmall, small, medium, large, xLarge, xxLarge, xxxLarge, accessibility1, accessibility2, accessibility3, accessibility4, accessibility5
    public var isAccessibilitySize: Bool { self >= .accessibility1 }
    public static func < (one: Self, other: Self) -> Bool { one.rawValue < other.rawValue }
}

public enum HorizontalAlignment: Sendable { case leading, center, trailing }
public enum VerticalAlignment: Sendable { case top, center, bottom, firstTextBaseline }
public enum Alignment: Sendable { case leading, center, trailing, topLeading, top, bottom }
public struct Edge: Sendable {
    public struct Set: OptionSet, Sendable {
        public let rawValue: Int
        public init(rawValue: Int) { self.rawValue = rawValue }
        public static let top = Set(rawValue: 1), bottom = Set(rawValue: 2), leading = Set(rawValue: 4), trailing = Set(rawValue: 8)
        public static let horizontal: Set = [.leading, .trailing], vertical: Set = [.top, .bottom], all: Set = [.horizontal, .vertical]
    }
}

public protocol Shape: Leaf {}
extension Shape { public func drawn(_ spot: Spot) -> [Drawn] { [Drawn(.space)] } }
public protocol InsettableShape: Shape {}
extension InsettableShape {
    @MainActor public func strokeBorder(_ color: Color, lineWidth: CGFloat = 1) -> some View { Shown { _ in [Drawn(.colour(color))] } }
}
public struct Rectangle: InsettableShape { public init() {} }
public struct RoundedRectangle: InsettableShape { public init(cornerRadius: CGFloat) {} }

public struct Path {
    public init() {}
    public mutating func addLines(_ points: [CGPoint]) {}
}
public struct GraphicsContext {
    public struct Shading { public static func color(_ color: Color) -> Shading { Shading() } }
    public func stroke(_ path: Path, with: Shading, lineWidth: CGFloat) {}
}
public struct Canvas: Leaf {
    public init(renderer: @escaping (inout GraphicsContext, CGSize) -> Void) {}
    public func drawn(_ spot: Spot) -> [Drawn] { [Drawn(.foreign("Canvas"))] }
}
@MainActor public final class ImageRenderer {
    public init<Content: View>(content: Content) {}
    public var scale: CGFloat = 1
    // Nothing is drawn here.
    public var uiImage: UIImage? { nil }
}
