"""The console over a stage in memory: its pages, its changes, and what a hostile record or page cannot do."""

import html
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from functions.adapters.memory_kafka import MemoryRecord
from functions.core.dead_letter import Reason
from functions.core.errors import Misconfigured
from functions.core.handover_ports import Runtime
from functions.core.ports import DurableStop, StopReason
from functions.core.stops import milliseconds
from functions.operate.console.drawing import lag_chart
from functions.operate.console.security import HEADERS
from functions.operate.console.server import ConsoleOptions, serve
from functions.operate.console.watching import LagSample
from tests.unit.operate.console_site import Site, site
from tests.unit.operate.world import NOW, TOPIC, World, letter, source

HOSTILE = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "\u202etxt.exe", "\x00\x1b[31m",
    "&amp;", "'; DROP TABLE", "javascript:alert(1)", "</pre></main>", "\ud7ff\ufffe",
]  # fmt: skip


@pytest.fixture
def read_only(world: World) -> Iterator[Site]:
    with site({"logins": world.context}, may_write=False) as running:
        yield running


@pytest.fixture
def writing(world: World) -> Iterator[Site]:
    with site({"logins": world.context}, may_write=True) as running:
        yield running


def wait_for(page: Callable[[], str], text: str) -> None:
    end = time.monotonic() + 60
    while text not in page():
        assert time.monotonic() < end, page()
        time.sleep(0.05)


def stop(world: World) -> DurableStop:
    stopped = DurableStop(StopReason.FLOOD, "812 of the last 1000 were rejected", 5, 9, milliseconds(NOW))
    world.open(2)
    world.ledger.stop(source(2), stopped)
    return stopped


def test_the_overview_shows_each_pipeline(world: World, read_only: Site) -> None:
    world.letters.store([letter(1), letter(2)])
    wait_for(lambda: read_only.main("/"), "keeping up")
    assert "Runtimes msk enabled, worker disabled" in read_only.main("/")
    assert "read-only" in read_only.get("/").text


def test_a_pipeline_shows_partitions_runtimes_and_stops(world: World, read_only: Site) -> None:
    world.settle(0, 7)
    world.kafka.logs[TOPIC][0].records = [MemoryRecord(0, b"", b"", []) for _ in range(9)]
    stop(world)
    wait_for(lambda: read_only.main("/logins"), "stopped on partition 2 (flood)")
    page = read_only.main("/logins")
    assert "Partition 2: flood, since 2026-11-23T12:00:00.000Z 812 of the last 1000 were rejected" in page
    assert "0 7 9 2" in page
    assert "<button" not in read_only.get("/logins").text


def test_letters_are_filtered_and_counted(world: World, read_only: Site) -> None:
    world.letters.store([letter(1), letter(2, reason=Reason.FAILED), letter(3, key=b"other")])
    assert "Open letters by reason failed 1 rejected 2" in read_only.main("/logins/letters")
    assert "The newest 1 user-login/3/2 failed" in read_only.main("/logins/letters?reason=failed")
    assert "user-login/3/3" in read_only.main("/logins/letters?key=other")
    assert "user-login/3/1" not in read_only.main("/logins/letters?key=other")
    assert read_only.get("/logins/letters?reason=nonsense").status == 400
    assert read_only.get("/logins/letters?partition=x").status == 400


def test_a_letter_is_shown_and_its_value_is_a_download(world: World, read_only: Site) -> None:
    world.letters.store([letter(1, value=b"x" * 5000)])
    page = read_only.main("/logins/letters/user-login/3/1")
    assert "rejected , open" in page
    assert "x" * 4096 in page
    assert "x" * 4097 not in page
    answer = read_only.get("/logins/letters/user-login/3/1/value")
    assert answer.body == b"x" * 5000
    assert answer.headers["content-disposition"] == 'attachment; filename="value.bin"'
    assert answer.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_record_holds_is_shown_and_never_run(world: World, read_only: Site, text: str) -> None:
    value = text.encode("utf-8", "surrogatepass")
    world.letters.store([letter(1, value=value, key=value, headers=[(text, value)], detail=text, traceback=text)])
    for path in ("/logins/letters", "/logins/letters/user-login/3/1", "/logins/letters?text=" + "%3Cscript%3E"):
        answer = read_only.get(path)
        assert answer.status == 200
        assert answer.text.count("<script") == 1, "the console's own"
        assert "onerror=alert(1)>" not in html.unescape(answer.text) or "<img" not in answer.text
        assert not set(answer.text) & {"\u202e", "\x00", "\x1b"}
        assert answer.text.count("</main>") == 1


@pytest.mark.parametrize("path", ["/", "/logins", "/logins/letters", "/nowhere", "/static/style.css"])
def test_every_answer_has_the_protecting_headers(read_only: Site, path: str) -> None:
    headers = read_only.get(path).headers
    assert {name.lower(): value for name, value in HEADERS.items()}.items() <= headers.items()


def test_another_name_for_the_host_is_not_served(read_only: Site) -> None:
    assert read_only.get("/", Host="evil.example").status == 403
    assert read_only.get("/", Host=f"localhost:{read_only.port}").status == 200


def test_unknown_addresses_are_pages(read_only: Site) -> None:
    assert read_only.get("/nowhere").status == 404
    assert "no pipeline nowhere: there are logins" in read_only.get("/nowhere").text
    assert read_only.get("/logins/letters/user-login/3/99").status == 404
    assert read_only.get("/logins/letters/nonsense").status == 404
    assert read_only.get("/static/../server.py").status == 404


def test_a_read_only_console_changes_nothing(world: World, read_only: Site) -> None:
    world.letters.store([letter(1)])
    answer = read_only.post("/logins/actions/discard", {"place": "user-login/3/1", "execute": "yes"})
    assert (answer.status, "start it with --write" in answer.text) == (403, True)
    assert not world.claims.all()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_another_sites_page_changes_nothing(world: World, writing: Site, headers: dict[str, str]) -> None:
    world.letters.store([letter(1)])
    answer = writing.post("/logins/actions/discard", {"place": "user-login/3/1", "execute": "yes"}, **headers)
    assert answer.status == 403
    assert not world.claims.all()


def test_a_form_without_the_secret_changes_nothing(world: World, writing: Site) -> None:
    world.letters.store([letter(1)])
    for token in ("", "guess"):
        fields = {"place": "user-login/3/1", "execute": "yes", "token": token}
        assert writing.post("/logins/actions/discard", fields).status == 403
    assert writing.ask("POST", "/logins/actions/discard", None, {}).status == 403
    assert writing.post("/logins/actions/discard", {"key": "x" * 100_000}).status == 413
    assert not world.claims.all()


def test_an_action_is_a_dry_run_first(world: World, writing: Site) -> None:
    world.settle(3, 10)
    world.letters.store([letter(1), letter(2)])
    dry = writing.post("/logins/actions/redrive", {"place": "user-login/3/1"})
    assert "would send 1 record to user-login" in dry.text
    assert "--execute" not in dry.text
    assert not world.kafka.logs[TOPIC][3].records
    done = writing.post("/logins/actions/redrive", {"place": "user-login/3/1", "execute": "yes"})
    assert "sent 1 record" in done.text, done.text
    assert len(world.kafka.logs[TOPIC][3].records) == 1


def test_a_stop_is_resumed_as_it_was_shown(world: World, writing: Site) -> None:
    stop(world)
    wait_for(lambda: writing.main("/logins"), "Resume, partition 2")
    fields = {"partition": "2", "since": "2026-11-23T12:00:00.000Z"}
    assert "Do it: resume" in writing.post("/logins/actions/resume", fields).text
    other = writing.post("/logins/actions/resume", {**fields, "since": "2026-11-22T12:00:00.000Z", "execute": "yes"})
    assert 'role="alert"' in other.text
    assert world.ledger.read(source(2)).stop is not None  # type: ignore[union-attr]
    writing.post("/logins/actions/resume", {**fields, "execute": "yes"})
    assert world.ledger.read(source(2)).stop is None  # type: ignore[union-attr]


def test_everything_cannot_be_discarded_at_once(world: World, writing: Site) -> None:
    world.letters.store([letter(1)])
    answer = writing.post("/logins/actions/discard", {"execute": "yes"})
    assert (answer.status, "select the letters" in answer.text) == (400, True)
    assert not world.claims.all()


def test_a_handover_is_offered_for_the_runtime_that_is_disabled(world: World, writing: Site) -> None:
    wait_for(lambda: writing.main("/logins"), "Hand over to worker")
    assert "Hand over to msk" not in writing.main("/logins")
    dry = writing.post("/logins/actions/handover", {"to": "worker"})
    assert "would: disable msk" in dry.text
    assert world.switches[Runtime.MSK].enabled
    assert writing.post("/logins/actions/handover", {"to": "both"}).status == 400
    assert writing.post("/logins/actions/nothing", {}).status == 404


def test_one_pipelines_fault_is_its_own(world: World) -> None:
    class Broken:
        def __getattr__(self, name: str) -> object:
            raise RuntimeError(f"a bug in {name}")

    broken = replace(world.context, ledger_listing=Broken())  # type: ignore[arg-type]
    with site({"logins": world.context, "other": broken}, may_write=False) as running:
        wait_for(lambda: running.main("/"), "RuntimeError: a bug in positions")
        wait_for(lambda: running.main("/"), "keeping up")
        world.kafka.reachable = False
        assert running.get("/logins").status == 200


def test_beyond_loopback_the_printed_address_is_needed(world: World) -> None:
    with site({"logins": world.context}, may_write=False, access="secret") as running:
        assert running.get("/").status == 403
        assert running.get("/?access=guess").status == 403
        entered = running.get("/?access=secret")
        assert (entered.status, entered.headers["location"]) == (303, "/")
        cookie = entered.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert running.get("/", Cookie=cookie.partition(";")[0]).status == 200


def test_a_port_that_is_taken_is_one_line(world: World) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Misconfigured, match=f"--port {port}: Address already in use: --port 0 takes any free one"):
            serve("test", {"logins": world.context}, ConsoleOptions(port=port), lambda _: None)
    with pytest.raises(Misconfigured, match="--host: got 'somewhere'"):
        serve("test", {"logins": world.context}, ConsoleOptions("somewhere"), lambda _: None)


def test_the_lag_is_drawn_from_two_samples_on() -> None:
    assert lag_chart([LagSample(0, 5)]) is None
    drawn = lag_chart([LagSample(0, 0), LagSample(30, 100), LagSample(60, 50)])
    assert drawn is not None
    assert 'aria-label="Lag over the last 1 minutes, at most 100 records"' in drawn
    assert 'points="56.0,120.0 348.0,8.0 640.0,64.0"' in drawn


def test_a_plan_has_costs_and_a_picture_of_the_crossover(read_only: Site) -> None:
    query = "rate=0.5&peak=20000&hours=18-22&latency=10"
    page = read_only.main(f"/logins/plan?{query}")
    assert "workers 18-22 UTC, Lambda otherwise: tandem handover logins --to auto --worker-hours 18-22" in page
    assert "peak 20,000 records/s" in page
    picture = read_only.get(f"/logins/plan.svg?{query}")
    assert (picture.status, picture.headers["content-type"]) == (200, "image/svg+xml")
    assert picture.text.startswith("<svg")
    assert f'src="/logins/plan.svg?{html.escape(query)}"' in read_only.get(f"/logins/plan?{query}").text


def test_a_plan_without_a_rate_is_of_what_the_stage_measured(world: World, read_only: Site) -> None:
    assert "give a rate: the metrics of this stage show no records in the last 14 days" in read_only.main(
        "/logins/plan"
    )
    world.traffic.records[NOW - timedelta(hours=2)] = 3600.0 * 50
    assert "measured since 2026-11-23 10:00Z, peak 50 records/s" in read_only.main("/logins/plan")


@pytest.mark.parametrize(
    "query", ["rate=x", "rate=nan", "rate=-1", "peak=5", "rate=5&latency=inf", "rate=5&peak=9&hours=25-26"]
)
def test_a_wrong_plan_says_what_is_wrong(read_only: Site, query: str) -> None:
    answer = read_only.get(f"/logins/plan?{query}")
    assert answer.status == 400
    assert "expected" in answer.text
    assert read_only.get(f"/logins/plan.svg?{query}").status == 400
