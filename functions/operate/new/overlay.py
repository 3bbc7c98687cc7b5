"""Adds a resource to a kustomization, and leaves the rest of its text, comments included, as it is."""

import re
from typing import Final

RESOURCES: Final = re.compile(
    r"^resources:[ \t]*(?:\[(?P<inline>[^\]\n]*)\])?[ \t]*(?P<comment>#.*)?\n"
    r"(?P<block>(?:(?:[ \t]*#.*\n)*[ \t]*- .*\n)*)",
    re.MULTILINE,
)


def with_resource(text: str, resource: str) -> str:
    """Return the kustomization with one more resource. ValueError if it has no list `resources`."""
    ended = text if text.endswith("\n") else f"{text}\n"
    match = RESOURCES.search(ended)
    if match is None or (match["inline"] is None and not match["block"]):
        raise ValueError("expected a list `resources`")
    inline = [item.strip() for item in (match["inline"] or "").split(",")]
    items = "".join(f"  - {item}\n" for item in inline if item)
    indent = re.match(r"[ \t]*(?=-)", match["block"])
    comment = f" {match['comment']}" if match["comment"] else ""
    block = f"{items}{match['block']}{indent[0] if indent else '  '}- {resource}\n"
    return f"{ended[: match.start()]}resources:{comment}\n{block}{ended[match.end() :]}"
