"""The two runtimes are equivalent: the same records have the same effects in the stores on both."""

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.broker.apache import Apache
from tests.integration.accounting import account, same
from tests.integration.found import Place
from tests.integration.records import logins, mixture
from tests.integration.stage import Stage

COUNT = 3000


def test_both_runtimes_leave_the_same_rows_letters_counters_table_and_messages(
    stage: Stage, other_stage: Stage
) -> None:
    records = list(mixture(COUNT))
    stage.produce(records[: COUNT // 2])
    if isinstance(stage.broker, Apache):
        stage.produce_in_transaction(logins(40, begin=COUNT), commit=False)
        stage.produce_in_transaction(logins(40, begin=COUNT), commit=True)
    stage.produce(records[COUNT // 2 :])
    with stage.event_source(variables={"TANDEM_FLOOD_RATIO": "1"}, batch_size=400, concurrency=2) as source:
        stage.settle(source)
    msk = stage.found()
    other_stage.messages_since = stage.message_ends()
    with other_stage.worker(TANDEM_FLOOD_RATIO="1") as process:
        other_stage.settle(process)
    worker = other_stage.found()
    account(stage.produced, msk)
    account(stage.produced, worker)
    same("rows", dict(msk.rows), dict(worker.rows))
    same("dead letters", by_place(msk.letters), by_place(worker.letters))
    same("counters", msk.counters, worker.counters)
    same("table", msk.table, worker.table)
    same("messages", set(msk.messages), set(worker.messages))
    assert {place for place, _ in msk.letters}, "nothing was wrong"


def by_place(letters: Sequence[tuple[Place, Mapping[str, Any]]]) -> dict[Place, Mapping[str, Any]]:
    """Return letters by place. In Lambda's events a header without a value equals one with an empty value."""
    return {
        place: {**letter, "headers": [[name, value or ""] for name, value in letter["headers"]]}
        for place, letter in letters
    }
