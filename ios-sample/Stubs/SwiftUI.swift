// What the views of this app use of SwiftUI, declared and never run: a compiler that has no SwiftUI can then see wrong names, types and missing
// cases of ours. Where a declaration here differs from Apple's, it is this file that is wrong.
@_exported import Foundation
@_exported import UIKit

@MainActor @preconcurrency public protocol View {
    associatedtype Body: View
    @ViewBuilder @MainActor @preconcurrency var body: Body { get }
}
extension Never: View { public var body: Never { fatalError() } }
extension Optional: View where Wrapped: View { public var body: Never { fatalError() } }

/// Anything that shows something.
public protocol Leaf: View where Body == Never {}
extension Leaf { public var body: Never { fatalError() } }
public struct Shown: Leaf {}
public struct EmptyView: Leaf { public init() {} }
public struct Either<One: View, Other: View>: Leaf {}
public struct Several<each Part: View>: Leaf {}

@resultBuilder public struct ViewBuilder {
    public static func buildBlock() -> EmptyView { fatalError() }
    public static func buildBlock<One: View>(_ one: One) -> One { fatalError() }
    public static func buildBlock<each Part: View>(_ part: repeat each Part) -> Several<repeat each Part> { fatalError() }
    public static func buildExpression<Content: View>(_ content: Content) -> Content { fatalError() }
    public static func buildIf<Content: View>(_ content: Content?) -> Content? { fatalError() }
    public static func buildEither<One: View, Other: View>(first: One) -> Either<One, Other> { fatalError() }
    public static func buildEither<One: View, Other: View>(second: Other) -> Either<One, Other> { fatalError() }
}

// State ---------------------------------------------------------------------------------------------------------------------------------

@propertyWrapper @dynamicMemberLookup public struct Binding<Value> {
    public init(get: @escaping () -> Value, set: @escaping (Value) -> Void) { fatalError() }
    public var wrappedValue: Value { get { fatalError() } nonmutating set {} }
    public var projectedValue: Binding<Value> { self }
    public subscript<Part>(dynamicMember path: WritableKeyPath<Value, Part>) -> Binding<Part> { fatalError() }
}
@propertyWrapper public struct State<Value> {
    public init(wrappedValue: Value) { fatalError() }
    public init(initialValue: Value) { fatalError() }
    public var wrappedValue: Value { get { fatalError() } nonmutating set {} }
    public var projectedValue: Binding<Value> { fatalError() }
}
@propertyWrapper @dynamicMemberLookup public struct Bindable<Value> {
    public var wrappedValue: Value
    public init(wrappedValue: Value) { fatalError() }
    public init(_ value: Value) { fatalError() }
    public var projectedValue: Bindable<Value> { self }
    public subscript<Part>(dynamicMember path: ReferenceWritableKeyPath<Value, Part>) -> Binding<Part> { fatalError() }
}
@propertyWrapper public struct SceneStorage<Value> {
    public init(wrappedValue: Value, _ key: String) where Value == String { fatalError() }
    public var wrappedValue: Value { get { fatalError() } nonmutating set {} }
}
@propertyWrapper public struct FocusState<Value: Hashable> {
    public init() where Value == Bool { fatalError() }
    public struct Binding {}
    public var wrappedValue: Value { get { fatalError() } nonmutating set {} }
    public var projectedValue: Binding { fatalError() }
}
@propertyWrapper public struct AccessibilityFocusState<Value: Hashable> {
    public init() where Value == Bool { fatalError() }
    public struct Binding {}
    public var wrappedValue: Value { get { fatalError() } nonmutating set {} }
    public var projectedValue: Binding { fatalError() }
}
@propertyWrapper public struct Environment<Value> {
    public init(_ path: KeyPath<EnvironmentValues, Value>) { fatalError() }
    public var wrappedValue: Value { fatalError() }
}
public struct EnvironmentValues {
    public subscript<Key: EnvironmentKey>(key: Key.Type) -> Key.Value { get { fatalError() } set {} }
}
public protocol EnvironmentKey {
    associatedtype Value
    static var defaultValue: Value { get }
}

// Views ---------------------------------------------------------------------------------------------------------------------------------

public struct Text: Leaf { public init(verbatim: String) {} }
public struct Image: Leaf { public init(systemName: String) {} }
public struct Spacer: Leaf { public init() {} }
public struct Label: Leaf {
    public init<Title: View, Icon: View>(@ViewBuilder title: () -> Title, @ViewBuilder icon: () -> Icon) {}
}
public struct ButtonRole: Sendable { public static let destructive = ButtonRole() }
public struct Button: Leaf {
    public init<Content: View>(role: ButtonRole? = nil, action: @escaping @MainActor () -> Void, @ViewBuilder label: () -> Content) {}
}
public enum HorizontalAlignment { case leading, center, trailing }
public struct VStack: Leaf {
    public init<Content: View>(alignment: HorizontalAlignment = .center, spacing: CGFloat? = nil, @ViewBuilder content: () -> Content) {}
}
public struct HStack: Leaf { public init<Content: View>(@ViewBuilder content: () -> Content) {} }
public struct ScrollView: Leaf { public init<Content: View>(@ViewBuilder content: () -> Content) {} }
public struct List: Leaf { public init<Content: View>(@ViewBuilder content: () -> Content) {} }
public struct Section: Leaf {
    public init<Content: View>(@ViewBuilder content: () -> Content) {}
    public init<Content: View, Header: View>(@ViewBuilder content: () -> Content, @ViewBuilder header: () -> Header) {}
}
public struct ForEach: Leaf {
    public init<Data: RandomAccessCollection, Content: View>(_ data: Data, @ViewBuilder content: @escaping (Data.Element) -> Content)
    where Data.Element: Identifiable {}
    public init<Data: RandomAccessCollection, ID: Hashable, Content: View>(
        _ data: Data, id: KeyPath<Data.Element, ID>, @ViewBuilder content: @escaping (Data.Element) -> Content) {}
}
public struct NavigationStack: Leaf {
    public init<Path, Content: View>(path: Binding<[Path]>, @ViewBuilder root: () -> Content) {}
}
public struct ProgressView: Leaf { public init(value: Double) {} }
public enum Axis { case horizontal, vertical }
public struct TextField: Leaf { public init(_ title: String, text: Binding<String>, axis: Axis) {} }
public struct SecureField: Leaf { public init(_ title: String, text: Binding<String>) {} }
public struct Toggle: Leaf { public init(_ title: String, isOn: Binding<Bool>) {} }
public struct Picker: Leaf {
    public init<Value: Hashable, Content: View>(_ title: String, selection: Binding<Value>, @ViewBuilder content: () -> Content) {}
}
public struct DatePickerComponents: OptionSet, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }
    public static let date = DatePickerComponents(rawValue: 1), hourAndMinute = DatePickerComponents(rawValue: 2)
}
public struct DatePicker: Leaf {
    public init(_ title: String, selection: Binding<Date>, displayedComponents: DatePickerComponents) {}
}
public struct ShareLink: Leaf { public init(item: URL) {} }
public struct Color: Leaf, Sendable {
    public static let accentColor = Color(), secondary = Color(), primary = Color(), white = Color(), black = Color()
}
public struct Canvas: Leaf { public init(renderer: @escaping (inout GraphicsContext, CGSize) -> Void) {} }
public struct GraphicsContext {
    public struct Shading { public static func color(_ color: Color) -> Shading { fatalError() } }
    public func stroke(_ path: Path, with: Shading, lineWidth: CGFloat) {}
}
public struct Path {
    public init() {}
    public mutating func addLines(_ points: [CGPoint]) {}
}
@MainActor public final class ImageRenderer { public init<Content: View>(content: Content) {}; public var uiImage: UIImage? { nil } }

// Modifiers -----------------------------------------------------------------------------------------------------------------------------

public struct Font { public static let headline = Font(), title = Font(), title2 = Font(), title3 = Font() }
public struct AccessibilityTraits: OptionSet, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }
    public static let isHeader = AccessibilityTraits(rawValue: 1), isSelected = AccessibilityTraits(rawValue: 2)
    public static let updatesFrequently = AccessibilityTraits(rawValue: 4)
}
public enum DynamicTypeSize: Comparable, Sendable { case xLarge, xxxLarge, accessibility2 }
public enum VerticalEdge { case bottom }
public struct ButtonLook { public static let bordered = ButtonLook(), borderedProminent = ButtonLook() }
public struct FieldLook { public static let roundedBorder = FieldLook() }
public enum AccessibilityNotification { @MainActor public struct Announcement { public init(_ words: String) {}; public func post() {} } }
public struct UTType: Sendable {
    public init?(filenameExtension: String) { nil }
    public var preferredMIMEType: String? { nil }
    public static let json = UTType(filenameExtension: "json")!, item = UTType(filenameExtension: "")!
}
@MainActor @preconcurrency public protocol ViewModifier {
    associatedtype Body: View
    typealias Content = Shown
    @ViewBuilder func body(content: Content) -> Body
}
public protocol Gesture {}
public struct DragGesture: Gesture {
    public struct Value { public var location: CGPoint { fatalError() }; public var translation: CGSize { fatalError() } }
    public init(minimumDistance: CGFloat) {}
    @MainActor public func onChanged(_ act: @escaping @MainActor (Value) -> Void) -> DragGesture { self }
}

extension View {
    public func modifier(_ modifier: some ViewModifier) -> some View { Shown() }
    public func font(_ font: Font) -> some View { Shown() }
    public func bold() -> some View { Shown() }
    public func monospaced() -> some View { Shown() }
    public func padding() -> some View { Shown() }
    public func frame(maxWidth: CGFloat? = nil, minHeight: CGFloat? = nil) -> some View { Shown() }
    public func frame(width: CGFloat, height: CGFloat) -> some View { Shown() }
    public func background(_ color: Color) -> some View { Shown() }
    public func tint(_ color: Color) -> some View { Shown() }
    public func disabled(_ off: Bool) -> some View { Shown() }
    public func tag(_ tag: some Hashable) -> some View { Shown() }
    public func id(_ id: some Hashable) -> some View { Shown() }
    public func buttonStyle(_ style: ButtonLook) -> some View { Shown() }
    public func textFieldStyle(_ style: FieldLook) -> some View { Shown() }
    public func keyboardType(_ type: UIKeyboardType) -> some View { Shown() }
    public func focused(_ focus: FocusState<Bool>.Binding) -> some View { Shown() }
    public func onSubmit(_ act: @escaping () -> Void) -> some View { Shown() }
    public func onAppear(perform: @escaping @MainActor () -> Void) -> some View { Shown() }
    public func onDisappear(perform: @escaping @MainActor () -> Void) -> some View { Shown() }
    public func onChange<Value: Equatable>(of value: Value, _ act: @escaping (Value, Value) -> Void) -> some View { Shown() }
    public func task(_ act: @escaping @MainActor @Sendable () async -> Void) -> some View { Shown() }
    public func sheet<Content: View>(isPresented: Binding<Bool>, @ViewBuilder content: @escaping () -> Content) -> some View { Shown() }
    public func fullScreenCover<Content: View>(isPresented: Binding<Bool>, @ViewBuilder content: @escaping () -> Content) -> some View { Shown() }
    public func fileImporter(
        isPresented: Binding<Bool>, allowedContentTypes: [UTType], onCompletion: @escaping (Result<URL, any Error>) -> Void
    ) -> some View { Shown() }
    public func safeAreaInset<Content: View>(edge: VerticalEdge, @ViewBuilder content: () -> Content) -> some View { Shown() }
    public func navigationDestination<Value: Hashable, Content: View>(
        for type: Value.Type, @ViewBuilder destination: @escaping (Value) -> Content
    ) -> some View { Shown() }
    public func navigationBarBackButtonHidden(_ hidden: Bool) -> some View { Shown() }
    public func dynamicTypeSize(_ range: PartialRangeFrom<DynamicTypeSize>) -> some View { Shown() }
    public func gesture(_ gesture: some Gesture) -> some View { Shown() }
    public func accessibilityAddTraits(_ traits: AccessibilityTraits) -> some View { Shown() }
    public func accessibilityFocused(_ focus: AccessibilityFocusState<Bool>.Binding) -> some View { Shown() }
    public func accessibilityLabel(_ label: Text) -> some View { Shown() }
}

// The app -------------------------------------------------------------------------------------------------------------------------------

@MainActor @preconcurrency public protocol App {
    associatedtype Content: Scene
    @MainActor @preconcurrency var body: Content { get }
    init()
}
extension App { public static func main() {} }
@MainActor @preconcurrency public protocol Scene {}
public struct WindowGroup: Scene { public init<Content: View>(@ViewBuilder content: () -> Content) {} }
@propertyWrapper public struct UIApplicationDelegateAdaptor<Delegate: UIApplicationDelegate> {
    public init(_ type: Delegate.Type) {}
    public var wrappedValue: Delegate { fatalError() }
}
@MainActor @preconcurrency public protocol UIViewControllerRepresentable: Leaf {
    associatedtype Controller
    associatedtype Coordinator
    typealias Context = Representing<Coordinator>
    func makeUIViewController(context: Context) -> Controller
    func updateUIViewController(_ controller: Controller, context: Context)
    func makeCoordinator() -> Coordinator
}
public struct Representing<Coordinator> { public var coordinator: Coordinator { fatalError() } }
