"""Generate the parts of the documentation that come from the code: `make docs`."""

import sys

from tests.docs import benchmark
from tests.docs.generated import expected_pages
from tests.docs.pages import ROOT

for page, text in expected_pages():
    if text != page.text:
        page.path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{page.name}\n")
(ROOT / "docs/images/benchmark.svg").write_text(benchmark.picture(), encoding="utf-8")
