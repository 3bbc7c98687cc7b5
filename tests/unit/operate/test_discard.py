"""Discarding: from the operator's request to the claims that close letters, with a death at every call in between."""

from dataclasses import replace
from typing import Any

import pytest

from functions.core.dead_letter import Reason
from functions.core.errors import Refused
from functions.core.record_place import RecordPlace
from functions.core.redrive import ClaimState
from functions.operate.context import OperatorContext
from functions.operate.dead_letters.selection import Selection
from functions.operate.discard.run import DiscardRequest, run
from functions.operate.redrive.plan import STALE_CLAIM_AFTER
from functions.operate.terminal import Terminal
from tests.unit.operate.mortal import DiedError, Life, mortal
from tests.unit.operate.test_redrive import LateClaimStore, redrive
from tests.unit.operate.world import TOPIC, Output, World, letter

PLACE, SINCE = RecordPlace(TOPIC, 3, 1), RecordPlace(TOPIC, 3, 0)


def discard(context: OperatorContext, selection: Selection | None = None, **request: Any) -> list[str]:
    output = Output()
    run(context, DiscardRequest(selection or Selection(), **request), Terminal(output))
    return output.lines


@pytest.fixture
def stocked(world: World) -> World:
    world.settle(3, 10)
    world.letters.store([letter(1), letter(2, reason=Reason.FAILED), letter(3), letter(12)])
    return world


def states(world: World) -> dict[int, ClaimState]:
    return {place.offset: claim.state for place, claim in world.claims.all().items()}


def test_without_execute_nothing_is_discarded(stocked: World) -> None:
    assert discard(stocked.context) == [
        "would discard the letters of 3 records: 1 failed, 2 rejected",
        "  1 not settled yet, so they will be read again: left out",
        "to discard them, add --execute",
    ]
    assert states(stocked) == {}


def test_what_was_discarded_is_neither_discarded_nor_redriven_again(stocked: World) -> None:
    lines = discard(stocked.context, Selection(Reason.REJECTED), execute=True)
    assert (lines[0], lines[-1]) == (
        "discarding the letters of 2 records: 2 rejected", "discarded the letters of 2 records",
    )  # fmt: skip
    assert states(stocked) == {1: ClaimState.DISCARDED, 3: ClaimState.DISCARDED}
    assert discard(stocked.context)[:2] == [
        "would discard the letters of 1 record: 1 failed", "  2 redriven or discarded before: left out",
    ]  # fmt: skip
    assert "  2 discarded before: left out, add --include-redriven to send them" in redrive(stocked.context)
    assert redrive(stocked.context, execute=True)[-1] == "sent 1 record to user-login"
    again = redrive(stocked.context, places=[PLACE], include_redriven=True, execute=True)
    assert again[-1] == "sent 1 record to user-login"
    assert [headers[-1] for *_, headers in stocked.sent()] == [("tandem-redrives", b"1")] * 2


def test_a_named_place_without_a_letter_is_refused(stocked: World) -> None:
    with pytest.raises(Refused, match="no dead letter of user-login/3/7"):
        discard(stocked.context, Selection(places=[PLACE, RecordPlace(TOPIC, 3, 7)]), execute=True)
    assert states(stocked) == {}


def test_what_a_redrive_is_sending_is_left_to_it_and_what_one_left_is_discarded(stocked: World) -> None:
    stocked.claim_by_another(PLACE, SINCE)
    only = Selection(places=[PLACE])
    assert discard(stocked.context, only, execute=True)[1] == "  1 being sent by a redrive now: left out"
    stocked.clock.advance(STALE_CLAIM_AFTER)
    assert discard(stocked.context, only, execute=True)[1:] == [
        "  1 of them may have been sent by a redrive that did not finish", "discarded the letters of 1 record",
    ]  # fmt: skip
    assert states(stocked) == {1: ClaimState.DISCARDED}


def test_of_two_commands_at_once_one_decides_about_each_record(stocked: World) -> None:
    stocked.claim_by_another(PLACE, SINCE)
    late = replace(stocked.context, claims=LateClaimStore(stocked.claims.claims))
    assert discard(late, execute=True)[-2:] == [
        "discarded the letters of 2 records", "  1 were claimed by another command after this one looked",
    ]  # fmt: skip
    assert states(stocked)[1] is ClaimState.SENDING


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_death_at_any_call_loses_nothing(stocked: World, after: bool) -> None:  # noqa: FBT001
    deaths = 0
    for call in range(1, 50):
        stocked.claims.claims.clear()
        try:
            discard(mortal(stocked.context, Life(call, after)), execute=True)
        except DiedError:
            deaths += 1
        assert set(states(stocked).values()) <= {ClaimState.DISCARDED}
        discard(stocked.context, execute=True)
        assert states(stocked) == dict.fromkeys([1, 2, 3], ClaimState.DISCARDED)
        assert len(stocked.letters.bucket) == 4
    assert deaths == 5, "the listing, the claims, and three writes"
    assert stocked.sent() == []
