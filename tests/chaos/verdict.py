"""Reading everything back, without the pipeline's code, and comparing it with what lies in the log."""

from functions.core import names
from functions.local.demo import read_back
from functions.local.demo.announcements import Announcements
from functions.local.demo.found import Found
from functions.local.demo.verdict import Verdict
from functions.local.demo.verify import Verification
from tests.chaos import log
from tests.chaos.ground import LAKE, LETTERS, OUTPUT_PARTITIONS, PIPELINE, STAGE, Ground
from tests.chaos.load import Load, produced


def verdict(ground: Ground, load: Load, announcements: Announcements) -> Verdict:
    """Of a run that is over."""
    announcements.stop()
    bootstrap = ground.broker.bootstrap
    (table,) = ground.pipeline.tables
    found = Found(
        rows=read_back.lake_rows(ground.s3, LAKE, PIPELINE),
        letters=read_back.dead_letters(ground.s3, LETTERS, PIPELINE),
        counters=read_back.counters(ground.dynamodb.Table(names.counters_table(STAGE))),
        table=read_back.table_rows(ground.dynamodb.Table(names.rows_table(STAGE, table.name))),
        messages=[log.row(message) for _, message in log.read(bootstrap, ground.output, OUTPUT_PARTITIONS)],
        announced=announcements.letters(),
    )
    return Verification(produced(ground, load.records), found, ground.mask_key).verdict()
