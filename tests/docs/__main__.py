"""Generate the parts of the documentation that come from the code: `make docs`."""

import json
import sys
from dataclasses import asdict

from functions.operate.plan.measured import FILE
from sandbox.bench.sizing import costs
from tests.docs import benchmark
from tests.docs.generated import expected_pages
from tests.docs.pages import ROOT
from tests.docs.pictures import PICTURES

measured = {
    "source": "docs/performance.md",
    "date": benchmark.REPORT["began"][:10],
    "cpu_microseconds": asdict(costs(benchmark.REPORT)),
}
FILE.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")  # first: docs/plan.md reads it
for page, text in expected_pages():
    if text != page.text:
        page.path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{page.name}\n")
for name, picture in PICTURES.items():
    (ROOT / "docs/images" / name).write_text(picture(), encoding="utf-8")
