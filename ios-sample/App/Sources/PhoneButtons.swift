import AVFoundation
import CompassCore
import CoreLocation
import CryptoKit
import FieldSampleModels
import SwiftUI
import UniformTypeIdentifiers

/// Files stay in a folder of the app; a session holds their names, sizes and hashes.
enum Attachments {
    static func keep(_ data: Data, name: String, mediaType: String) throws -> FileManifest {
        let hash = SHA256.hash(data: data).map { String(format: "%02x", $0) }.joined()
        let folder = try Self.folder()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try data.write(to: folder.appendingPathComponent(hash), options: [.atomic, .completeFileProtectionUntilFirstUserAuthentication])
        return FileManifest(sha256: hash, mediaType: mediaType, size: UInt64(data.count), name: name)
    }

    static func folder() throws -> URL {
        try FileManager.default.url(for: .applicationSupportDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
            .appendingPathComponent("attachments", isDirectory: true)
    }
}

/// A photo by the camera, or a file.
struct AttachButtons: View {
    let mediaTypes: [String]
    let about: String
    let act: (FieldAct) -> Void
    @State private var choosing = false
    @State private var photographing = false

    var body: some View {
        VStack(spacing: 8) {
            if mediaTypes.isEmpty || mediaTypes.contains("image/jpeg") {
                BigButton(.buttonTakePhoto, sign: "camera", about: about) { Task { await photograph() } }
            }
            BigButton(.buttonChooseFile, sign: "doc", about: about) { choosing = true }
        }
        .fileImporter(isPresented: $choosing, allowedContentTypes: [.item]) { result in
            guard let file = try? result.get() else { return act(.notAttached) }
            let allowed = file.startAccessingSecurityScopedResource()
            defer { if allowed { file.stopAccessingSecurityScopedResource() } }
            let type = UTType(filenameExtension: file.pathExtension)?.preferredMIMEType ?? "application/octet-stream"
            attach(try? Data(contentsOf: file), file.lastPathComponent, type)
        }
        .fullScreenCover(isPresented: $photographing) {
            Camera { photo in
                photographing = false
                if let photo { attach(photo.jpeg, "photo.jpg", "image/jpeg") }
            }
        }
    }

    private func photograph() async {
        var access = Camera.access
        if access == .notAsked { access = await AVCaptureDevice.requestAccess(for: .video) ? .allowed : .denied }
        if access.isRefused { act(.notPhotographed(access)) } else { photographing = true }
    }

    private func attach(_ data: Data?, _ name: String, _ type: String) {
        if let data, let mark = try? Attachments.keep(data, name: name, mediaType: type) { act(.attached(mark)) } else { act(.notAttached) }
    }
}

/// To the phone's settings for this app, where something is forbidden to it. Who changes it there finds everything here as it was: the system
/// ends the app then.
struct PhoneSettingsButton: View {
    let about: String

    var body: some View {
        BigButton(.buttonPhoneSettings, sign: "gearshape", about: about) {
            if let settings = URL(string: UIApplication.openSettingsURLString) { UIApplication.shared.open(settings) }
        }
    }
}

/// The platform's camera.
struct Camera: UIViewControllerRepresentable {
    /// A photo that was taken; `jpeg` is none when it could not be made.
    struct Photo {
        let jpeg: Data?
    }

    /// None when the camera was left.
    let done: (Photo?) -> Void

    /// Of a library of photos one can choose a file; it is no camera.
    @MainActor static var access: CameraAccess {
        guard UIImagePickerController.isSourceTypeAvailable(.camera) else { return .missing }
        return switch AVCaptureDevice.authorizationStatus(for: .video) {
        case .authorized: .allowed
        case .notDetermined: .notAsked
        case .restricted: .restricted
        default: .denied
        }
    }

    func makeUIViewController(context: Context) -> UIImagePickerController {
        let camera = UIImagePickerController()
        camera.sourceType = .camera
        camera.delegate = context.coordinator
        return camera
    }

    func updateUIViewController(_ camera: UIImagePickerController, context: Context) {}

    func makeCoordinator() -> Coordinator { Coordinator(done: done) }

    final class Coordinator: NSObject, UIImagePickerControllerDelegate, UINavigationControllerDelegate {
        private let done: (Photo?) -> Void

        init(done: @escaping (Photo?) -> Void) { self.done = done }

        func imagePickerController(
            _ picker: UIImagePickerController, didFinishPickingMediaWithInfo info: [UIImagePickerController.InfoKey: Any]
        ) {
            done(Photo(jpeg: (info[.originalImage] as? UIImage)?.jpegData(compressionQuality: 0.8)))
        }

        func imagePickerControllerDidCancel(_ picker: UIImagePickerController) { done(nil) }
    }
}

/// A pad to sign on; a person who cannot draw types the name.
struct SignButton: View {
    let about: String
    let act: (FieldAct) -> Void
    @State private var signing = false
    @State private var strokes: [[CGPoint]] = []
    @State private var name = ""

    var body: some View {
        BigButton(.buttonSign, sign: "signature", about: about) {
            (strokes, name) = ([], "")
            signing = true
        }
        .sheet(isPresented: $signing) {
            Page(.plain(about), isStill: true) {
                Words(.labelSignHere)
                Ink(strokes: strokes, name: name)
                    .frame(maxWidth: Ink.size.width, minHeight: Ink.size.height, maxHeight: Ink.size.height)
                    .gesture(
                        DragGesture(minimumDistance: 0)
                            .onChanged { drag in
                                if drag.translation == .zero { strokes.append([]) }
                                if !strokes.isEmpty { strokes[strokes.count - 1].append(drag.location) }
                            }
                    )
                    .accessibilityHidden(true)
                LineInput(id: .labelTypeName, text: $name)
                BigButton(.buttonClear, about: about) { (strokes, name) = ([], "") }.disabled(isEmpty)
            } foot: {
                BigButton(.buttonSave, sign: "checkmark", isMain: true) { save() }.disabled(isEmpty)
                BigButton(.buttonCancel) { signing = false }
            }
        }
    }

    private var isEmpty: Bool { strokes.isEmpty && name.allSatisfy(\.isWhitespace) }

    private func save() {
        let picture = ImageRenderer(content: Ink(strokes: strokes, name: name).frame(width: Ink.size.width, height: Ink.size.height))
        picture.scale = 3
        let png = picture.uiImage?.pngData()
        signing = false
        if let png, let mark = try? Attachments.keep(png, name: "signature.png", mediaType: "image/png") {
            act(.attached(mark))
        } else {
            act(.notAttached)
        }
    }
}

/// What was drawn, over what was typed.
private struct Ink: View {
    /// Of the picture; the pad is as high, and no wider.
    static let size = CGSize(width: 400, height: 200)

    let strokes: [[CGPoint]]
    let name: String

    var body: some View {
        ZStack {
            Color(Theme.paper)
            Words(.plain(name)).font(.system(.largeTitle, design: .serif)).foregroundStyle(Color(Theme.pen))
            Canvas { context, _ in
                for stroke in strokes {
                    var path = Path()
                    path.addLines(stroke)
                    context.stroke(path, with: .color(Color(Theme.pen)), lineWidth: 3)
                }
            }
        }
    }
}

/// Asks the phone for its position, once.
struct LocateButton: View {
    let about: String
    let act: (FieldAct) -> Void
    @State private var locator = Locator()

    var body: some View {
        BigButton(.buttonLocate, sign: "location", about: about) {
            act(.locating)
            locator.locate { act($0) }
        }
    }
}

@MainActor
final class Locator: NSObject, @preconcurrency CLLocationManagerDelegate {
    private let manager = CLLocationManager()
    private var told: ((FieldAct) -> Void)?
    private var asking = false

    func locate(_ told: @escaping (FieldAct) -> Void) {
        self.told = told
        manager.delegate = self
        go()
    }

    private func go() {
        switch manager.authorizationStatus {
        case .notDetermined:
            asking = true
            manager.requestWhenInUseAuthorization()
        case .denied, .restricted: tell(.notLocated(denied: true))
        default: manager.requestLocation()
        }
    }

    private func tell(_ act: FieldAct) {
        told?(act)
        told = nil
    }

    // Also called when nobody was asked, for instance right after the delegate was set.
    func locationManagerDidChangeAuthorization(_ manager: CLLocationManager) {
        guard asking, manager.authorizationStatus != .notDetermined else { return }
        asking = false
        go()
    }

    func locationManager(_ manager: CLLocationManager, didUpdateLocations locations: [CLLocation]) {
        guard let here = locations.last else { return }
        func digits(_ degrees: Double, _ places: Int) -> DecimalValue? {
            DecimalValue(String(format: "%.\(places)f", locale: Locale(identifier: "en_US_POSIX"), degrees))
        }
        guard let latitude = digits(here.coordinate.latitude, 6), let longitude = digits(here.coordinate.longitude, 6)
        else { return tell(.notLocated(denied: false)) }
        let accuracy = here.horizontalAccuracy >= 0 ? digits(here.horizontalAccuracy, 1) : nil
        let madeUp = here.sourceInformation?.isSimulatedBySoftware ?? false
        let place = Location(latitude: latitude, longitude: longitude, accuracyM: accuracy, capturedAt: here.timestamp, mocked: madeUp)
        tell(.located(place))
    }

    func locationManager(_ manager: CLLocationManager, didFailWithError error: any Error) {
        tell(.notLocated(denied: false))
    }
}
