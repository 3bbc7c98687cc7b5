from datetime import UTC, datetime

from functions.core.operator_ports import ClaimStore
from functions.core.record_place import RecordPlace
from functions.core.redrive import ClaimState, RedriveClaim
from tests.contracts.operators.conftest import Listing
from tests.contracts.race import raced

PLACE, SINCE = RecordPlace("user-login", 3, 345), RecordPlace("user-login.v2", 3, 2**63 - 1)
CLAIM = RedriveClaim(PLACE, ClaimState.SENDING, 1, "one", datetime(2026, 11, 23, 12, 0, 0, 5, tzinfo=UTC), SINCE)
SENT = CLAIM._replace(state=ClaimState.SENT)


def test_a_claim_comes_back_as_it_was_put(claims: ClaimStore) -> None:
    other = CLAIM._replace(place=RecordPlace("user-login", 33, 345), times=7)
    assert claims.all() == {}
    assert claims.put(CLAIM, None)
    assert claims.put(other, None)
    assert claims.all() == {PLACE: CLAIM, other.place: other}


def test_a_claim_that_exists_is_not_taken_as_a_new_one(claims: ClaimStore) -> None:
    assert claims.put(CLAIM, None)
    assert not claims.put(CLAIM._replace(owner="two"), None)
    assert claims.all() == {PLACE: CLAIM}


def test_putting_the_stored_claim_again_succeeds(claims: ClaimStore) -> None:
    assert claims.put(CLAIM, None)
    assert claims.put(CLAIM, None)
    assert claims.put(SENT, CLAIM)
    assert claims.put(SENT, CLAIM)
    assert claims.all() == {PLACE: SENT}


def test_a_claim_of_another_owner_or_state_is_not_replaced(claims: ClaimStore) -> None:
    assert claims.put(CLAIM, None)
    assert not claims.put(SENT, CLAIM._replace(owner="two"))
    assert not claims.put(CLAIM._replace(owner="two"), SENT)
    assert claims.all() == {PLACE: CLAIM}


def test_a_claim_is_not_put_in_place_of_one_that_is_gone(claims: ClaimStore) -> None:
    assert not claims.put(SENT, CLAIM)
    assert claims.all() == {}


def test_a_claim_is_removed_while_it_is_unchanged(claims: ClaimStore) -> None:
    assert claims.put(CLAIM, None)
    assert not claims.remove(CLAIM._replace(owner="two"))
    assert not claims.remove(SENT)
    assert claims.remove(CLAIM)
    assert not claims.remove(CLAIM)
    assert claims.all() == {}


def test_a_discard_is_kept_as_it_was_put(claims: ClaimStore) -> None:
    discarded = CLAIM._replace(state=ClaimState.DISCARDED, times=0, since=PLACE)
    assert claims.put(discarded, None)
    assert claims.all() == {PLACE: discarded}
    assert claims.put(CLAIM, discarded)
    assert not claims.put(discarded, discarded)


def test_one_of_concurrent_claims_wins(claims: ClaimStore) -> None:
    won = raced(lambda number: claims.put(CLAIM._replace(owner=f"owner-{number}"), None))
    assert won.count(True) == 1
    assert claims.all()[PLACE].owner == f"owner-{won.index(True)}"


def test_claims_are_no_positions_of_the_ledger(claims: ClaimStore, ledger: Listing, name: str) -> None:
    assert claims.put(CLAIM, None)
    assert ledger.listing.positions(name, PLACE.topic) == {}
