"""The web page of an album: its text, and what it does in a browser (skipped where no Chromium is installed)."""

from __future__ import annotations

import fcntl
import json
import os
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from radixchat.radix import NodeView, RadixCache, Root, Snapshot, as_key
from radixchat.radix.recording import Header, Recorder
from radixchat.viz.album import Album, Panel, album_of
from radixchat.viz.page import write_page
from radixchat.viz.scene import scenes
from radixchat.viz.svg import write_svg

from .panels import CAPACITY, PANEL_PIECES, panels, steps

HOSTILE = (
    "</script><script>boom()</script><!-- --> ]]> \" ' & \x00\x1b[31m \u202e\u05d0\u05d1 "
    "<img src=http://x.test/ onerror=boom()>"
)


@cache
def nine() -> Album:
    """The nine steps, with the letters of the paper's figure where a node has one."""
    cache = RadixCache(CAPACITY)
    recorder = Recorder(Header(cache.config), PANEL_PIECES.__getitem__)
    for _ in steps(cache):
        recorder.add(cache.take_events())
        recorder.flush()
    album = album_of(recorder.recording)
    lettered = [replace(panel, letters=letters) for panel, (_, letters) in zip(album.panels, panels(), strict=True)]
    return replace(album, panels=tuple(lettered))


def page_of(album: Album, **options: Any) -> str:
    drawn = [write_svg(scene, theme="auto", legend=False) for scene in scenes(album)]
    return write_page(album, drawn, **{"title": "Nine steps", **options})


def hostile_album() -> Album:
    """Everything that a person, a model or a file may say is hostile."""
    keys = [as_key([1]), as_key([2])]
    snapshots = [
        Snapshot(
            step=step, tick=step, capacity=4, page_size=1, in_flight=0, resident=step, protected=0, next_victim=1,
            roots=(
                Root("", NodeView(id=0, key=b"", slots=b"", children=(NodeView(id=1, key=keys[step - 1], slots=b""),))),
                Root(HOSTILE, NodeView(id=7, key=b"", slots=b"", children=(NodeView(id=8, key=keys[0], slots=b""),))),
            ),
            tombstones=(),
        )
        for step in (1, 2)
    ]  # fmt: skip
    made = [Panel(s.step, s, {1: HOSTILE}, HOSTILE, HOSTILE) for s in snapshots]
    pieces = {1: HOSTILE.encode(), 2: b"\xff\x00</style></svg>"}
    return Album(tuple(made), pieces, facts={HOSTILE: HOSTILE}, relabels={8: HOSTILE})


class Tags(HTMLParser):
    """The tags of a page, and its scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    handle_startendtag = handle_starttag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def data_of(page: str) -> Any:
    return json.loads(page.split('<script type="application/json" id="album">')[1].split("</script>")[0])


# -- the text ----------------------------------------------------------------------------------------------------------


def test_the_same_album_gives_the_same_bytes_and_every_step_stands_in_them() -> None:
    page = page_of(nine())
    assert page == page_of(nine())
    assert page.endswith("</html>\n") and page.isprintable() is False and "\r" not in page
    tags = Tags(page)
    assert [at["id"] for at in tags.all("section")] == [f"step-{number}" for number in range(1, 10)]
    assert [at["href"] for at in tags.all("a")] == [f"#step-{number}" for number in range(1, 10)]
    for panel in nine().panels:
        assert page.count(f">{panel.title}</h2>") == 1
    ids = [at["id"] for _, at in tags.tags if at.get("id")]
    assert len(ids) == len(set(ids)) > 60


def test_nothing_is_asked_of_the_network() -> None:
    tags = Tags(page_of(nine()))
    links = [
        value for _, at in tags.tags for name, value in at.items() if name in ("src", "href", "xlink:href", "action")
    ]
    assert links and all(link is None or link.startswith(("#step-", "data:,")) for link in links)
    assert "@import" not in page_of(nine()) and not re.search(r"url\((?!#)", page_of(nine()))
    (policy,) = [at["content"] for at in tags.all("meta") if at.get("http-equiv") == "Content-Security-Policy"]
    assert policy and policy.startswith("default-src 'none';") and "unsafe" not in policy
    assert not any("style" in at or any(name.startswith("on") for name in at) for _, at in tags.tags)


def test_all_pictures_have_one_style_sheet() -> None:
    assert len(Tags(page_of(nine())).all("style")) == 3  # the colours, the page, the pictures


def test_the_data_tells_every_node_of_every_step() -> None:
    data = data_of(page_of(nine()))
    place = {column: at for at, column in enumerate(data["columns"])}
    for panel, step in zip(nine().panels, data["steps"], strict=True):
        snapshot = panel.snapshot
        assert step["number"] == panel.number
        gone = {stone.node for stone in snapshot.tombstones}
        assert {int(id) for id in step["nodes"]} == {node.id for node in snapshot.nodes()} | gone
        for node in snapshot.nodes():
            row = step["nodes"][str(node.id)]
            assert row[place["state"]] == snapshot.state(node).value and row[place["tokens"]] == node.size
            assert row[place["path"]] == sum(above.size for above in snapshot.path(node.id))
            text = b"".join(PANEL_PIECES[token] for token in node.tokens.tolist()).decode()
            assert data["texts"][row[place["text"]]].replace("⏎", "\n").replace("␣", " ") == text
        for id in gone:
            assert step["nodes"][str(id)][place["state"]] == "evicted"


def test_hostile_text_stays_text() -> None:
    page = page_of(hostile_album(), title=HOSTILE)
    plain = Tags(page_of(nine()))
    tags = Tags(page)
    assert {tag for tag, _ in tags.tags} <= {tag for tag, _ in plain.tags}
    assert not tags.all("img") and len(tags.all("script")) == 2
    assert page.count("</script>") == 2 and page.count("</style>") == 3 and "<!--" not in page
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page)
    assert data_of(page)["texts"][0].startswith("</script><script>boom()")


def test_the_files_of_the_page_can_stand_in_it() -> None:
    page = page_of(nine())
    script = page.split("<script>")[1].split("</script>")[0]
    assert "<!--" not in script and script.rstrip().endswith("})();")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"panels": ()}, "different numbers"),
        ({"panels": (nine().panels[0], nine().panels[0])}, "different numbers"),
    ],
)
def test_what_is_no_page(change: dict[str, Any], says: str) -> None:
    album = replace(nine(), **change)
    with pytest.raises(ValueError, match=says):
        write_page(album, ["<svg></svg>"] * len(album.panels), title="x")


def test_pictures_and_themes_are_checked() -> None:
    one = replace(nine(), panels=nine().panels[:1])
    with pytest.raises(ValueError, match="must be SVG"):
        write_page(one, ["<p>"], title="x")
    with pytest.raises(ValueError, match="picture of each"):
        write_page(one, [], title="x")
    with pytest.raises(ValueError, match="theme"):
        write_page(one, ["<svg></svg>"], title="x", theme="blue")


def test_chinese() -> None:
    page = page_of(nine(), lang="zh")
    assert '<html lang="zh-Hans"' in page and 'aria-label="播放"' in page and "下一个驱逐对象" in page
    assert page_of(nine(), lang="fr") == page_of(nine())


# -- in a browser ------------------------------------------------------------------------------------------------------

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
browsing = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")

_START = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
)
_FLAGS = "--headless --no-sandbox --disable-gpu --no-first-run --disable-dev-shm-usage --remote-debugging-pipe".split()
_WAIT = 60  # seconds for an answer, on a busy machine


class Browser:
    """A headless Chromium, driven over a pair of pipes: no port, no network."""

    def __init__(self, home: Path) -> None:
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        high = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (theirs_in, theirs_out)]  # not where they shall stand
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, *map(str, high), str(CHROMIUM), *_FLAGS, f"--user-data-dir={home}"],
            pass_fds=high, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for end in (theirs_in, theirs_out, *high):
            os.close(end)
        self._in, self._out = ours_in, ours_out
        self._held = b""
        self._calls = 0
        self._session = ""
        self.events: list[tuple[str, dict[str, Any]]] = []

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Sends a command and returns its result."""
        self._calls += 1
        message = {"id": self._calls, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._calls:
                assert "error" not in answer, answer
                return dict(answer["result"])

    def attach(self) -> None:
        """Opens a tab, and listens to all that goes wrong or out in it."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def wait_for(self, event: str) -> None:
        """Reads until an event has come since the last `open`."""
        while not any(name == event for name, _ in self.events):
            self._read()

    def run(self, script: str) -> Any:
        """Returns the value of an expression, or of the promise it gives."""
        done = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def open(self, url: str) -> None:
        """Loads a page from its beginning."""
        for address in ("about:blank", url):  # else another step of the same page is no load
            self.events.clear()
            self.call("Page.navigate", url=address)
            self.wait_for("Page.loadEventFired")

    def key(self, key: str, **more: Any) -> None:
        text = {"text": key} if len(key) == 1 else {}
        codes = {"Tab": 9, " ": 32, "Escape": 27}
        code = {"windowsVirtualKeyCode": codes[key]} if key in codes else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text, **code, **more)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, **code, **more)

    def mouse(self, kind: str, selector: str) -> None:
        """Moves the pointer to the middle of an element, and clicks for kind `click`."""
        place = self.run(
            f"(() => {{ const b = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
            " return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        at = {"x": place[0], "y": place[1]}
        self.call("Input.dispatchMouseEvent", type="mouseMoved", **at)
        if kind == "click":
            for event in ("mousePressed", "mouseReleased"):
                self.call("Input.dispatchMouseEvent", type=event, button="left", clickCount=1, **at)

    def troubles(self) -> list[Any]:
        """Returns errors, warnings and requests since `open`, but for the page itself."""
        found: list[Any] = []
        for name, params in self.events:
            if name in ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled"):
                found.append(params)
            elif name == "Network.requestWillBeSent" and not params["request"]["url"].startswith(("file:", "data:,")):
                found.append(params["request"]["url"])
        return found

    def close(self) -> None:
        os.write(self._out, b'{"id":0,"method":"Browser.close"}\0')
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._in)
        os.close(self._out)

    def _read(self) -> dict[str, Any]:
        end = time.monotonic() + _WAIT
        while b"\0" not in self._held:
            ready, _, _ = select.select([self._in], [], [], max(end - time.monotonic(), 0))
            assert ready, "the browser does not answer"
            chunk = os.read(self._in, 1 << 20)
            assert chunk, "the browser is gone"
            self._held += chunk
        message, self._held = self._held.split(b"\0", 1)
        read = dict(json.loads(message))
        if "method" in read:
            self.events.append((read["method"], read["params"]))
        return read


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("chromium"))
    try:
        browser.attach()
        # time passes fast: what is played in seconds takes milliseconds
        fast = "const slow = setTimeout; window.setTimeout = (what, ms) => slow(what, ms / 400);"
        browser.call("Page.addScriptToEvaluateOnNewDocument", source=fast)
        yield browser
    finally:
        browser.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("page") / "nine steps.html"
    file.write_text(page_of(nine()), encoding="utf-8")
    return file.as_uri()


HERE = (
    "document.querySelectorAll('.step.here').length === 1 && Number(document.querySelector('.step.here').dataset.step)"
)
HASH = "location.hash"


@browsing
def test_it_opens_at_the_first_step_or_where_the_link_says(browser: Browser, address: str) -> None:
    browser.open(address)
    assert browser.run(HERE) == 1
    assert browser.run("document.querySelector('.place').textContent") == "1 of 9"
    browser.open(address + "#step-4")
    assert browser.run(HERE) == 4 and browser.run("scrollY") == 0
    browser.run("new Promise(done => { addEventListener('hashchange', done); location.hash = '#step-7' })")
    assert browser.run(HERE) == 7
    browser.open(address + "#step-99")
    assert browser.run(HERE) == 1
    assert browser.troubles() == []


@browsing
def test_buttons_and_links_step_and_the_address_follows(browser: Browser, address: str) -> None:
    browser.open(address)
    for name, step in (("next", 2), ("next", 3), ("back", 2), ("last", 9), ("first", 1)):
        browser.mouse("click", f"[data-do={name}]")
        assert (browser.run(HERE), browser.run(HASH)) == (step, f"#step-{step}")
    assert browser.run("document.querySelector('[data-do=back]').disabled")
    browser.mouse("click", ".timeline a[href='#step-6']")
    assert (browser.run(HERE), browser.run(HASH)) == (6, "#step-6")
    assert browser.run("document.querySelector('[aria-current=step]').hash") == "#step-6"
    said = browser.run("document.querySelector('.said').textContent")
    assert said == f"{nine().panels[5].title}. {nine().panels[5].story}"
    assert browser.troubles() == []


@browsing
def test_keys(browser: Browser, address: str) -> None:
    browser.open(address)
    ways = [("ArrowRight", 2), ("PageDown", 3), ("ArrowLeft", 2), ("End", 9), ("ArrowRight", 9), ("PageUp", 8)]
    for key, step in [*ways, ("Home", 1), ("5", 5)]:
        browser.key(key)
        assert browser.run(HERE) == step, key
    browser.key("ArrowLeft", modifiers=1)  # Alt: the browser's own
    browser.key("?")
    assert browser.run("document.querySelector('dialog').open")
    browser.key("ArrowRight")
    assert browser.run(HERE) == 5
    browser.key("Escape")
    assert not browser.run("document.querySelector('dialog').open")
    browser.mouse("click", "[data-do=help]")
    assert browser.run("document.querySelector('dialog').open")
    browser.mouse("click", "dialog button")
    assert not browser.run("document.querySelector('dialog').open")
    assert browser.troubles() == []


@browsing
def test_playing_stops_at_the_end_and_when_somebody_steps(browser: Browser, address: str) -> None:
    stopped = (
        "new Promise(done => { const page = document.documentElement; const look = () => "
        "page.classList.contains('playing') || done(true); new MutationObserver(look).observe(page, "
        "{attributes: true}); look(); })"
    )
    browser.open(address + "#step-6")
    browser.key(" ")
    assert browser.run(stopped) and browser.run(HERE) == 9
    assert browser.run("document.querySelector('[data-do=play]').title") == "Play"
    # from the end it starts again; as slow as can be, so that the key comes first
    browser.run("window.setTimeout = () => 1")
    browser.mouse("click", "[data-do=play]")
    assert browser.run(HERE) == 1 and browser.run("document.querySelector('[data-do=play]').title") == "Pause"
    browser.key("ArrowRight")
    assert browser.run(HERE) == 2 and not browser.run("document.documentElement.classList.contains('playing')")
    assert browser.troubles() == []


@browsing
def test_a_node_tells_its_text_and_stays_marked(browser: Browser, address: str) -> None:
    detail = "document.querySelector('.detail').innerText"
    marked = "[...document.querySelectorAll('.here g.marked')].map(g => g.dataset.node)"
    browser.open(address + "#step-4")
    snapshot = nine().panels[3].snapshot
    node = next(node for node in snapshot.nodes() if nine().panels[3].letters.get(node.id) == "d")
    browser.mouse("move", f".here g[data-node='{node.id}'] > .box")
    told = browser.run(detail)
    assert "node d" in told and "new" in told and f"{node.size} tokens" in told and "User: What can you do?" in told
    assert browser.run(marked) == [str(node.id)]
    above = browser.run("[...document.querySelectorAll('.here g.above')].map(g => g.dataset.node)")
    assert above == [str(snapshot.path(node.id)[0].id)]
    browser.mouse("move", "h1")
    assert browser.run(marked) == []
    browser.mouse("click", f".here g[data-node='{node.id}'] > .box")
    browser.mouse("move", "h1")
    for step in (5, 6):
        browser.key("ArrowRight")
        assert browser.run(HERE) == step and browser.run(marked) == [str(node.id)]
    browser.key("1")
    assert browser.run(detail) == "node d is not in the tree in this step." and browser.run(marked) == []
    browser.key("Escape")
    assert browser.run(detail).startswith("Point at a node")
    assert browser.troubles() == []


@browsing
def test_nodes_are_reached_by_tab_and_the_focus_stays_on_them(browser: Browser, address: str) -> None:
    focused = "document.activeElement.dataset.node"
    browser.open(address + "#step-4")
    ids = [str(node.id) for node in nine().panels[3].snapshot.nodes()]
    browser.run("document.querySelector('[data-do=help]').focus()")
    reached = []
    for _ in ids:
        browser.key("Tab")
        reached.append(browser.run(focused))
    assert sorted(reached) == sorted(ids)
    assert browser.run("document.querySelector('.detail .text').textContent") in browser.run(
        "document.activeElement.getAttribute('aria-label')"
    )
    browser.key("ArrowRight")
    assert browser.run(HERE) == 5 and browser.run(focused) == reached[-1]
    assert browser.run("document.activeElement.closest('.step').classList.contains('here')")
    assert browser.troubles() == []


@browsing
def test_light_and_dark(browser: Browser, address: str) -> None:
    ground = "getComputedStyle(document.querySelector('.here figure')).backgroundColor"
    box = "getComputedStyle(document.querySelector('.here .new > .box')).fill"
    light, dark = ("rgb(255, 255, 255)", "rgb(211, 242, 223)"), ("rgb(13, 17, 23)", "rgb(12, 64, 48)")
    for system, first, other in (("light", light, dark), ("dark", dark, light)):
        browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": system}])
        browser.open(address + "#step-3")
        assert (browser.run(ground), browser.run(box)) == first
        browser.key("t")
        assert (browser.run(ground), browser.run(box)) == other
        browser.mouse("click", "[data-do=theme]")
        assert (browser.run(ground), browser.run(box)) == first
    browser.call("Emulation.setEmulatedMedia", features=[])
    assert browser.troubles() == []


@browsing
def test_nothing_moves_between_steps_but_what_changed(browser: Browser, address: str) -> None:
    places = (
        "JSON.stringify(['.here figure', '.here figure > svg', '.bar', 'h2', '.detail', '.here .root'].map(part => "
        "{ const b = [...document.querySelectorAll(part)].find(e => e.getClientRects().length)"
        ".getBoundingClientRect(); return part === 'h2' ? [b.x, b.y] : [b.x, b.y, b.width, b.height]; }))"
    )
    browser.call("Emulation.setDeviceMetricsOverride", width=1600, height=1000, deviceScaleFactor=1, mobile=False)
    try:  # where the figure fits; in a narrower window its frame scrolls to what is new
        browser.open(address)
        seen = set()
        for _ in range(9):
            seen.add(browser.run(places))
            browser.key("ArrowRight")
    finally:
        browser.call("Emulation.clearDeviceMetricsOverride")
    assert len(seen) == 1


@browsing
@pytest.mark.parametrize("how", ["paper", "no script"])
def test_on_paper_and_without_a_script_all_steps_are_there(browser: Browser, address: str, how: str) -> None:
    shown = (
        "[...document.querySelectorAll('.step')].filter(s => s.querySelector('figure > svg').getClientRects().length"
        " && s.querySelector('h2').getClientRects().length).length"
    )
    controls = "[...document.querySelectorAll('.player, .said')].filter(e => e.getClientRects().length).length"
    night = [{"name": "prefers-color-scheme", "value": "dark"}]
    set_up: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
        "paper": ("Emulation.setEmulatedMedia", {"media": "print", "features": night}, {"media": "", "features": []}),
        "no script": ("Emulation.setScriptExecutionDisabled", {"value": True}, {"value": False}),
    }
    method, on, off = set_up[how]
    browser.call(method, **on)
    try:
        browser.open(address + "#step-4")
        assert browser.run(shown) == 9 and browser.run(controls) == 0
        paints = "['body', 'figure .new > .box'].map(part => getComputedStyle(document.querySelector(part)))"
        assert browser.run(f"{paints}.map(paint => paint.color)")[0] == "rgb(17, 24, 39)"
        assert browser.run(f"{paints}.map(paint => paint.fill)")[1] == "rgb(211, 242, 223)"
        assert browser.troubles() == []
    finally:
        browser.call(method, **off)


@browsing
def test_a_small_screen(browser: Browser, address: str) -> None:
    size = {"width": 380, "height": 720, "deviceScaleFactor": 1, "mobile": True}
    browser.call("Emulation.setDeviceMetricsOverride", **size)
    try:
        browser.open(address + "#step-9")
        assert browser.run("document.documentElement.scrollWidth") <= 380
        seen = (
            "(() => { const f = document.querySelector('.here figure').getBoundingClientRect(); return "
            "[...document.querySelectorAll('.here g.new > .box')]"
            ".some(b => { const r = b.getBoundingClientRect(); return r.left >= f.left && r.right <= f.right; }) })()"
        )
        assert browser.run(seen)
        assert browser.troubles() == []
    finally:
        browser.call("Emulation.clearDeviceMetricsOverride")


@browsing
def test_hostile_text_runs_nothing(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "hostile.html"
    file.write_text(page_of(hostile_album(), title=HOSTILE), encoding="utf-8")
    browser.open(file.as_uri())
    assert browser.run("document.images.length + document.querySelectorAll('main script').length") == 0
    assert browser.run("document.title").startswith("</script><script>boom()")
    browser.mouse("move", ".here g[data-node='1'] > .box")
    assert "</script><script>boom()" in browser.run("document.querySelector('.detail .text').textContent")
    browser.key("ArrowRight")
    assert browser.run(HERE) == 2
    assert browser.run("document.querySelectorAll('section').length") == 2
    assert browser.troubles() == []


@browsing
def test_the_policy_stops_what_is_not_of_the_page(browser: Browser, address: str) -> None:
    browser.open(address)
    blocked: Callable[[str], Any] = lambda script: browser.run(  # noqa: E731
        "new Promise(done => { addEventListener('securitypolicyviolation', e => done(e.effectiveDirective)); "
        f"{script} }})"
    )
    assert blocked("fetch('http://127.0.0.1:9/').catch(() => 0)") == "connect-src"
    assert (
        blocked("const s = document.createElement('script'); s.text = '0'; document.head.append(s)")
        == "script-src-elem"
    )
