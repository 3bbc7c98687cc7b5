"""Write the parts of the documentation that are made from the code: `make docs`."""

import sys

from tests.docs.generated import due

for page, text in due():
    if text != page.text:
        page.path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{page.name}\n")
