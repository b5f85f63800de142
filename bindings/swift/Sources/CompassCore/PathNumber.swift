/// Numbers networks where the system does not: the number changes when the network is reached in another way than before.
package struct PathNumber: Sendable {
    private var last: [String]?
    private var number: UInt64 = 0

    package init() {}

    /// The number of the network that is reached in this way: over this interface, through these gateways.
    package mutating func of(_ way: [String]) -> UInt64 {
        if way != last { number += 1 }
        last = way
        return number
    }
}
