// What the app uses of CoreLocation: see the stub of SwiftUI.
import Foundation

public struct CLLocationCoordinate2D: Sendable { public var latitude: Double, longitude: Double }
public final class CLLocation: Sendable {
    public var coordinate: CLLocationCoordinate2D { fatalError() }
    public var horizontalAccuracy: Double { 0 }
    public var timestamp: Date { fatalError() }
    public var sourceInformation: CLLocationSourceInformation? { nil }
}
public final class CLLocationSourceInformation: Sendable { public var isSimulatedBySoftware: Bool { false } }
public enum CLAuthorizationStatus { case notDetermined, restricted, denied, authorizedAlways, authorizedWhenInUse }
public protocol CLLocationManagerDelegate: AnyObject {
    func locationManager(_ manager: CLLocationManager, didUpdateLocations locations: [CLLocation])
    func locationManager(_ manager: CLLocationManager, didFailWithError error: any Error)
    func locationManagerDidChangeAuthorization(_ manager: CLLocationManager)
}
public final class CLLocationManager {
    public init() {}
    public weak var delegate: (any CLLocationManagerDelegate)?
    public var authorizationStatus: CLAuthorizationStatus { .notDetermined }
    public func requestWhenInUseAuthorization() {}
    public func requestLocation() {}
}
