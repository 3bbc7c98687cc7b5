"""The console's pages. Each reads the world, or what was last seen of it, and renders a template."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from functions.core.dead_letter import DeadLetter, Reason
from functions.core.errors import Misconfigured, TandemError
from functions.core.record_place import parse_place
from functions.operate.console.actions import ACTIONS, run_action, selection_of
from functions.operate.console.drawing import lag_chart
from functions.operate.console.planning import plan_of
from functions.operate.console.security import Protection, form_fields
from functions.operate.console.watching import PipelineWatch
from functions.operate.dead_letters.listing import ListedLetter, letters_of, list_letters
from functions.operate.formatting import duration, moment, number, printable
from functions.operate.plan.picture import picture
from functions.operate.plan.text import HEAD, basis, cells, recommendation
from functions.operate.stops import since

HERE: Final = Path(__file__).parent
LETTERS: Final = 100  # on a page, the newest ones
MAX_SHOWN_BYTES: Final = 4096  # of a value; the whole of it is a download


@dataclass(frozen=True, slots=True)
class Pages:
    """All pages of a stage."""

    stage: str
    watches: Mapping[str, PipelineWatch]
    protection: Protection

    async def overview(self, _: Request) -> Response:
        """Show all pipelines."""
        return self._render("overview.html", title="Pipelines", watches=self.watches)

    async def pipeline(self, request: Request) -> Response:
        """Show a pipeline's partitions, runtimes, stops and lag."""
        name, watch = self._watch(request)
        chart = lag_chart(watch.lags)
        drawn = Markup(chart) if chart else None  # noqa: S704 - of numbers alone
        return self._render("pipeline.html", title=name, name=name, watch=watch, chart=drawn, since=since)

    async def plan(self, request: Request) -> Response:
        """Show what the pipeline costs on each runtime, for the traffic of the form or of the stage."""
        name, watch = self._watch(request)
        fields = {key: value for key, value in request.query_params.items() if value}
        found, error = None, ""
        try:
            found = await run_in_threadpool(plan_of, watch.context, fields)
        except TandemError as failure:
            error = str(failure)
        return self._render(
            "plan.html", status=400 if error and fields else 200, title=f"{name}: plan", name=name, fields=fields,
            found=found, error=error, head=HEAD, cells=cells, basis=basis, recommendation=recommendation,
        )  # fmt: skip

    async def plan_picture(self, request: Request) -> Response:
        """Return the picture of a plan. It is a file of its own because a page's policy allows no inline styles."""
        _, watch = self._watch(request)
        try:
            found = await run_in_threadpool(plan_of, watch.context, dict(request.query_params))
        except TandemError as error:
            raise HTTPException(400, str(error)) from None
        return Response(picture(found), media_type="image/svg+xml")

    async def letters(self, request: Request) -> Response:
        """Show the newest open letters of a selection, and how many there are by reason."""
        name, watch = self._watch(request)
        fields = {key: value for key, value in request.query_params.items() if value}
        notes: list[str] = []
        try:
            selection = selection_of(fields)
            counts, newest = await run_in_threadpool(list_letters, watch.context, selection, LETTERS, notes.append)
        except TandemError as error:
            return self._error(name, str(error), 400 if isinstance(error, Misconfigured) else 502)
        by_reason: dict[str, int] = {}
        for group, count in counts.items():
            if group.state.value == "open":
                by_reason[group.reason] = by_reason.get(group.reason, 0) + count
        most = max(by_reason.values(), default=1)
        return self._render(
            "letters.html", title=f"{name}: dead letters", name=name, letters=newest,
            by_reason=sorted(by_reason.items()), most=most, fields=fields, reasons=list(Reason), notes=notes,
        )  # fmt: skip

    async def letter(self, request: Request) -> Response:
        """Show the letters of one record, whole but for the length of its value."""
        name, place = request.path_params["pipeline"], request.path_params["place"]
        found = await self._letters_of(request)
        return self._render(
            "letter.html", title=f"{name}: {place}", name=name, place=place, letters=found, shown=_shown
        )

    async def value(self, request: Request) -> Response:
        """Return the value of a record's letter as a file, which no browser shows."""
        found = await self._letters_of(request)
        headers = {"Content-Disposition": 'attachment; filename="value.bin"'}
        return Response(found[0].letter.value or b"", media_type="application/octet-stream", headers=headers)

    async def action(self, request: Request) -> Response:
        """Run an action: a dry run first, whose page has the button that carries it out."""
        name, watch = self._watch(request)
        action = request.path_params["action"]
        try:
            fields = await form_fields(request)
        except ValueError as error:
            return self._error(name, str(error), 413)
        if not self.protection.is_form(fields):
            return self._error(name, "this form is not from this console, or the console was restarted: go back", 403)
        execute = fields.pop("execute", "") == "yes"
        fields.pop("token")
        if action not in ACTIONS:
            return self._error(name, f"no action {action}", 404)
        try:
            result = await run_in_threadpool(run_action, watch.context, action, fields, execute=execute)
        except Misconfigured as error:
            return self._error(name, str(error), 400)
        return self._render(
            "action.html", title=f"{name}: {action}", name=name, action=action, fields=fields, result=result,
            executed=execute,
        )  # fmt: skip

    async def _letters_of(self, request: Request) -> Sequence[ListedLetter]:
        """Return the letters of the record that the address names; an error of the address if there is none."""
        _, watch = self._watch(request)
        try:
            return await run_in_threadpool(letters_of, watch.context, parse_place(request.path_params["place"]))
        except (TandemError, ValueError) as error:
            raise HTTPException(404, str(error)) from None

    def failed(self, request: Request, error: Exception) -> Response:
        """Show an error of the address."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        name = request.path_params.get("pipeline", "")
        return self._error(name if name in self.watches else "", str(getattr(error, "detail", error)), status)

    def _watch(self, request: Request) -> tuple[str, PipelineWatch]:
        name = request.path_params["pipeline"]
        if name not in self.watches:
            raise HTTPException(404, f"no pipeline {name}: there are {', '.join(self.watches)}")
        return name, self.watches[name]

    def _error(self, name: str, text: str, status: int) -> Response:
        return self._render("error.html", status=status, title="Error", name=name, text=text)

    def _render(self, template: str, *, status: int = 200, **values: Any) -> Response:  # noqa: ANN401 - of a template
        page = ENVIRONMENT.get_template(template).render(
            stage=self.stage, token=self.protection.form_token, may_write=self.protection.may_write, **values
        )
        return HTMLResponse(page, status)


def _shown(letter: DeadLetter) -> tuple[str, bool]:
    """Return a value as text, and whether it was cut. What is no UTF-8 is shown as Base64."""
    value = letter.value
    if value is None:
        return "no value (a tombstone)", False
    cut = value[:MAX_SHOWN_BYTES]
    try:
        text = cut.decode()
    except UnicodeDecodeError:
        text = f"Base64: {b64encode(cut).decode()}"
    return text, len(value) > MAX_SHOWN_BYTES


def _key(key: bytes | None) -> str:
    return "-" if key is None else printable(key.decode(errors="backslashreplace"))


ENVIRONMENT: Final = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=select_autoescape(default=True), undefined=StrictUndefined,
    trim_blocks=True, lstrip_blocks=True,
)  # fmt: skip
ENVIRONMENT.filters |= {
    "number": number, "duration": duration, "moment": moment, "printable": printable, "key": _key, "query": urlencode
}  # fmt: skip
