"""A service that nobody of the mesh wrote: Python's own http.server and hmac.

Checks every signature as a receiver of the PHP package does, and answers with what arrived. Prints its port on the
first line of stdout. Usage: upstream.py SECRET [NAME]
"""

import base64
import hashlib
import hmac
import json
import os
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

SECRET = sys.argv[1].encode()
NAME = sys.argv[2] if len(sys.argv) > 2 else "python"


class Upstream(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "PythonUpstream"

    def read_body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = b""
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                body += self.rfile.read(size)
                self.rfile.readline()
                if size == 0:
                    return body
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def is_signed(self, body):
        signatures = self.headers.get_all("X-Signature") or []
        timestamps = self.headers.get_all("X-Timestamp") or []
        if len(signatures) != 1 or len(timestamps) != 1:
            return False
        path = "/" + self.path.split("?", 1)[0].strip("/")
        payload = f"{self.command}\n{path}\n{timestamps[0]}\n".encode() + body
        expected = hmac.new(SECRET, payload, hashlib.sha256).hexdigest()
        fresh = abs(time.time() - int(timestamps[0])) <= 60
        return fresh and hmac.compare_digest(expected, signatures[0])

    def answer(self):
        body = self.read_body()
        if not self.is_signed(body):
            return self.send(401, b'{"error":"Invalid signature or timestamp."}')
        path = self.path.split("?", 1)[0]
        if path == "/api/redirect":
            return self.send(302, b"", [("Location", "https://elsewhere.example/next?x=1")])
        if path == "/api/cookies":
            return self.send(200, b"{}", [("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; HttpOnly")])
        if path == "/api/teapot":
            return self.send(418, b'{"short":"stout"}')
        if path == "/api/broken":
            return self.send(500, b'{"own":"error"}')
        if path == "/api/together":
            return self.send(200, json.dumps(self.together()).encode())
        if path == "/api/slow":
            print("slow", flush=True)
            time.sleep(2)
        if path == "/api/truncated":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"only this")
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return None
        seen = {
            "name": NAME,
            "pid": os.getpid(),
            "method": self.command,
            "target": self.path,
            "headers": [[name, value] for name, value in self.headers.items()],
            "body": base64.b64encode(body).decode(),
        }
        return self.send(200, json.dumps(seen).encode())

    def together(self):
        """Takes 100 ms, and until `count` services said in `folder` that they have begun, 20 s at the most."""
        asked = dict(parse_qsl(self.path.split("?", 1)[1]))
        begun = time.monotonic()
        open(os.path.join(asked["folder"], NAME), "w").close()
        time.sleep(0.1)
        while len(os.listdir(asked["folder"])) < int(asked["count"]) and time.monotonic() < begun + 20:
            time.sleep(0.01)
        return {"begun": begun, "ended": time.monotonic()}

    def send(self, status, body, headers=()):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Upstream", NAME)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        return None

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = answer

    def log_message(self, *arguments):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512


server = Server(("127.0.0.1", 0), Upstream)
print(server.server_port, flush=True)
server.serve_forever()
