"""Claims of records; that a store keeps them apart is in tests/contracts."""

import pytest

from functions.core.record_place import RecordPlace
from functions.core.redrive import ClaimState, RedriveClaim
from functions.operate.redrive.claims import Claims
from tests.unit.operate.world import NOW, World

PLACE, SINCE = RecordPlace("user-login", 3, 345), RecordPlace("user-login", 3, 1000)


def take(world: World, owner: str, expected: RedriveClaim | None = None) -> RedriveClaim:
    claim = Claims(world.claims, owner).take(PLACE, expected, SINCE, NOW)
    assert claim
    return claim


def test_one_of_two_redrives_gets_a_record(world: World) -> None:
    claim = take(world, "one")
    assert Claims(world.claims, "two").take(PLACE, None, SINCE, NOW) is None
    assert world.claims.all() == {PLACE: claim}
    assert claim == RedriveClaim(PLACE, ClaimState.SENDING, 1, "one", NOW, SINCE)


def test_only_its_owner_marks_a_claim_as_sent(world: World) -> None:
    claim, claims = take(world, "one"), Claims(world.claims, "one")
    assert not claims.mark_sent(claim._replace(owner="two"))
    assert claims.mark_sent(claim)
    assert world.claims.all()[PLACE].state is ClaimState.SENT


def test_another_redrive_of_a_sent_record_continues_the_count(world: World) -> None:
    assert Claims(world.claims, "one").mark_sent(take(world, "one"))
    sent = world.claims.all()[PLACE]
    second = take(world, "two", sent)
    assert second.times == 2
    assert Claims(world.claims, "three").take(PLACE, sent, SINCE, NOW) is None
    Claims(world.claims, "two").release(second, sent)
    assert world.claims.all()[PLACE] == sent


def test_a_discard_closes_what_no_one_claimed_meanwhile(world: World) -> None:
    claims = Claims(world.claims, "one")
    assert claims.discard(PLACE, None, NOW)
    assert not Claims(world.claims, "two").discard(PLACE, None, NOW)
    discarded = world.claims.all()[PLACE]
    assert discarded == RedriveClaim(PLACE, ClaimState.DISCARDED, 0, "one", NOW, PLACE)
    assert take(world, "three", discarded).times == 1


@pytest.mark.parametrize("released", ["one", "two"])
def test_an_unfinished_redrive_counts_once_and_its_owner_alone_releases_it(world: World, released: str) -> None:
    left = take(world, "one")
    taken = take(world, "two", left)
    assert taken.times == 1
    Claims(world.claims, released).release(left if released == "one" else taken, None)
    assert world.claims.all() == ({PLACE: taken} if released == "one" else {})
