"""A receiver of webhooks that misbehaves as the path of a request says. For the tests of the platform's transport; loopback only.

Makes its certificates with openssl in the folder that it is given, prints its ports as one line of JSON, then one line for each request, for
each connection that broke, and for each line of its standard input but `go`, which answers requests to the path `wait`. Ends when its input
does.
"""

import json
import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

FOLDER = sys.argv[1]


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], cwd=FOLDER, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def authority(name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", f"/CN={name}",
            "-keyout", f"{name}.key", "-out", f"{name}.pem", "-addext", "basicConstraints=critical,CA:true")


def leaf(name, signed_by, host, dates=("-days", "7")):
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={host}",
            "-keyout", f"{name}.key", "-out", f"{name}.csr")
    with open(os.path.join(FOLDER, f"{name}.ext"), "w") as extension:
        extension.write(f"subjectAltName=DNS:{host}\nextendedKeyUsage=serverAuth\n")
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{signed_by}.pem", "-CAkey", f"{signed_by}.key", "-set_serial", str(time.time_ns()),
            *dates, "-extfile", f"{name}.ext", "-out", f"{name}.pem")


def context(name):
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(os.path.join(FOLDER, f"{name}.pem"), os.path.join(FOLDER, f"{name}.key"))
    return server


lock = threading.Lock()
released = threading.Event()


def report(**what):
    with lock:
        print(json.dumps(what), flush=True)


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def read_request(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return None
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    method, path, _ = lines[0].split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    while len(body) < int(headers.get("content-length", 0)):
        part = connection.recv(65536)
        if not part:
            return None
        body += part
    return method, path, headers, body


def answer(connection, status, extra="", body=b""):
    connection.sendall(f"HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {len(body)}\r\n{extra}\r\n".encode() + body)


def behave(connection, path):
    kind, _, rest = path.strip("/").partition("/")
    if kind == "status":
        extra = "location: /landed\r\n" if rest.startswith("3") else "retry-after: 7\r\n"
        answer(connection, rest, extra)
    elif kind in ("echo", "landed"):
        answer(connection, "200", "x-kind: Echo\r\n", b"taken")
    elif kind == "wait":
        released.wait()
        answer(connection, "200")
    elif kind == "hang":
        time.sleep(60)
    elif kind == "close":
        pass
    elif kind == "reset":
        reset(connection)
    elif kind == "garbage":
        connection.sendall(b"220 mail.example ESMTP\r\n\r\n")
    elif kind == "cut-head":
        connection.sendall(b"HTTP/1.1 200 O")
    elif kind == "cut-body":
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nonly this")
    elif kind == "bad-chunk":
        connection.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\nno\r\n")
    elif kind == "bad-gzip":
        answer(connection, "200", "content-encoding: gzip\r\n", b"this is not gzip")
    elif kind == "huge":
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
        for _ in range(1000):
            connection.sendall(b"x" * 1_000_000)
    elif kind == "slow-body":
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        for _ in range(60):
            connection.sendall(b"x")
            time.sleep(1)
    elif kind == "interim":
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n")
        answer(connection, "202")
    elif kind == "no-content":
        connection.sendall(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")


def serve(connection, wrap, kind):
    try:
        if kind == "reset-on-accept":
            return reset(connection)
        if kind == "silent":
            return time.sleep(60)
        if kind == "plain-on-tls":
            connection.recv(1000)
            return answer(connection, "200")
        if wrap:
            connection = wrap.wrap_socket(connection, server_side=True)
        for number in (1, 2):
            request = read_request(connection)
            if request is None:
                return report(broken="closed by the client before a request")
            method, path, headers, body = request
            report(method=method, path=path, headers=headers, body=body.decode("utf-8", "replace"))
            if path != "/keep":
                return behave(connection, path)
            # Keeps the connection, and closes it without an answer when it is used again.
            if number == 1:
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
    except OSError as error:
        report(broken=f"{kind or 'a request'}: {error!r}")
    finally:
        try:
            connection.close()
        except OSError:
            pass


def listen(wrap=None, kind=""):
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def accept():
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection, wrap, kind), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


authority("trusted")
authority("stranger")
leaf("good", "trusted", "localhost")
leaf("unknown", "stranger", "localhost")
leaf("other", "trusted", "office.example")
leaf("expired", "trusted", "localhost", ("-not_before", "20200101000000Z", "-not_after", "20210101000000Z"))
leaf("early", "trusted", "localhost", ("-not_before", "20900101000000Z", "-not_after", "20910101000000Z"))

closed = socket.create_server(("127.0.0.1", 0))
refused = closed.getsockname()[1]
closed.close()
report(
    plain=listen(),
    good=listen(context("good")),
    unknown=listen(context("unknown")),
    other=listen(context("other")),
    expired=listen(context("expired")),
    early=listen(context("early")),
    plain_on_tls=listen(kind="plain-on-tls"),
    reset=listen(kind="reset-on-accept"),
    silent=listen(kind="silent"),
    refused=refused,
)
# All that was reported before a question comes before its answer.
for line in sys.stdin:
    if line.strip() == "go":
        released.set()
    else:
        report(asked=line.strip())
