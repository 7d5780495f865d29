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
  const field = page().querySelector(`[data-focus="${CSS.escape(event.key)}"]`);
  const button = byKey(ALIAS[event.key] ?? event.key);
  if (field) {
    field.focus();
    field.select();
  } else if (button) {
    if (!busy) button.click();
  } else if (event.key === "x" && page().querySelector(".panel")) {
    said.textContent = "Nothing is suggested here. The space bar says that nothing fits.";
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
  if (form.method !== "post") return;
  event.preventDefault();
  if (form.matches(".add") && !completed(form.elements.theme)) return;
  const body = new URLSearchParams(new FormData(form, event.submitter));
  load(event.submitter?.getAttribute("formaction") ?? form.action, body, () => form.submit());
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

async function load(address, body, otherwise = () => location.assign(address)) {
  if (busy) return;
  busy = true;
  try {
    const answer = await fetch(address, { method: body ? "POST" : "GET", body });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!answer.ok || !fresh.querySelector("#page.reading")) return answer.ok ? location.assign(answer.url) : otherwise();
    show(fresh, answer.url, body);
  } catch {
    said.textContent = "The review program does not answer.";
    alert("The review program does not answer. Is it still running?");
  } finally {
    busy = false;
  }
}

function show(fresh, address, acted) {
  const was = page().querySelector(".current")?.id;
  const held = document.activeElement?.closest("button, summary");
  const label = held && [held.value, held.form?.elements.theme?.value].join();
  page().replaceWith(document.adoptNode(fresh.querySelector("#page")));
  document.title = fresh.title;
  const current = page().querySelector(".current");
  const clean = address.replace(/[?&]note=[^&#]*/, ""); // loaded again, the page has nothing to note
  history[acted && current?.id === was ? "replaceState" : "pushState"](null, "", current ? `${clean}#${current.id}` : clean);
  const again = current?.id === was && [...page().querySelectorAll(".panel button")].find((b) => label === [b.value, b.form?.elements.theme?.value].join());
  here = location.pathname + location.search;
  (again || current)?.focus({ preventScroll: true });
  bring(current);
  tell();
}

// Say what a reader who does not see the page would miss.
function tell() {
  const note = page().querySelector(".note")?.textContent ?? "";
  const state = page().querySelector(".current .state")?.textContent.trim() ?? "";
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

addEventListener("popstate", () => {
  if (location.pathname + location.search !== here) location.reload();
});
