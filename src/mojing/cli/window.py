"""A window for the make-up mirror: OpenCV's own build has none, so a page on this machine alone shows the frames.

The page is a stream of JPEGs (multipart/x-mixed-replace), which every browser shows. Only this machine can reach it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import cv2

from mojing.core.arrays import U8
from mojing.core.errors import InputError

_QUALITY = 88
_POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""The page loads its own frames alone, and no other page may show it inside."""
_WAIT_S = 5.0
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>mojing</title>
<style>body{margin:0;background:#111;display:grid;place-items:center;min-height:100vh}
img{max-width:100vw;max-height:100vh;transform:scaleX(-1)}</style>
<img src="/stream" alt="the mirror"></html>"""


class Window:
    """Shows frames on http://127.0.0.1:PORT/ as long as it is open; port 0 takes any free one."""

    def __init__(self, port: int) -> None:
        self._new = threading.Condition()
        self._jpeg = b""
        self._number = 0
        self._closed = False
        window = self

        class Handler(_Handler):
            shown = window

        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        except OSError as exc:
            said = f"port {port} cannot be used: {exc.strerror}"
            raise InputError("bad_options", said, "choose another with --port") from exc
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port}/"

    def show(self, rgb: U8) -> None:
        """Show a frame (H, W, 3) in place of the one before."""
        options = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
        jpeg = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)[1].tobytes()
        with self._new:
            self._jpeg, self._number = jpeg, self._number + 1
            self._new.notify_all()

    def next(self, number: int) -> tuple[bytes, int]:
        """The first frame later than `number`, as JPEG with its own number; nothing once the window is closed."""
        with self._new:
            self._new.wait_for(lambda: self._number > number or self._closed, timeout=_WAIT_S)
            return (b"", number) if self._closed else (self._jpeg, self._number)

    def close(self) -> None:
        """Close the page and give the port back."""
        with self._new:
            self._closed = True
            self._new.notify_all()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    shown: Window
    timeout = 30.0
    """Seconds after which a browser that neither asks nor takes is left alone."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it has in the base class
        """Say nothing: the terminal belongs to the command."""

    def do_GET(self) -> None:
        # Another site's page that reaches this port by a name of its own must not see the camera.
        host = (self.headers.get("Host") or "").partition(":")[0]
        if host not in ("127.0.0.1", "localhost"):
            self.send_error(403)
        elif self.path == "/":
            body = _PAGE.encode()
            self._head(
                "text/html; charset=utf-8", {"Content-Length": str(len(body)), "Content-Security-Policy": _POLICY}
            )
            self.wfile.write(body)
        elif self.path == "/stream":
            self._stream()
        else:
            self.send_error(404)

    def _head(self, kind: str, more: dict[str, str]) -> None:
        """The head of an answer that no other site may show and no browser keeps."""
        self.send_response(200)
        own = {"Content-Type": kind, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        for name, value in (own | {"Cross-Origin-Resource-Policy": "same-origin"} | more).items():
            self.send_header(name, value)
        self.end_headers()

    def _stream(self) -> None:
        self._head("multipart/x-mixed-replace; boundary=frame", {})
        number = 0
        try:
            while True:
                jpeg, number = self.shown.next(number)
                if not jpeg:
                    return
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                self.wfile.write(head.encode() + jpeg + b"\r\n")
        except OSError:
            return  # the browser has gone


def mirror(frames: Iterable[U8], window: Window) -> int:
    """Show frames until they end or the user presses Ctrl-C; also how many there were."""
    count = 0
    try:
        for frame in frames:
            window.show(frame)
            count += 1
    except KeyboardInterrupt:
        pass
    return count
