// The types of files are in the stub of SwiftUI, which needs them.
@_exported import struct SwiftUI.UTType
