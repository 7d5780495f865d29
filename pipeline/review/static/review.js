// What the page can do more with scripts: keys, and going on without loading everything anew.
// Everything it does, links and forms do without it.
"use strict";

const page = () => document.getElementById("page");
const said = document.getElementById("said");
const help = document.getElementById("keys");
const still = matchMedia("(prefers-reduced-motion: reduce)");
const ALIAS = { ArrowRight: "j", ArrowLeft: "k" };
let here = location.pathname + location.search;
let busy = false; // while an answer is on its way: keys pressed blindly must not decide what nobody has seen
let queued = false; // Enter was pressed in the add field meanwhile
let calm = performance.now() + 300; // until then the segment is too new to have been read: a double press decides nothing
const PATIENCE = 40000; // ms; the store itself waits 30 s for another program

document.documentElement.classList.add("scripted");

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
  const field = page().querySelector(`[data-focus="${CSS.escape(event.key)}"]`);
  const button = byKey(ALIAS[event.key] ?? event.key);
  if (field) {
    field.focus();
    field.select();
  } else if (button) {
    if (!busy) button.click();
  } else if (event.key === "x" && page().querySelector(".panel")) {
    notify("Nothing is suggested here. The space bar says that nothing fits.");
  } else {
    return;
  }
  event.preventDefault();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("a, button, summary, input, label");
  if (button?.dataset.key === "?") return help.showModal();
  if (button?.matches("a") && button.pathname.includes("/transcript/") && page().matches(".reading")) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    return void load(button.href);
  }
  // A click into a segment makes it the current one, unless it was made to mark words.
  const passage = event.target.closest(".passage:not(.current)");
  if (!button && passage && getSelection().isCollapsed) passage.querySelector(".state a").click();
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || "plain" in form.dataset) return;
  event.preventDefault();
  const adds = form.matches(".add");
  if (busy) queued ||= adds;
  if (busy || performance.now() < calm || (adds && !completed(form.elements.theme))) return;
  const body = new URLSearchParams(new FormData(form, event.submitter));
  if (adds) form.elements.theme.blur(); // what is typed now is no part of the name
  load(event.submitter?.getAttribute("formaction") ?? form.action, body);
});

document.addEventListener("input", (event) => {
  if (event.target.matches("[list]")) event.target.setCustomValidity("");
});

// Part of a theme's name is enough when it fits one theme only.
function completed(field) {
  const names = [...field.list.options].map((option) => option.value);
  const typed = field.value.trim().toLowerCase();
  const exact = names.filter((name) => name.toLowerCase() === typed);
  const near = exact.length ? exact : names.filter((name) => name.toLowerCase().includes(typed));
  if (near.length === 1) {
    field.value = near[0];
    return true;
  }
  field.setCustomValidity(near.length ? `${near.length} themes are called like that.` : "The codebook has no such theme.");
  field.reportValidity();
  return false;
}

// Say something so that everybody sees it.
function notify(text) {
  said.textContent = text;
  said.className = "told";
}

async function load(address, body) {
  if (busy) return;
  busy = true;
  const waited = setTimeout(notify, 1000, body ? "Saving…" : "Loading…");
  const ended = new AbortController();
  const givenUp = setTimeout(() => ended.abort(), PATIENCE);
  let answer, fresh;
  try {
    answer = await fetch(address, { method: body ? "POST" : "GET", body, signal: ended.signal });
    fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    const lost = body ? "Your answer was NOT saved: the" : "The";
    notify(`${lost} review program does not answer. Is it still running? Load this page again to see how things stand.`);
  } finally {
    clearTimeout(waited);
    clearTimeout(givenUp);
  }
  if (fresh && body && !answer.ok) notify(`Your answer was NOT saved. ${words(fresh)}`);
  else if (fresh && !(answer.ok && fresh.querySelector("#page.reading"))) return location.assign(body ? answer.url : address); // and stay busy
  else if (fresh) show(fresh, answer.url, body);
  busy = false;
  const again = queued && fresh && document.activeElement.matches("#add") && document.activeElement.form;
  queued = false;
  if (again) again.requestSubmit(again.querySelector("button"));
}

// What a page of a few words says.
function words(fresh) {
  const parts = fresh.querySelectorAll("main > :not(:has(a))");
  return [...(parts.length ? parts : [fresh.body])].map((part) => part.textContent.trim().replace(/[^.]$/, "$&.")).join(" ");
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
  const field = document.activeElement?.closest("#add");
  const held = document.activeElement?.closest("button, summary");
  const name = held && named(held);
  const open = new Set([...page().querySelectorAll("details[open]")].map(named));
  page().replaceWith(document.adoptNode(fresh.querySelector("#page")));
  document.title = fresh.title;
  const current = page().querySelector(".current");
  const same = current?.id === was;
  const clean = address.replace(/[?&]note=[^&#]*/, ""); // loaded again, the page has nothing to note
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
}

// Go on in the add field where somebody types: the letters must not become decisions.
function resumed(old) {
  const field = document.getElementById("add");
  if (!field) return false;
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
