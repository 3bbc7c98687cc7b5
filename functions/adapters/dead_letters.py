"""Dead letters on S3, each written once. letter_key describes their keys, letter_json their content."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from functions.adapters.aws import WRITERS
from functions.adapters.direct_calls import Calls
from functions.adapters.letter_json import encode
from functions.adapters.letter_key import letter_key
from functions.adapters.objects import put_if_absent, put_request
from functions.adapters.parallel import in_flight
from functions.core.dead_letter import DeadLetter

JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class S3DeadLetters:
    """See ports.DeadLetters. An existing letter is not replaced, so that it is announced only once."""

    puts: Calls  # of objects
    bucket: str

    def store(self, letters: Sequence[DeadLetter]) -> None:
        """See ports.DeadLetters. One request per letter."""
        in_flight(WRITERS, self._begin, letters)

    def _begin(self, letter: DeadLetter) -> Callable[[], None]:
        key = letter_key(letter)
        request = put_request(self.bucket, key, encode(letter), JSON, {})
        answer = self.puts.begin(**request)

        def end() -> None:
            put_if_absent(f"s3://{self.bucket}/{key}", answer, partial(self.puts, **request))

        return end
