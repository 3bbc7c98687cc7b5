"""A headless Chromium, driven by its DevTools protocol: pages, keys, the accessibility tree, pictures."""

import json
import shutil
import subprocess
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

import pytest

from tests.integration.waiting import PATIENCE

PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")
TAB: Final = {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}


@dataclass
class Page:
    """One page of the browser."""

    socket: Any
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol; its events are skipped."""
        number = next(self._numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return dict(answer["result"])

    def open(self, address: str) -> None:
        """Open an address, and wait until it is shown."""
        self.call("Page.navigate", url=address)
        end = time.monotonic() + PATIENCE
        while self.value("document.readyState + location.href") != f"complete{address}":
            assert time.monotonic() < end, address
            time.sleep(0.05)

    def value(self, expression: str) -> Any:
        """Return the value of a JavaScript expression."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)["result"]
        return result.get("value")

    def press(self, **key: Any) -> None:
        """Press and release a key."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, **key)

    def names(self, *roles: str) -> list[tuple[str, str]]:
        """Return role and name of each element of these roles, as a screen reader gets them."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        described = [(node.get("role", {}).get("value"), node.get("name", {}).get("value", "")) for node in nodes]
        return [(role, name) for role, name in described if role in roles]

    def picture(self, width: int, height: int, scheme: str, file: Path) -> None:
        """Save a picture of the page, at this size and in a light or dark scheme."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        file.write_bytes(b64decode(self.call("Page.captureScreenshot", format="png")["data"]))


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """Start one with an empty profile; skips the test, with the reason, if none is installed."""
    websocket = pytest.importorskip("websocket")
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("needs Chromium")
    options = ("--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--no-first-run")
    process = subprocess.Popen(
        [program, *options, f"--user-data-dir={folder}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        port = _port(folder / "DevToolsActivePort", process)
        with urlopen(Request(f"http://127.0.0.1:{port}/json/new?about:blank", method="PUT")) as answer:
            target = json.load(answer)
        socket = websocket.create_connection(target["webSocketDebuggerUrl"], timeout=PATIENCE, suppress_origin=True)
        page = Page(socket)
        page.call("Page.enable")
        yield page
        socket.close()
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _port(file: Path, process: "subprocess.Popen[bytes]") -> int:
    end = time.monotonic() + PATIENCE
    while not file.exists() or not file.read_text().strip():
        assert process.poll() is None, "the browser ended"
        assert time.monotonic() < end
        time.sleep(0.05)
    return int(file.read_text().split()[0])
