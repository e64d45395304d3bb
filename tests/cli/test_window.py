"""The mirror's page shows the newest frame, to this machine's own browser alone."""

from __future__ import annotations

import http.client

import cv2
import numpy as np
import pytest

from mojing.cli.window import Window, mirror
from mojing.core.errors import InputError


def test_a_page_that_streams_the_frames() -> None:
    window = Window(0)
    try:
        page = http.client.HTTPConnection("127.0.0.1", window.port, timeout=10)
        page.request("GET", "/")
        assert b"/stream" in page.getresponse().read()
        stream = http.client.HTTPConnection("127.0.0.1", window.port, timeout=10)
        stream.request("GET", "/stream")
        red = np.full((48, 64, 3), (220, 20, 30), np.uint8)
        assert mirror([red], window) == 1
        answer = stream.getresponse()
        assert answer.getheader("Content-Type", "").startswith("multipart/x-mixed-replace")
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
