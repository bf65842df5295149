
// Makes a player of a page that lists the steps of a tree: shows one at a time, by buttons, keys, links and time.
// Whatever it shows stands in the page already; about nodes it knows what stands in the JSON block.
"use strict";
(() => {
  const root = document.documentElement;
  const DARK = "prefers-color-scheme: dark";
  const DIGITS_MS = 900; // within which digits make one number

  // -- light and dark: every rule that asks for the reader's scheme, of the page and of the pictures alike

  const schemes = [...document.styleSheets]
    .flatMap((sheet) => [...sheet.cssRules])
    .filter((rule) => rule instanceof CSSMediaRule && rule.media.mediaText.includes(DARK));
  const asked = schemes.map((rule) => rule.media.mediaText);

  function theme(name) {
    root.dataset.theme = name;
    schemes.forEach((rule, at) => {
      rule.media.mediaText = { auto: asked[at], dark: "screen", light: "not all" }[name];
    });
  }

  function otherTheme() {
    const dark = root.dataset.theme === "auto" ? matchMedia(`(${DARK})`).matches : root.dataset.theme === "dark";
    theme(dark ? "light" : "dark");
  }

  theme(root.dataset.theme);
  root.classList.add("js"); // at once: nothing is shown that goes away again
  document.addEventListener("DOMContentLoaded", () => {
    try {
      start();
    } catch (error) {
      root.classList.remove("js"); // all steps are listed then
      throw error;
    }
  });

  function start() {
    const find = (selector) => document.querySelector(selector);
    const album = JSON.parse(find("#album").textContent);
    const words = album.words;
    const steps = [...document.querySelectorAll(".step")];
    const links = [...document.querySelectorAll(".timeline a")];
    const numbers = steps.map((step) => Number(step.dataset.step));
    const figures = steps.map((step) => step.querySelector("figure > svg"));
    const buttons = Object.fromEntries([...document.querySelectorAll("[data-do]")].map((b) => [b.dataset.do, b]));
    const detail = find(".detail");
    const dialog = find("dialog");
    let here = -1;
    let timer = 0;
    let pointed = null; // the node under the pointer
    let held = null; // the node with the focus, or chosen by a click; stays over steps
    let typed = "";
    let typedAt = 0;

    const fill = (sentence, facts) => sentence.replace(/\{(\w+)\}/g, (_, fact) => facts[fact]);
    const spoken = (number) => number.toLocaleString("en-US");

    // -- steps

    function show(to, quietly = false) {
      to = Math.max(0, Math.min(steps.length - 1, to));
      if (to === here) return;
      const focused = document.activeElement?.closest?.("[data-node]")?.dataset.node;
      const view = figures[here]?.parentElement;
      const from = view ? [view.scrollLeft, view.scrollTop] : [0, 0];
      root.classList.toggle("onwards", to === here + 1);
      steps[here]?.classList.remove("here");
      links[here]?.removeAttribute("aria-current");
      here = to;
      ready(figures[here]);
      steps[here].classList.add("here");
      look(figures[here], ...from);
      links[here].setAttribute("aria-current", "step");
      links.forEach((link, at) => link.classList.toggle("passed", at < here));
      const nav = find(".timeline");
      const item = links[here].parentElement;
      nav.scrollLeft = item.offsetLeft - nav.offsetLeft - (nav.clientWidth - item.clientWidth) / 2;
      const place = { at: here + 1, all: steps.length, number: numbers[here] };
      find(".place").textContent = fill(numbers[here] === here + 1 ? words.of : words.numbered, place);
      for (const name of ["first", "back"]) buttons[name].disabled = here === 0;
      for (const name of ["next", "last"]) buttons[name].disabled = here === steps.length - 1;
      if (focused) nodeOf(focused)?.focus({ preventScroll: true });
      tell();
      if (quietly) return;
      const [title, story] = ["h2", ".story"].map((part) => steps[here].querySelector(part).textContent);
      find(".said").textContent = `${title}. ${story}`;
      if (location.hash !== `#step-${numbers[here]}`) {
        history.replaceState(null, "", `#step-${numbers[here]}`);
      }
    }

    // A picture that is looked at for the first time: its nodes can be reached, and titles no longer pop up.
    function ready(svg) {
      if (svg.dataset.ready) return;
      svg.dataset.ready = "yes";
      svg.setAttribute("role", "group");
      svg.removeAttribute("aria-labelledby");
      for (const title of [...svg.querySelectorAll("title")]) {
        title.parentElement.setAttribute("aria-label", title.textContent);
        title.remove();
      }
      for (const node of svg.querySelectorAll("g[data-node]:not(.root)")) {
        node.setAttribute("tabindex", "0");
        node.setAttribute("role", "img");
        const facts = factsOf(node.dataset.node);
        if (facts) node.setAttribute("aria-label", [...headOf(facts), facts.text].join(", "));
      }
    }

    // Where a picture is larger than its frame, each is seen from where the one before was, unless nothing of what is
    // new, or else of what went, would be seen.
    function look(svg, left, top) {
      const frame = svg.parentElement;
      frame.scrollTo(left, top);
      const room = frame.getBoundingClientRect();
      const kinds = ["new", "evicted", "reused"].map((state) => [...svg.querySelectorAll(`g.${state} > .box`)]);
      const boxes = kinds.find((some) => some.length) ?? [];
      const places = boxes.map((box) => box.getBoundingClientRect());
      const seen = (place) => place.left >= room.left && place.right <= room.right && place.top >= room.top;
      if (!places.length || places.some((place) => seen(place) && place.bottom <= room.bottom)) return;
      const [{ left: x, right, top: y, bottom }] = places;
      frame.scrollBy((x + right - room.left - room.right) / 2, (y + bottom - room.top - room.bottom) / 2);
    }

    function fromLink() {
      const number = /^#step-(\d+)$/.exec(location.hash);
      return number ? numbers.indexOf(Number(number[1])) : -1;
    }

    // -- playing

    const playing = () => timer !== 0;

    function pause() {
      clearTimeout(timer);
      timer = 0;
      root.classList.remove("playing");
      name(buttons.play, words.play);
    }

    function play() {
      if (here === steps.length - 1) show(0);
      root.classList.add("playing");
      name(buttons.play, words.pause);
      wait();
    }

    // As long as it takes to read the story.
    function wait() {
      const letters = steps[here].querySelector(".words").textContent.length;
      const pace = Number(find(".speed select").value);
      timer = setTimeout(() => {
        show(here + 1);
        if (here < steps.length - 1) wait();
        else pause();
      }, Math.min(1800 + 35 * letters, 12000) / pace);
    }

    function name(button, text) {
      button.title = text;
      button.setAttribute("aria-label", text);
    }

    // -- nodes

    function nodeOf(id) {
      return figures[here].querySelector(`g[data-node="${CSS.escape(id)}"]`);
    }

    function factsOf(id, at = here) {
      const row = album.steps[at].nodes[id];
      if (!row) return null;
      const facts = Object.fromEntries(album.columns.map((column, place) => [column, row[place]]));
      return { ...facts, text: album.texts[facts.text] };
    }

    // What a node is called: in this step, else in the nearest in which it has a name.
    function called(id) {
      const named = album.steps.map((_, at) => factsOf(id, at)).filter((facts) => facts?.name);
      return fill(words.node, { name: factsOf(id)?.name || named[0]?.name || `#${id}` });
    }

    function headOf(facts) {
      const said = [words[facts.state], facts.tokens === 1 ? words.token : fill(words.tokens, { n: spoken(facts.tokens) })];
      if (facts.locks) said.push(fill(words.locks, { n: spoken(facts.locks) }));
      else if (facts.attribute) said.push(words[facts.attribute]);
      said.push(fill(words.path, { n: spoken(facts.path) }));
      return facts.name ? [fill(words.node, facts), ...said] : said;
    }

    // A node is a group and the edge above it.
    function mark(id, as) {
      const parts = figures[here].querySelectorAll(`[data-node="${CSS.escape(String(id))}"]`);
      for (const part of parts) part.classList.add(as);
    }

    function tell() {
      const id = pointed ?? held;
      for (const marked of document.querySelectorAll(".marked, .above")) marked.classList.remove("marked", "above");
      detail.replaceChildren();
      detail.className = "detail player";
      if (id === null) return add(detail, "p", "hint", words.hint);
      const facts = factsOf(id);
      mark(id, "marked");
      if (!facts) {
        const text = nodeOf(id)?.getAttribute("aria-label") ?? fill(words.absent, { name: called(id) });
        return add(detail, "p", "hint", text);
      }
      for (let above = facts.parent; factsOf(above); above = factsOf(above).parent) mark(above, "above");
      const head = add(detail, "p", "head");
      add(head, "i", `sign ${facts.state}`, album.signs[facts.state]);
      headOf(facts).forEach((said, at) => add(head, "span", at === 0 && facts.name ? "name" : "", said));
      add(detail, "p", "text", facts.text).tabIndex = -1;
      if (pointed === null) add(detail, "p", "hint", words.pinned);
    }

    function add(parent, tag, classes, text = "") {
      const element = document.createElement(tag);
      element.className = classes;
      element.textContent = text;
      if (tag === "p") element.dir = "auto";
      parent.append(element);
      return element;
    }

    const nodeAt = (event) => event.target.closest?.("figure [data-node]")?.dataset.node ?? null;

    function point(event) {
      const id = nodeAt(event);
      if (id === pointed) return;
      pointed = id;
      tell();
    }

    function hold(id) {
      held = id;
      tell();
    }

    // -- what the reader does

    const doings = {
      first: () => show(0),
      back: () => show(here - 1),
      next: () => show(here + 1),
      last: () => show(steps.length - 1),
      play: () => (playing() ? pause() : play()),
      theme: otherTheme,
      help: () => dialog.showModal(),
    };
    const keys = {
      ArrowLeft: "back", PageUp: "back", ArrowRight: "next", PageDown: "next", Home: "first", End: "last",
      " ": "play", "?": "help", t: "theme", T: "theme",
    };

    function act(what) {
      if (what !== "play" && what !== "theme") pause();
      doings[what]();
    }

    function digit(key, now) {
      typed = now - typedAt < DIGITS_MS ? typed + key : key;
      typedAt = now;
      let to = numbers.indexOf(Number(typed));
      if (to < 0) to = numbers.indexOf(Number((typed = key)));
      if (to < 0) return;
      pause();
      show(to);
    }

    document.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do]");
      if (button) return act(button.dataset.do);
      const link = event.target.closest(".timeline a");
      if (link && !(event.ctrlKey || event.metaKey || event.shiftKey)) {
        event.preventDefault();
        pause();
        return show(links.indexOf(link));
      }
      if (event.target.closest("figure")) hold(nodeAt(event));
    });
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey || dialog.open) return;
      if (event.target.closest("select")) return;
      if (event.key === "Escape") {
        document.activeElement?.closest?.("[data-node]")?.blur();
        pointed = null;
        return hold(null);
      }
      if (/^\d$/.test(event.key)) return digit(event.key, event.timeStamp);
      if (!(event.key in keys)) return;
      if (event.key === " " && event.target.closest("button, a")) return;
      event.preventDefault();
      act(keys[event.key]);
    });
    document.addEventListener("pointerover", point);
    root.addEventListener("pointerleave", () => {
      pointed = null;
      tell();
    });
    document.addEventListener("focusin", (event) => {
      const id = nodeAt(event);
      if (id !== null) hold(id);
    });
    addEventListener("hashchange", () => {
      const to = fromLink();
      if (to < 0) return;
      pause();
      show(to);
    });

    // All pictures are shown at one scale, in room for the largest, so that nothing around them moves.
    const sizes = figures.map((svg) => svg.viewBox.baseVal);
    const most = ["width", "height"].map((side) => Math.max(1, ...sizes.map((size) => size[side])));
    const board = find(".steps");
    board.classList.toggle("wide", most[0] > 2 * most[1]);
    board.style.setProperty("--most-wide", most[0]);
    board.style.setProperty("--most-high", most[1]);
    figures.forEach((svg, at) => svg.style.setProperty("--wide", sizes[at].width));

    pause();
    const linked = fromLink();
    show(Math.max(linked, 0), linked < 0);
  }
})();
