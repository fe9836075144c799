"""The page for people in a real browser: what is seen, on which screen, and what the keys do."""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path

import pytest

pytest.importorskip("fcntl", reason="the browser is spoken to over POSIX pipes")

import itertools

import devtools
from html_pages import content, leak, many, rich, series, shown, test_owner

pytestmark = pytest.mark.skipif(
    devtools.find() is None,
    reason=f"a browser is needed to look at the page: one of {', '.join(devtools.NAMES)}",
)


@pytest.fixture(scope="module")
def browser():
    with tempfile.TemporaryDirectory(prefix="syskit-browser-") as folder:
        with devtools.Browser(Path(folder)) as started:
            yield started


@pytest.fixture
def look(browser, tmp_path):
    """Open a page; whatever it does must not make the browser complain or ask the network."""
    tabs = []

    def look(text=None, **conditions):
        file = tmp_path / "x.html"
        file.write_text(rich() if text is None else text, encoding="utf-8")
        tabs.append(browser.open(file, **conditions))
        return tabs[-1]

    yield look
    for tab in tabs:
        tab.value("1")  # lets the events that are under way come in
        assert tab.complaints() == []
        assert [each.rpartition("/")[2] for each in tab.requests()] == ["x.html"]
        tab.__exit__()


def colour(page, selector="body", name="backgroundColor"):
    return page.value(f"getComputedStyle(document.querySelector('{selector}')).{name}")


SCREENS = {
    "desktop": {"width": 1200, "height": 900},
    "phone": {"width": 375, "height": 700},
    "dark": {"width": 1200, "height": 900, "dark": True},
    "dark phone": {"width": 375, "height": 700, "dark": True},
    "print": {"width": 794, "height": 1123, "paper": True},
    "no script": {"width": 1200, "height": 900, "scripts": False},
    "narrow": {"width": 320, "height": 500},
}


@pytest.mark.parametrize("screen", SCREENS)
def test_nothing_is_wider_than_the_screen(look, tmp_path, screen):
    conditions = SCREENS[screen]
    page = look(**conditions)
    assert page.value("document.documentElement.scrollWidth") == conditions["width"]
    wide = "[...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll, svg, .band') && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 99))"
    assert page.value(wide) == []
    image = page.picture(tmp_path / f"{screen}.png")
    assert struct.unpack(">II", image[16:24])[0] == conditions["width"]
    assert len(image) > 20_000  # a blank page of this size has less than half of it


def test_the_system_chooses_the_colours_and_paper_is_white(look):
    light, dark = look(), look(dark=True)
    assert colour(light) == "rgb(252, 251, 248)"
    assert colour(dark) == "rgb(21, 23, 26)"
    assert colour(look(dark=True, scripts=False)) == colour(dark)
    assert colour(look(dark=True, paper=True)) == colour(light)


def test_the_button_changes_the_colours_and_says_which(look):
    page = look()
    before = colour(page)
    page.value("document.getElementById('theme').focus()")
    page.press("Enter")
    assert colour(page) != before
    assert page.value("document.getElementById('theme').ariaPressed") == "true"
    page.press(" ")
    assert colour(page) == before
    assert page.value("document.getElementById('theme').ariaPressed") == "false"


def said(page):
    return page.value("document.getElementById('count').textContent")


def choose(page, name, value):
    """Change a choice by its key, as somebody does who has no pointer."""
    page.value(f"document.querySelector('input[name={name}][value={value}]').focus()")
    page.press(" ")


def test_the_filter_narrows_by_kind_verdict_and_owner(look):
    page = look()
    assert said(page) == "6 leaks of 5 owners"
    choose(page, "kind", "fd")
    assert said(page) == "2 of 6 leaks, of 2 of 5 owners"
    assert (page.seen(".story"), page.seen(".owner")) == (2, 2)
    choose(page, "owner", "fixture")
    assert said(page) == "1 of 6 leaks, of 1 of 5 owners"
    choose(page, "kind", "fd")
    choose(page, "verdict", "leak")
    assert said(page) == "1 of 6 leaks, of 1 of 5 owners"
    assert page.seen(".story[data-verdict=allowed]") == 1


def test_the_search_takes_all_words_in_names_labels_and_stacks(look):
    page = look()
    page.press("/")
    for words, count in {
        "pool.sock": "1 of 6 leaks, of 1 of 5 owners",
        "DB_SERVER conftest": "1 of 6 leaks, of 1 of 5 owners",
        "inner helper.py:9": "1 of 6 leaks, of 1 of 5 owners",
        "pipe test_accept[2]": "2 of 6 leaks, of 1 of 5 owners",
        "process": "2 of 6 leaks, of 2 of 5 owners",
        "nowhere to be found": "0 of 6 leaks, of 0 of 5 owners",
    }.items():
        page.value("document.activeElement.select()")
        page.write(words)
        assert said(page) == count, words
    assert page.seen("#none") == 1
    page.press("Escape")
    assert said(page) == "6 leaks of 5 owners"
    assert (page.seen("#none"), page.seen("#everything"), page.seen(".story")) == (0, 0, 6)


def test_the_count_is_announced(look):
    page = look()
    live = "(e => [e.getAttribute('role'), e.getAttribute('aria-live')])(document.getElementById('count'))"
    assert page.value(live) == ["status", "polite"]


def test_everything_can_be_shown_again(look):
    page = look()
    page.press("/")
    page.write("pool")
    page.value("document.getElementById('everything').focus()")
    page.press("Enter")
    page.await_true("document.getElementById('count').textContent == '6 leaks of 5 owners'")
    assert page.value("document.activeElement.id") == "search"


def focus(page):
    return page.value("document.activeElement.outerHTML")


def test_the_keys_alone_lead_through_the_page(look):
    page = look()
    page.press("Tab")
    assert page.value("document.activeElement.getBoundingClientRect().left") >= 0
    page.press("Enter")
    page.await_true("location.hash == '#leaks' && document.activeElement.id == 'leaks'")
    page.press("Tab")
    page.await_true("document.activeElement.id == 'search'")
    for _ in range(30):
        page.press("Tab", shift=True)
        if 'class="mark' in focus(page):
            break
    ring = "getComputedStyle(document.activeElement.querySelector('.dot')).strokeWidth"
    assert page.value(ring) == "19px"  # the outline of SVG is drawn by ourselves
    page.press("Enter")
    page.await_true(
        "location.hash.startsWith('#owner-') && '#' + document.activeElement.id == location.hash"
    )


def test_every_stop_of_the_tab_key_is_seen(look):
    page = look()
    stops = []
    for _ in range(200):
        page.press("Tab")
        here, ring, inside = page.value(
            "(e => { const every = [...document.querySelectorAll('*')], r = e.getBoundingClientRect(),"
            " ring = n => n ? getComputedStyle(n).outlineStyle == 'solid' : false;"
            " return [every.indexOf(e), e.closest('svg') != null || ring(e) || ring(e.nextElementSibling),"
            " (r.width || r.height) > 0 && r.right > 0 && r.bottom > 0 && r.top < innerHeight]; })(document.activeElement)"
        )
        if here in stops or focus(page).startswith("<body"):  # round the page once
            break
        stops.append(here)
        assert (ring, inside) == (True, True), focus(page)[:200]
    assert len(stops) > 25


def test_a_mark_leads_to_a_story_that_the_filter_hides(look):
    page = look()
    page.press("/")
    page.write("pool")
    assert page.seen("#owner-1") == 0
    page.value("document.querySelector('.mark[href=\"#owner-1\"]').focus()")
    page.press("Enter")
    page.await_true("document.activeElement.id == 'owner-1'")
    assert page.seen("#owner-1") == 1


def test_without_scripts_everything_is_there(look):
    page = look(scripts=False)
    tree = page.call("Accessibility.getFullAXTree")["nodes"]
    text = " ".join(str(node.get("name", {}).get("value")) for node in tree)
    for told in ("the pool lives on", "raised ValueError: no", "helper.py:11", "time.sleep(30)"):
        assert told in text
    assert "searchbox" not in {node["role"]["value"] for node in tree if "role" in node}


def test_a_screen_reader_meets_landmarks_headings_and_names(look):
    page = look()
    nodes = [n for n in page.call("Accessibility.getFullAXTree")["nodes"] if not n["ignored"]]
    roles = [node["role"]["value"] for node in nodes]
    for landmark in ("banner", "navigation", "main", "contentinfo", "search"):
        assert roles.count(landmark) == 1, landmark
    for node in nodes:
        if node["role"]["value"] in {
            "link",
            "button",
            "checkbox",
            "searchbox",
            "region",
            "article",
        }:
            assert node["name"]["value"].strip(), node
    levels = page.value("[...document.querySelectorAll('h1,h2,h3,h4')].map(e => +e.tagName[1])")
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_on_paper_all_is_unfolded_and_nothing_can_be_pressed(look, tmp_path):
    page = look(paper=True)
    assert page.seen("nav, #filter, #theme, .chart details") == 0
    closed = "document.querySelectorAll('details:not([open])').length"
    before = page.value(closed)
    page.value("dispatchEvent(new Event('beforeprint'))")
    assert (before > 0, page.value(closed)) == (True, 0)
    page.value("dispatchEvent(new Event('afterprint'))")
    assert page.value(closed) == before
    page.printed(tmp_path / "x.pdf")
    assert (tmp_path / "x.pdf").read_bytes().startswith(b"%PDF")


def test_a_label_never_becomes_a_script(look):
    page = look()
    assert page.value("[window.hit, document.images.length, document.scripts.length]") == [
        None,
        0,
        1,
    ]


def test_pointing_at_the_timeline_tells_the_numbers(look):
    page = look()
    box = page.value(
        "(r => [r.x + r.width / 2, r.y + r.height / 2])(document.querySelectorAll('.hit')[3].getBoundingClientRect())"
    )
    page.call("Input.dispatchMouseEvent", type="mouseMoved", x=box[0], y=box[1])
    told = page.value("document.querySelector('.readout').textContent")
    assert told == f"{test_owner(3).id}: 10 descriptors, 1 child, 1 thread"


def test_an_empty_page_and_one_of_a_single_test_are_whole(look):
    nothing = look(shown(content(tests_checked=0)))
    assert (nothing.seen(".tile"), nothing.seen("form")) == (8, 0)
    one = look(shown(content([leak(test_owner(0))]), {"": series([(9, 0, 1)])}))
    assert (one.seen(".story"), one.seen(".mark .dot"), one.seen("fieldset")) == (1, 1, 0)


def test_a_page_of_100_000_tests_can_be_worked_with(look):
    page = look(many(100_000, 1_000))
    assert said(page) == "1,000 leaks of 1,000 owners"
    page.press("/")
    page.write("test_accept[500]")
    assert said(page) == "1 of 1,000 leaks, of 1 of 1,000 owners"
