// Only what the package uses of Security, as Apple declares it. Texts replace CFString, which is Hashable there.
public typealias CFString = String
public typealias CFDictionary = [String: Any]
public typealias CFTypeRef = AnyObject
public typealias OSStatus = Int32

public let kSecClass: CFString = "", kSecClassGenericPassword: CFString = "", kSecAttrService: CFString = ""
public let kSecAttrAccount: CFString = "", kSecUseDataProtectionKeychain: CFString = "", kSecAttrAccessGroup: CFString = ""
public let kSecReturnData: CFString = "", kSecValueData: CFString = "", kSecAttrAccessible: CFString = ""
public let kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly: CFString = ""
public let errSecSuccess: OSStatus = 0, errSecItemNotFound: OSStatus = -25300

public func SecItemCopyMatching(_ query: CFDictionary, _ result: UnsafeMutablePointer<CFTypeRef?>?) -> OSStatus { 0 }
public func SecItemAdd(_ attributes: CFDictionary, _ result: UnsafeMutablePointer<CFTypeRef?>?) -> OSStatus { 0 }
public func SecItemUpdate(_ query: CFDictionary, _ attributesToUpdate: CFDictionary) -> OSStatus { 0 }
public func SecItemDelete(_ query: CFDictionary) -> OSStatus { 0 }
