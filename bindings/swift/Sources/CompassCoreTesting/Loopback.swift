import Foundation
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// HTTP over the sockets of the system, as much as ``WebhookSink`` needs.
enum Loopback {
    #if canImport(Glibc)
    private static let stream = Int32(SOCK_STREAM.rawValue)
    private static let both = Int32(SHUT_RDWR)
    #else
    private static let stream = SOCK_STREAM
    private static let both = SHUT_RDWR
    #endif

    /// A socket that listens on a free port of 127.0.0.1.
    static func listen() throws -> (socket: Int32, port: UInt16) {
        let listener = socket(AF_INET, stream, 0)
        guard listener >= 0 else { throw POSIXError(.EMFILE) }
        var here = address(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listens = withAddress(&here) { address in
            bind(listener, address, length) == 0 && systemListen(listener) && getsockname(listener, address, &length) == 0
        }
        guard listens else {
            end(listener)
            throw POSIXError(.EADDRNOTAVAIL)
        }
        return (listener, UInt16(bigEndian: here.sin_port))
    }

    /// Connects, and ends the connection.
    static func touch(_ port: UInt16) {
        let connection = socket(AF_INET, stream, 0)
        guard connection >= 0 else { return }
        var there = address(port)
        _ = withAddress(&there) { connect(connection, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        end(connection)
    }

    /// Waits for a connection; nil when the socket gives none any more.
    static func accept(_ listener: Int32) -> Int32? {
        while true {
            let connection = systemAccept(listener)
            if connection >= 0 { return connection }
            if errno != EINTR && errno != ECONNABORTED { return nil }
        }
    }

    /// Ends what is read and written on this connection; its number stays.
    static func stop(_ connection: Int32) { _ = shutdown(connection, both) }

    static func end(_ socket: Int32) { _ = close(socket) }

    /// The request on this connection; nil if it ends before the request does.
    static func read(_ connection: Int32) -> ReceivedWebhook? {
        var bytes = Data()
        var chunk = [UInt8](repeating: 0, count: 65_536)
        /// Reads more; false at the end.
        func more() -> Bool {
            let count = recv(connection, &chunk, chunk.count, 0)
            guard count > 0 else { return false }
            bytes.append(contentsOf: chunk[..<count])
            return true
        }
        let blank = Data("\r\n\r\n".utf8)
        var end = bytes.range(of: blank)
        while end == nil {
            guard more() else { return nil }
            end = bytes.range(of: blank)
        }
        guard let end else { return nil }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ")
        guard words.count > 1 else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            headers[line[..<colon].trimmingCharacters(in: .whitespaces).lowercased()] = value
        }
        let size = headers["content-length"].flatMap(Int.init) ?? 0
        while bytes.count - end.upperBound < size {
            guard more() else { return nil }
        }
        return ReceivedWebhook(path: String(words[1]), headers: headers, body: Data(bytes[end.upperBound...].prefix(size)))
    }

    /// Sends an answer. That the caller has gone is no error: tests do that too.
    static func write(_ answer: SinkAnswer, to connection: Int32) {
        var head = "HTTP/1.1 \(answer.status) -\r\nconnection: close\r\ncontent-length: \(answer.body.count)\r\n"
        for (name, value) in answer.headers.sorted(by: { $0.key < $1.key }) { head += "\(name): \(value)\r\n" }
        var left = Array((head + "\r\n").utf8) + Array(answer.body)
        while !left.isEmpty {
            #if canImport(Glibc)
            let sent = send(connection, left, left.count, Int32(MSG_NOSIGNAL))
            #else
            let sent = send(connection, left, left.count, 0)
            #endif
            guard sent > 0 else { return }
            left.removeFirst(sent)
        }
    }

    private static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }

    private static func withAddress<Result>(_ address: inout sockaddr_in, _ work: (UnsafeMutablePointer<sockaddr>) -> Result) -> Result {
        withUnsafeMutablePointer(to: &address) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1, work) }
    }
}

private func systemListen(_ socket: Int32) -> Bool { listen(socket, 50) == 0 }
private func systemAccept(_ socket: Int32) -> Int32 { accept(socket, nil, nil) }
