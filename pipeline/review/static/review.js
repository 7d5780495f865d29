// What the page can do more with scripts: keys, and going on without loading everything anew, also while the review
// program cannot be reached. Everything else that it does, links and forms do without scripts.
import { fetchAhead, fetched, forgetTrail, goBack, mark, nextFetched, remember, turnTo } from "./ahead.js";
import { Beside } from "./beside.js";
import { Keys } from "./keys.js";
import { Memos } from "./memos.js";
import { Outbox, words } from "./outbox.js";
import { Themes } from "./themes.js";

const page = () => document.getElementById("page");
const said = document.getElementById("said");
const kept = document.getElementById("kept");
const help = document.getElementById("keys");
const still = matchMedia("(prefers-reduced-motion: reduce)");
const { root, who } = page().dataset;
const keys = new Keys(who, help);
const themes = new Themes(who);
const beside = new Beside(root);
const memos = new Memos(who, notify);
const outbox = new Outbox(who, root, heard);
let here = location.pathname + location.search;
let busy = false; // while an answer is on its way: keys pressed blindly must not decide what nobody has seen
let queued = false; // Enter was pressed in the add field meanwhile
let asked = false; // the box of a memo was asked for meanwhile: on what is there then
let stuck = false; // nothing more was fetched ahead: what comes next is not known
let calm = performance.now() + 300; // until then the segment is too new to have been read: a double press decides nothing
let idle = 0; // the clock after which the next segments are fetched ahead
const PATIENCE = 40000; // ms; the store itself waits 30 s for another program
const UNDISTURBED = 700; // ms on a segment before others are fetched

document.documentElement.classList.add("scripted");
settle();
if (outbox.waiting) {
  heard("waiting");
  outbox.work();
}

function byKey(key) {
  return [...page().querySelectorAll("[data-key]")].find((button) => button.dataset.key === key);
}

function typing(element) {
  return element.matches("input:not([type=hidden]), textarea, select, [contenteditable]");
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.repeat || help?.open) return;
  if (typing(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  // The space bar and Enter belong to the button they are on.
  if ((event.key === " " || event.key === "Enter") && event.target.closest("a, button, summary")) return;
  if (event.key === " " && event.target.id === "panel-title") return event.preventDefault(); // its button is gone
  const key = keys.usual(event);
  if (key === null) return;
  const field = page().querySelector(`[data-focus="${CSS.escape(key)}"]`);
  const button = byKey(key);
  if (key === "s" && alike()) {
    // The words that are marked were sent.
  } else if (field) {
    field.focus();
    field.select();
  } else if (button) {
    if (!busy) button.click();
    else asked ||= button.matches(".memo summary");
  } else if (key === "x" && page().querySelector(".panel")) {
    notify("Nothing is suggested here. The space bar says that nothing fits.");
  } else {
    return;
  }
  event.preventDefault();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("a, button, summary, input, label");
  if (button?.dataset.key === "?") return help.showModal();
  if (button?.dataset.key === "c" && beside.there) {
    event.preventDefault();
    return void beside.toggle(page());
  }
  if (button?.matches("a") && !button.hash.startsWith("#orders") && /\/transcript\/|\/next$/.test(button.pathname) && page().matches(".reading")) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    return void load(button.href);
  }
  // A click into a segment makes it the current one, unless it was made to mark words.
  const passage = event.target.closest(".passage:not(.current)");
  if (!button && passage && getSelection().isCollapsed) passage.querySelector(".state a").click();
});

// Look for what resembles the words that are marked, if there are any.
function alike() {
  const form = document.getElementById("alike");
  const marked = getSelection();
  const text = marked.toString().trim();
  if (!form || !text || !marked.anchorNode?.parentElement.closest(".document")) return false;
  form.elements.text.value = text;
  form.submit();
  return true;
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || "plain" in form.dataset) return;
  event.preventDefault();
  if (form.matches(".memo form")) return void note(form);
  const adds = form.matches(".add");
  if (busy) queued ||= adds;
  if (busy || performance.now() < calm || (adds && !themes.completed(form.elements.theme))) return;
  const body = new URLSearchParams(new FormData(form, event.submitter));
  if (adds) form.elements.theme.blur(); // what is typed now is no part of the name
  if ("now" in form.dataset) return outbox.why ? notify("That can be done once the program can be reached.") : void load(form.action, body);
  act(event.submitter?.getAttribute("formaction") ?? form.action, body, event.submitter);
});

document.addEventListener("input", (event) => {
  if (event.target.id === "add") event.target.setCustomValidity("");
});

// Send a memo, after what is on its way. It stays a draft until it is written.
async function note(form) {
  const body = new URLSearchParams(new FormData(form));
  memos.leave(form);
  while (busy) await new Promise((resolve) => setTimeout(resolve, 30));
  act(form.action, body);
}

// Say something so that everybody sees it.
function notify(text) {
  said.textContent = text;
  said.className = "told";
}

// Send an answer. It is in the browser's keeping before it is sent; the page says that it is written when it is.
async function act(address, body, button) {
  if (outbox.why) {
    outbox.send(address, body);
    return aside(address, body, button);
  }
  busy = true;
  const waited = setTimeout(notify, 1000, "Saving…");
  const answer = await outbox.send(address, body);
  clearTimeout(waited);
  busy = false;
  if (!answer) aside(address, body, button);
  else arrived(answer.page, answer.url, answer.ok, body);
  openAsked();
}

function openAsked() {
  if (asked && !busy) byKey("m")?.click();
  asked = false;
}

// Load a page; with a body, the one that follows what is done at once or not at all.
async function load(address, body) {
  if (busy) return;
  busy = true;
  const waited = setTimeout(notify, 1000, "Loading…");
  const ended = new AbortController();
  const givenUp = setTimeout(() => ended.abort(), PATIENCE);
  let answer, fresh;
  try {
    answer = await fetch(address, { method: body ? "POST" : "GET", body, signal: ended.signal });
    fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    fresh = body ? null : fetched(address);
    if (body) notify("That was NOT done: the review program does not answer.");
    else if (!fresh) notify("The review program does not answer. Is it still running? Load this page again to see how things stand.");
  } finally {
    clearTimeout(waited);
    clearTimeout(givenUp);
  }
  busy = false;
  if (fresh) arrived(fresh, answer?.url ?? address, answer?.ok ?? true, body);
  openAsked();
}

function arrived(fresh, address, ok, body) {
  if (body && !ok) notify(`Your ${body.has("memo") ? "memo" : "answer"} was NOT saved. ${words(fresh)}`);
  else if (!(ok && fresh.querySelector("#page.reading"))) {
    busy = true; // until the other page is there
    return location.assign(address);
  } else {
    show(fresh, address, body);
    if (address.includes("note=revealed")) calm = performance.now() + 300; // suggestions that nobody has read yet
  }
  const again = queued && document.activeElement.matches("#add") && document.activeElement.form;
  queued = false;
  if (again) again.requestSubmit(again.querySelector("button"));
}

// Go on with what is on the page while an answer waits.
function aside(address, body, button) {
  if (body.has("memo")) return memos.waits(body);
  const answer = body.get("answer");
  const undone = /\/undo(\?|$)/.test(address);
  if (!answer && !undone) return notify("It is done once the program can be reached."); // the codebook, or looking again
  if (undone) {
    const before = goBack();
    if (before) {
      page().replaceWith(before);
      history.pushState(null, "", before.querySelector(".current .state a").href);
      here = location.pathname + location.search;
      stuck = false;
      settle();
    }
    return notify(before ? "Taken back." : "Your last answer is taken back once the program can be reached.");
  }
  remember(page());
  mark(page(), answer, body.get("theme"), button);
  if (!address.includes("go=next")) return;
  const next = nextFetched(page());
  if (!next) {
    stuck = true;
    const panel = page().querySelector(".panel");
    panel.replaceChildren(Object.assign(document.createElement("p"), { className: "none", textContent: "What comes next is shown once the program can be reached." }));
    return;
  }
  const fresh = fetched(next);
  if (!turnTo(page(), fresh)) return show(fresh, next, body);
  calm = performance.now() + 300;
  history.pushState(null, "", next);
  here = location.pathname + location.search;
  const current = page().querySelector(".current");
  current.focus({ preventScroll: true });
  bring(current);
  settle();
}

// What becomes of the answers that waited.
function heard(event, answer) {
  if (event === "written") return answer.form.about && memos.written(answer.form);
  if (event === "lost") {
    const line = Object.assign(document.createElement("p"), { textContent: `An answer was NOT written. ${words(answer.page)} ` });
    if (answer.ok) {
      line.textContent = "An answer was NOT written, as suggestions or codebook have changed. ";
      line.append(Object.assign(document.createElement("a"), { href: answer.url, textContent: "Look at it again" }));
    }
    kept.lastElementChild.append(line);
  }
  const many = outbox.waiting;
  const answers = many === 1 ? "1 answer is" : `${many} answers are`;
  const where = outbox.lasting ? "kept in this browser, also when the page is closed" : "kept on this page: do NOT close it";
  kept.firstElementChild.textContent = event === "waiting" ? `${outbox.why} ${answers} ${where}, and sent as soon as that can be done.` : "";
  kept.hidden = !kept.textContent;
  if (event !== "sent") return;
  forgetTrail();
  notify("Everything is written.");
  if (answer?.out || !page().matches(".reading")) location.reload();
  else if (stuck && answer?.ok) arrived(answer.page, answer.url, true);
  else refresh();
  stuck = false;
}

// Load what is on the page again, with the same suggestions.
function refresh() {
  const run = page().querySelector("input[name=run]")?.value ?? "";
  const address = page().querySelector(".current .state a")?.href.split("#")[0];
  if (address) load(`${address}&run=${encodeURIComponent(run)}`);
}

addEventListener("beforeunload", (event) => {
  if ((outbox.waiting && !outbox.lasting) || memos.unkept) event.preventDefault();
});

// What is done with every page that is shown.
function settle() {
  keys.show();
  themes.prepare();
  memos.prepare(page());
  clearTimeout(idle);
  if (page().matches(".reading")) idle = setTimeout(() => outbox.why || fetchAhead(page()), UNDISTURBED);
}

// The name under which a button or a fold is found again when the panel was made anew: what it is about, and its place.
function named(element) {
  const form = element.closest("form");
  const group = element.closest(".offer, .own, .said, .add, .go, .bar, .panel")?.classList[0];
  const theme = form?.querySelector("input[type=hidden][name=theme]")?.value;
  const place = element.matches("button") && form ? [...form.querySelectorAll("button")].indexOf(element) : element.closest("details")?.className;
  return JSON.stringify([group, theme, element.localName, place]);
}

function show(fresh, address, acted) {
  const was = page().querySelector(".current")?.id;
  const field = document.activeElement?.closest("#add, .memo textarea");
  const held = document.activeElement?.closest("button, summary");
  const name = held && named(held);
  const open = new Set([...page().querySelectorAll("details[open]")].map(named));
  page().replaceWith(document.adoptNode(fresh.querySelector("#page")));
  document.title = fresh.title;
  const current = page().querySelector(".current");
  const same = current?.id === was;
  const clean = address.replace(/[?&](note|run)=[^&#]*/g, "").split("#")[0]; // loaded again, the page has nothing to note
  history[acted && same ? "replaceState" : "pushState"](null, "", current ? `${clean}#${current.id}` : clean);
  here = location.pathname + location.search;
  if (same) {
    for (const fold of page().querySelectorAll("details")) fold.open ||= open.has(named(fold));
  } else {
    calm = performance.now() + 300;
    queued = false;
  }
  const again = held && [...page().querySelectorAll(same ? "button, summary" : ".bar button")].find((one) => named(one) === name);
  const instead = held && same ? document.getElementById("panel-title") : current;
  if (!field || !resumed(field)) (again || instead)?.focus({ preventScroll: true });
  bring(current);
  tell();
  settle();
}

// Go on in the field where somebody types: the letters must not become decisions.
function resumed(old) {
  const field = document.getElementById(old.id);
  if (!field) return false;
  if (field.closest(".memo")) field.closest("details").open = true;
  field.value = old.value;
  field.focus({ preventScroll: true });
  field.setSelectionRange(old.selectionStart, old.selectionEnd);
  return true;
}

// Say what a reader who does not see the page would miss.
function tell() {
  const note = page().querySelector(".note")?.textContent ?? "";
  const state = page().querySelector(".current .state")?.textContent.trim() ?? "";
  said.className = "unseen";
  said.textContent = `${note} ${state}. ${page().querySelector(".progress span")?.textContent ?? ""}`.trim();
}

// Scroll only if the segment, and on a narrow page its panel, cannot be seen.
function bring(current) {
  if (!current) return;
  const panel = page().querySelector(".panel");
  const under = getComputedStyle(panel).position !== "fixed";
  const top = current.getBoundingClientRect().top;
  const end = Math.min(under ? panel.getBoundingClientRect().bottom : current.getBoundingClientRect().bottom, top + innerHeight - 140);
  if (top < 90 || end > innerHeight - 24) {
    const above = under ? 80 : innerHeight * 0.3;
    scrollTo({ top: scrollY + top - above, behavior: still.matches ? "instant" : "smooth" });
  }
}

addEventListener("pageshow", () => (busy = false));
addEventListener("popstate", () => {
  if (location.pathname + location.search !== here) location.reload();
});
