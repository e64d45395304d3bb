"""The mirror's page shows the newest frame, to this machine's own browser alone."""

from __future__ import annotations

import http.client
from pathlib import Path

import cv2
import numpy as np
import pytest

from mojing.cli.clip import show
from mojing.cli.window import Window, mirror
from mojing.core.errors import InputError
from mojing.makeup.video import Live
from tests.makeup.faces import LOOK, sitter


def test_a_page_that_streams_the_frames() -> None:
    window = Window(0)
    try:
        page = http.client.HTTPConnection("127.0.0.1", window.port, timeout=10)
        page.request("GET", "/")
        html = page.getresponse()
        assert b"/stream" in html.read()
        assert "frame-ancestors 'none'" in html.getheader("Content-Security-Policy", "")
        stream = http.client.HTTPConnection("127.0.0.1", window.port, timeout=10)
        stream.request("GET", "/stream")
        red = np.full((48, 64, 3), (220, 20, 30), np.uint8)
        assert mirror([red], window) == 1
        answer = stream.getresponse()
        assert answer.getheader("Content-Type", "").startswith("multipart/x-mixed-replace")
        for head in (html, answer):
            assert head.getheader("Cache-Control") == "no-store"
            assert head.getheader("X-Content-Type-Options") == "nosniff"
            assert head.getheader("Cross-Origin-Resource-Policy") == "same-origin"
        assert answer.fp is not None
        lines = [answer.fp.readline() for _ in range(4)]
        assert lines[0] == b"--frame\r\n"
        jpeg = answer.fp.read(int(lines[2].split()[1]))
        shown = np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR))
        assert np.abs(shown[..., ::-1].astype(int) - red).max() < 12
        stream.close()
        page.close()
    finally:
        window.close()


def test_a_page_of_another_name_sees_nothing() -> None:
    window = Window(0)
    try:
        for path, host, status in (
            ("/stream", "evil.example", 403),
            ("/", "evil.example", 403),
            ("/x", "localhost", 404),
        ):
            connection = http.client.HTTPConnection("127.0.0.1", window.port, timeout=10)
            connection.request("GET", path, headers={"Host": host})
            assert connection.getresponse().status == status
            connection.close()
        with pytest.raises(InputError) as caught:
            Window(window.port)
        assert caught.value.code == "bad_options"
    finally:
        window.close()


def test_the_mirror_shows_every_frame(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rgb, face = sitter()
    clip = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (rgb.shape[1], rgb.shape[0]))
    for _ in range(3):
        writer.write(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    writer.release()
    show(Live(lambda _rgb, _seconds: face, LOOK), clip, seconds=None, port=0)
    said = capsys.readouterr().out
    assert "http://127.0.0.1:" in said
    assert "3 frames were shown, 3 with a face" in said
