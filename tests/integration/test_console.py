"""The console in a browser, by keyboard and for screen readers; and on a sandbox that runs, as a process."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from functions.core.dead_letter import Reason
from functions.core.ports import DurableStop, StopReason
from functions.core.stops import milliseconds
from tests.integration.browser import TAB, Page, browser
from tests.integration.test_up import Checkout, checkout, up
from tests.integration.waiting import PATIENCE, eventually
from tests.unit.operate.console_site import Site, site
from tests.unit.operate.world import NOW, World, letter, source

__all__ = ["checkout"]  # a fixture
ROOT = Path(__file__).parents[2]
PLAN = "/logins/plan?rate=0.5&peak=20000&hours=18-22"
PAGES = ("/", "/logins", "/logins/letters", "/logins/letters/user-login/3/1", PLAN)
INTERACTIVE = ("link", "button", "textbox", "combobox", "checkbox")


@dataclass(frozen=True)
class Opened:
    """A console over a stage in memory with letters and a stop, and a browser."""

    site: Site
    page: Page

    def open(self, path: str) -> Page:
        self.page.open(self.site.address + path)
        return self.page


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    with ThreadPoolExecutor(4) as pool, browser(tmp_path_factory.mktemp("browser")) as page:
        world = World(pool)
        world.settle(0, 5120)
        world.settle(3, 10)
        world.letters.store([letter(number, reason=list(Reason)[number % 3]) for number in range(1, 9)])
        world.open(2)
        detail = "user-login-2 [5000, 5999]: 812 of the last 1000 records were rejected, the limit is 50%"
        world.ledger.stop(source(2), DurableStop(StopReason.FLOOD, detail, 5000, 5999, milliseconds(NOW)))
        with site({"logins": world.context}, may_write=True) as running:
            eventually(lambda: "stopped on partition 2" in running.get("/logins").text, lambda: running.get("/").text)
            yield Opened(running, page)


@pytest.mark.parametrize("path", PAGES)
def test_all_that_can_be_used_has_a_name_and_is_reached_by_tab(opened: Opened, path: str) -> None:
    page = opened.open(path)
    named = page.names(*INTERACTIVE)
    assert named
    assert all(name for _, name in named), named
    focused = "document.activeElement === document.body ? '' : document.activeElement.outerHTML.slice(0, 200)"
    reached: list[str] = []
    for _ in range(120):
        page.press(**TAB)
        element = page.value(focused)
        if not element or element in reached[:1]:
            break
        reached.append(element)
    wanted = page.value("document.querySelectorAll('a[href], button, input:not([type=hidden]), select').length")
    usable = [each for each in reached if re.match(r"<(a|button|input|select)\b", each)]
    assert len(usable) == wanted
    outline = page.value("getComputedStyle(document.activeElement || document.body).outlineStyle")
    assert outline is not None


@pytest.mark.parametrize("path", PAGES)
def test_screen_readers_find_their_way(opened: Opened, path: str) -> None:
    page = opened.open(path)
    assert page.names("heading")
    assert page.value("document.querySelectorAll('h1').length") == 1
    assert len(page.names("main")) == 1
    assert page.value("document.documentElement.lang") == "en"
    assert page.value("[...document.querySelectorAll('th')].every(each => each.scope)")
    assert page.value(
        "[...document.querySelectorAll('input:not([type=hidden]), select')].every(each => each.labels.length)"
    )


@pytest.mark.parametrize("path", PAGES)
def test_a_phone_shows_it_without_sideways_scrolling(opened: Opened, path: str, tmp_path: Path) -> None:
    page = opened.open(path)
    page.picture(360, 800, "light", tmp_path / "phone.png")
    assert page.value("document.documentElement.scrollWidth") <= 360


def test_the_picture_of_a_plan_is_drawn(opened: Opened, tmp_path: Path) -> None:
    page = opened.open(PLAN)
    eventually(lambda: page.value("document.querySelector('img.plan').naturalWidth") > 0, lambda: "no picture")
    page.picture(1000, 900, "light", tmp_path / "plan.png")


def test_light_and_dark_differ(opened: Opened, tmp_path: Path) -> None:
    page = opened.open("/logins")
    for scheme in ("light", "dark"):
        page.picture(1000, 800, scheme, tmp_path / f"{scheme}.png")
    assert (tmp_path / "light.png").read_bytes() != (tmp_path / "dark.png").read_bytes()


def test_the_docs_show_it(opened: Opened, tmp_path: Path) -> None:
    """`PICTURES=docs/images .venv/bin/python -m pytest tests/integration/test_console.py -k docs` renews them."""
    folder = Path(os.environ.get("PICTURES", tmp_path))
    for path, name, width, height, scheme in (
        ("/logins", "console.png", 1000, 1000, "light"), ("/logins/letters", "console-phone.png", 400, 760, "dark"),
    ):  # fmt: skip
        opened.open(path).picture(width, height, scheme, folder / name)
        assert (ROOT / "docs/images" / name).exists()


def test_a_page_renews_itself_unless_somebody_uses_it(opened: Opened) -> None:
    page = opened.open("/")
    page.value("document.querySelector('main').dataset.mark = 'old'")
    eventually(
        lambda: page.value("document.querySelector('main').dataset.mark") is None, lambda: "it is still the old one"
    )
    page.value("document.querySelector('main a').focus(); document.querySelector('main').dataset.mark = 'used'")
    assert (
        page.value(
            "new Promise(resolve => setTimeout(() => resolve(document.querySelector('main').dataset.mark), 6000))"
        )
        == "used"
    )


def test_an_action_is_carried_out_by_keyboard(opened: Opened) -> None:
    page = opened.open("/logins/letters/user-login/3/1")
    page.value("[...document.querySelectorAll('button')].find(each => each.textContent.includes('Discard')).focus()")
    enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
    page.press(**enter)
    text = "document.body.textContent"
    eventually(lambda: "would" in (page.value(text) or ""), lambda: page.value(text))
    page.value("document.querySelector('button.execute').focus()")
    page.press(**enter)
    eventually(lambda: "discarded" in (page.value(text) or ""), lambda: page.value(text))


def test_letters_of_a_running_sandbox_are_redriven_through_the_page(checkout: Checkout) -> None:
    up(checkout)
    checkout.answer("produce", "logins", "--generate", "20", "--invalid", "0.5")
    checkout.wait_for(20)
    command = [sys.executable, "-m", "functions.cli.main", "console", "--write", "--port", "0"]
    process = subprocess.Popen(
        command,
        env={**checkout.environment, "PYTHONUNBUFFERED": "1"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip().rstrip("/")
        page = get(f"{address}/logins/letters")
        (token, *_) = re.findall(r'name="token" value="([^"]+)"', page)
        before = checkout.answer("status")["letters"]["open"]
        done = get(f"{address}/logins/actions/redrive", {"token": token, "execute": "yes"})
        assert f"sent {sum(before.values())} records" in done
        checkout.wait_for(20 + sum(before.values()))
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) in {0, 130}
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    finally:
        process.kill()
        process.communicate()


def get(address: str, form: dict[str, str] | None = None) -> str:
    data = None if form is None else urlencode(form).encode()
    with urlopen(Request(address, data)) as answer:  # noqa: S310 - loopback
        return str(answer.read().decode())
