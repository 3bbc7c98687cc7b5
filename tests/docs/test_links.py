"""Links, pictures and paths have a target."""

import re
from xml.etree import ElementTree as ET

import pytest

from tests.docs.pages import ROOT, Page, page, pages

FOLDERS = tuple(f"{path.name}/" for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith("."))
OUTPUT_FOLDERS = {".venv", "build", "cdk.out"}  # created by the Makefile's targets
TRACKER = re.compile(r"[?&](utm_\w+|ref|trk|sc_\w+|gclid|fbclid)=")


def test_there_are_pages() -> None:
    assert {"README.md", "docs/README.md", "docs/semantics.md"} <= {each.name for each in pages()}


@pytest.mark.parametrize("each", pages(), ids=lambda each: each.name)
def test_links_have_a_target(each: Page) -> None:
    assert [link for link in each.links if not link.startswith("https://") and not _has_target(each, link)] == []


@pytest.mark.parametrize("each", pages(), ids=lambda each: each.name)
def test_external_links_are_https_without_trackers(each: Page) -> None:
    external = [link for link in each.links if "://" in link]
    assert [
        link for link in external if not re.fullmatch(r"https://[\w.-]+(/\S*)?", link) or TRACKER.search(link)
    ] == []


@pytest.mark.parametrize("each", pages(), ids=lambda each: each.name)
def test_paths_in_backticks_exist(each: Page) -> None:
    paths = [text for text in each.quoted if text.startswith(FOLDERS) and re.fullmatch(r"[\w./*-]+", text)]
    assert [
        path for path in paths if path.split("/")[0] not in OUTPUT_FOLDERS and not list(ROOT.glob(path.rstrip("/")))
    ] == []


def test_every_page_is_in_the_index() -> None:
    index = page("docs/README.md")
    listed = {(index.path.parent / link.split("#")[0]).resolve() for link in index.links}
    folders = {path for path in listed if path.is_dir()}
    docs = [each for each in pages() if each.path.is_relative_to(ROOT / "docs") and each != index]
    assert [each.name for each in docs if each.path not in listed and not folders & set(each.path.parents)] == []


@pytest.mark.parametrize("drawing", sorted((ROOT / "docs").rglob("*.svg")), ids=lambda path: path.name)
def test_a_drawing_is_self_contained_and_described(drawing: object) -> None:
    root = ET.parse(str(drawing)).getroot()  # noqa: S314 - our own file
    space = "{http://www.w3.org/2000/svg}"
    assert root.get("viewBox")
    assert root.findtext(f"{space}title")
    assert root.findtext(f"{space}desc")
    assert not root.findall(f".//{space}image")


def _has_target(page: Page, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.path.parent / path).resolve() if path else page.path
    return target.exists() and (not anchor or anchor in Page(target).anchors)
