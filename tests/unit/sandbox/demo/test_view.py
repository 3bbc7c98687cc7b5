from io import StringIO

from rich.console import Console

from sandbox.demo.view import ConsoleView


def test_plain_lines_where_there_is_no_terminal() -> None:
    out = StringIO()
    with ConsoleView(Console(file=out, width=200)) as view:
        view.chapter("Set up", "a broker [of mine]")
        view.chapter("Burst")
        view.numbers(10, 5, 20)
    lines = [line.partition("] ")[2] for line in out.getvalue().splitlines()]
    assert lines == ["Set up", "  a broker [of mine]", "Burst"]


def test_a_list_on_a_terminal() -> None:
    out = StringIO()
    with ConsoleView(Console(file=out, width=100, force_terminal=True)) as view:
        view.chapter("Set up", "a broker [of mine]")
        view.numbers(10, 5, 20)
        view.chapter("Burst", "now")
    assert "✓ Set up" in out.getvalue()
    assert "a broker [of mine]" in out.getvalue()
    assert "settled" in out.getvalue()
