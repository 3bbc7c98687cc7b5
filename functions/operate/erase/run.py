"""An erasure from the operator's request to its report."""

from dataclasses import dataclass

from functions.core.erasure import column_of, subject_of
from functions.operate.context import OperatorContext
from functions.operate.erase.report import ErasureReport, unreached
from functions.operate.erase.search import Search


@dataclass(frozen=True, slots=True)
class EraseRequest:
    """What the operator asked for: the person's `key`, the `column` of the rows that holds it, None for the default.

    `mentions`: erase dead letters that only mention the key, too. Without `execute` nothing is erased.
    """

    key: str
    column: str | None = None
    mentions: bool = False
    execute: bool = False


def run(context: OperatorContext, request: EraseRequest) -> ErasureReport:
    """Find a person's data in every store, erase it with `execute`, and return what was found.

    InvalidSetting if the key or the column is wrong. Interrupted at any point, it is run again.
    """
    pipeline = context.pipeline
    column = column_of(pipeline, request.column)
    mask_key = context.mask_key() if column in pipeline.masked else b""
    subject = subject_of(pipeline, request.key, column, mask_key)
    search = Search(context, subject, execute=request.execute, mentions=request.mentions)
    return ErasureReport(
        pipeline.name, column, request.execute, list(search.stores()), list(unreached(pipeline, column))
    )
