"""Dead letters on S3, each written once. letter_key describes their keys, letter_json their content."""

from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from functions.adapters.aws import WRITERS
from functions.adapters.letter_json import encode
from functions.adapters.letter_key import letter_key
from functions.adapters.objects import Objects
from functions.adapters.parallel import for_each
from functions.core.dead_letter import DeadLetter

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class S3DeadLetters:
    """See ports.DeadLetters. An existing letter is not replaced, so that it is announced only once."""

    s3: "S3Client"
    bucket: str
    pool: Executor = field(default_factory=lambda: ThreadPoolExecutor(WRITERS, "dead-letters"))

    def store(self, letters: Sequence[DeadLetter]) -> None:
        """See ports.DeadLetters. One request per letter."""
        for_each(self.pool, self._store, letters)

    def _store(self, letter: DeadLetter) -> None:
        Objects(self.s3, self.bucket).put(letter_key(letter), encode(letter), JSON, {})
