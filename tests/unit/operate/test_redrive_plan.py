from datetime import timedelta

from functions.core.record_place import RecordPlace
from functions.core.redrive import ClaimState, RedriveClaim
from functions.operate.redrive.plan import STALE_CLAIM_AFTER, plan
from tests.unit.operate.world import NOW, TOPIC

OLD, YOUNG = NOW - STALE_CLAIM_AFTER, NOW - timedelta(seconds=1)
PLACES = [RecordPlace(TOPIC, 0, offset) for offset in range(6)]
CLAIMS = {
    PLACES[index]: RedriveClaim(PLACES[index], state, 1, "owner", claimed_at, PLACES[0])
    for index, state, claimed_at in (
        (1, ClaimState.SENT, OLD), (2, ClaimState.SENDING, OLD), (3, ClaimState.SENDING, YOUNG),
    )
}  # fmt: skip


def is_settled(place: RecordPlace) -> bool:
    return place.offset < 5


def test_the_ledger_and_the_claims_decide_what_is_sent() -> None:
    result = plan([*reversed(PLACES), PLACES[0]], CLAIMS, is_settled, NOW)
    assert result.send == [(PLACES[0], None)]
    assert result.unfinished == [CLAIMS[PLACES[2]]]
    assert (result.redriven, result.in_progress, result.unsettled) == (1, 1, 1)


def test_nothing_overtakes_a_record_that_another_redrive_is_sending() -> None:
    result = plan([*PLACES, RecordPlace(TOPIC, 1, 4)], CLAIMS, is_settled, NOW)
    assert (result.in_progress, result.behind) == (1, 1)
    assert RecordPlace(TOPIC, 1, 4) in [place for place, _ in result.send]


def test_what_was_discarded_is_sent_only_if_the_operator_includes_it() -> None:
    discarded = CLAIMS[PLACES[1]]._replace(state=ClaimState.DISCARDED)
    result = plan(PLACES[1:2], {discarded.place: discarded}, is_settled, NOW)
    assert (result.send, result.discarded, result.redriven) == ([], 1, 0)
    result = plan(PLACES[1:2], {discarded.place: discarded}, is_settled, NOW, include_redriven=True)
    assert result.send == [(discarded.place, discarded)]


def test_records_redriven_before_are_sent_if_the_operator_includes_them() -> None:
    result = plan(PLACES, CLAIMS, is_settled, NOW, include_redriven=True)
    assert result.send == [(place, CLAIMS.get(place)) for place in PLACES if place.offset in {0, 1, 2}]
    assert (result.unfinished, result.redriven, result.in_progress) == ([], 0, 1)
