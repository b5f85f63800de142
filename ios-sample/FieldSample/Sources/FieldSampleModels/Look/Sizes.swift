/// Sizes for gloves and sunlight, in points.
public enum Sizes {
    /// Everything that can be tapped is this high at least, and as wide.
    public static let target: Double = 56
    /// The one action that a screen is for.
    public static let main: Double = 64
    /// The smallest text.
    public static let text: Double = 18
}
