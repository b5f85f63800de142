/// A colour in sRGB, written `Shade(0x0A5C46)`.
public struct Shade: Hashable, Sendable, CustomStringConvertible {
    /// From 0 to 1.
    public let red: Double, green: Double, blue: Double

    public init(_ hex: UInt32) {
        func part(_ shift: UInt32) -> Double { Double(hex >> shift & 0xFF) / 255 }
        (red, green, blue) = (part(16), part(8), part(0))
    }

    public var description: String {
        "#" + [red, green, blue].map { part in
            let hex = String(Int((part * 255).rounded()), radix: 16, uppercase: true)
            return hex.count == 1 ? "0" + hex : hex
        }.joined()
    }
}
