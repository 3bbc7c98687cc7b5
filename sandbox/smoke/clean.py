"""Removing what a run has stored. Records and messages stay in the topics until their retention ends."""

from typing import Any

from functions.core.erasure import Subject, without
from functions.core.errors import Unavailable
from sandbox.smoke.contents import RunContents


def clean(contents: RunContents) -> None:
    """Remove the run's rows, dead letters and counts; everything else stays as it is. It may be called again."""
    _lake(contents)
    _letters(contents)
    _table(contents)
    _counters(contents)


def _lake(contents: RunContents) -> None:
    """Rewrite the objects as `tandem erase` does. All records are settled, so the ledger has passed them."""
    lake = contents.target.context.erasure.lake
    users = Subject("", "user_id", frozenset(contents.plan.users))
    folders = [f"/day={day}/" for day in contents.days()]
    for version in lake.versions():
        if not any(folder in version.url for folder in folders):
            continue
        stored = lake.read(version)
        if stored is None:
            continue
        intent, erased = without(stored.intent, users)
        if not any(erased):
            continue
        if not version.replaceable:
            lake.remove(version)
        elif not lake.replace(version, stored.tag, intent):
            raise Unavailable(f"{version.url}: changed while it was cleaned, run this again")


def _letters(contents: RunContents) -> None:
    letters = contents.target.context.erasure.letters
    for version in letters.versions():
        if version.place is not None and version.place[1:] in contents.produced:
            letters.remove(version)


def _table(contents: RunContents) -> None:
    for eraser in contents.target.context.erasure.tables.values():
        for item in eraser.find("user_id", contents.plan.users):
            eraser.remove(item)


def _counters(contents: RunContents) -> None:
    client: Any = contents.target.app.aws.dynamodb
    for item in list(contents.counter_items()):
        key = {"counter": item["counter"], "bucket": item["bucket"]}
        client.delete_item(TableName=contents.target.counters, Key=key)
