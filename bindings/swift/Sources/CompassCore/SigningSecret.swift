import Foundation

/// Whether this text can sign messages, as the core decides: `whsec_` and the base64, with padding, of 24 to 64 bytes.
package func isSigningSecret(_ text: String) -> Bool {
    let prefix = "whsec_"
    guard text.hasPrefix(prefix), let key = Data(base64Encoded: String(text.dropFirst(prefix.count))) else { return false }
    return (24...64).contains(key.count)
}
