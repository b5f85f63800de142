// What the app uses of SwiftUI, for a compiler that has none. Bodies are evaluated into a tree (`Drawn`) that tests walk and tap in; nothing is
// laid out and no pixel is drawn. It is written for this app and knows no more than it needs. Where it differs from Apple's, it is what is wrong.
@_exported import Foundation

@MainActor @preconcurrency public protocol View {
    associatedtype Body: View
    @ViewBuilder @MainActor @preconcurrency var body: Body { get }
    /// What it comes to. Views of the app have no own: theirs is what their body comes to.
    func drawn(_ spot: Spot) -> [Drawn]
}

extension View {
    public func drawn(_ spot: Spot) -> [Drawn] {
        let name = String(describing: Self.self).prefix { $0 != "<" }
        let spot = spot.into(name)
        spot.sketch.install(self, spot)
        return [Drawn(.view(String(name)), body.drawn(spot))]
    }
}

extension Never: View {
    public var body: Never { fatalError() }
    public func drawn(_ spot: Spot) -> [Drawn] { fatalError() }
}

/// A view that says itself what it comes to.
public protocol Leaf: View where Body == Never {}
extension Leaf { public var body: Never { fatalError() } }

/// A view as a closure.
public struct Shown: Leaf {
    let draw: @MainActor (Spot) -> [Drawn]
    init(_ draw: @escaping @MainActor (Spot) -> [Drawn]) { self.draw = draw }
    public func drawn(_ spot: Spot) -> [Drawn] { draw(spot) }
}

/// Where a view is: by this a state is found again, and what it inherits.
@MainActor public struct Spot {
    let sketch: Sketch
    var path: String
    public var values: EnvironmentValues
    var style: (@MainActor (ButtonStyleConfiguration, Spot) -> [Drawn])?
    var destinations: Destinations?

    func into(_ step: some CustomStringConvertible) -> Spot {
        var spot = self
        spot.path += "/\(step)"
        return spot
    }
}

public struct EmptyView: Leaf {
    public init() {}
    public func drawn(_ spot: Spot) -> [Drawn] { [] }
}

public struct Either<One: View, Other: View>: Leaf {
    enum Which { case one(One), other(Other) }
    let which: Which

    public func drawn(_ spot: Spot) -> [Drawn] {
        switch which {
        case .one(let one): one.drawn(spot.into("if"))
        case .other(let other): other.drawn(spot.into("else"))
        }
    }
}

extension Optional: View where Wrapped: View {
    public var body: Never { fatalError() }
    public func drawn(_ spot: Spot) -> [Drawn] { self?.drawn(spot.into("some")) ?? [] }
}

public struct Several<each Part: View>: Leaf {
    let parts: (repeat each Part)

    public func drawn(_ spot: Spot) -> [Drawn] {
        var all: [Drawn] = [], place = 0
        for part in repeat each parts {
            all += part.drawn(spot.into(place))
            place += 1
        }
        return all
    }
}

@MainActor @resultBuilder public struct ViewBuilder {
    public static func buildBlock() -> EmptyView { EmptyView() }
    public static func buildBlock<One: View>(_ one: One) -> One { one }
    public static func buildBlock<each Part: View>(_ part: repeat each Part) -> Several<repeat each Part> { Several(parts: (repeat each part)) }
    public static func buildExpression<Content: View>(_ content: Content) -> Content { content }
    public static func buildIf<Content: View>(_ content: Content?) -> Content? { content }
    public static func buildEither<One: View, Other: View>(first: One) -> Either<One, Other> { Either(which: .one(first)) }
    public static func buildEither<One: View, Other: View>(second: Other) -> Either<One, Other> { Either(which: .other(second)) }
}

@MainActor @preconcurrency public protocol PreviewProvider {
    associatedtype Previews: View
    @ViewBuilder @MainActor @preconcurrency static var previews: Previews { get }
}

extension View {
    /// Views of different types, for tests.
    public var asShown: Shown { Shown(drawing(self)) }
}

/// How a view is drawn, as a closure.
@MainActor func drawing<Content: View>(_ view: Content) -> @MainActor (Spot) -> [Drawn] { { view.drawn($0) } }
