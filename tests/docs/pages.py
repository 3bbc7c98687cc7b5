"""The pages of the documentation as data: links, anchors, code blocks, quoted names."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
HEADING: Final = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
QUOTED: Final = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. The language is empty if the page names none."""

    page: str
    language: str
    code: str


@dataclass(frozen=True)
class Page:
    """One Markdown file."""

    path: Path

    @property
    def name(self) -> str:
        """Its path in the repository."""
        return str(self.path.relative_to(ROOT))

    @cached_property
    def text(self) -> str:
        """The page's complete text."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def prose(self) -> str:
        """The text without its fenced blocks."""
        return FENCE.sub("", self.text)

    @property
    def blocks(self) -> list[Block]:
        """The fenced blocks, in order."""
        return [Block(self.name, language, code) for language, code in FENCE.findall(self.text)]

    @property
    def links(self) -> list[str]:
        """The targets of links and images."""
        return LINK.findall(QUOTED.sub("", self.prose))

    @property
    def quoted(self) -> list[str]:
        """The texts in backticks in the prose."""
        return QUOTED.findall(self.prose)

    @cached_property
    def anchors(self) -> set[str]:
        """The possible link targets after #: headings as GitHub converts them, lower case and without punctuation."""
        return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in self._headings()}

    def _headings(self) -> Iterator[str]:
        return (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading) for heading in HEADING.findall(self.prose))


def pages() -> list[Page]:
    """README, CONTRIBUTING and everything under docs."""
    return [Page(path) for path in (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))]


def blocks(*languages: str) -> list[Block]:
    """The blocks of all pages in any of these languages."""
    return [block for page in pages() for block in page.blocks if block.language in languages]


def page(name: str) -> Page:
    """The page at this path of the repository."""
    return Page(ROOT / name)
