// Going on while the review program cannot be reached: pages of the next segments, fetched ahead and kept in memory
// alone, and what an answer that waits changes on the page.

const LABELS = { accept: ["Accept", "Take back"], reject: ["Reject", "Not rejected"], unsure: ["Unsure", "Not unsure"] };
const KEPT = 50; // pages as they were before an answer, to go back to

const pages = new Map(); // address -> the page's text, and when it came
const trail = []; // what the page was before each answer that waits

function bare(address) {
  return address.split("#")[0];
}

// Fetch the pages of the segments that come next, one after another; forget those that do not.
export async function fetchAhead(page) {
  const wanted = (page.dataset.ahead ?? "").split(" ").filter(Boolean).map(bare);
  for (const address of pages.keys()) if (!wanted.includes(address)) pages.delete(address);
  for (const address of wanted) {
    if (pages.has(address)) continue;
    try {
      const answer = await fetch(`${address}&ahead=1`);
      if (answer.ok && new URL(answer.url).pathname.includes("/transcript/")) pages.set(address, { text: await answer.text(), at: Date.now() });
    } catch {
      return;
    }
  }
}

// Return the page of an address if it was fetched ahead, with its forms as if it were rendered now.
export function fetched(address) {
  const found = pages.get(bare(address).replace(location.origin, ""));
  if (!found) return null;
  const fresh = new DOMParser().parseFromString(found.text, "text/html");
  for (const field of fresh.querySelectorAll("input[name=at]")) field.value = Number(field.value) + (Date.now() - found.at) * 1000;
  return fresh;
}

// Return the address of the next segment that was fetched ahead and is not answered meanwhile.
export function nextFetched(page) {
  for (const address of pages.keys()) {
    const segment = new URLSearchParams(address.split("?")[1]).get("segment");
    const here = document.getElementById(`s-${segment}`);
    if (segment && !here?.matches(".current, .waits") && !page.querySelector(`.panel form[action*="${segment}"]`)) return address;
  }
  return null;
}

export function remember(page) {
  trail.push(page.cloneNode(true));
  if (trail.length > KEPT) trail.shift();
}

export function goBack() {
  return trail.pop();
}

export function forgetTrail() {
  trail.length = 0;
}

// Show on the page that an answer waits.
export function mark(page, answer, theme, button) {
  const told = { accept: theme, add: theme, reject: `not ${theme}`, nothing: "nothing fits", reject_all: "rejected", unsure: "unsure", undo: "taken back" };
  const passage = page.querySelector(".current");
  passage?.classList.add("waits");
  const words = passage?.querySelector(".mark");
  if (words) words.textContent = `${told[answer]}, not sent yet`;
  const card = button?.closest(".offer");
  for (const one of card?.querySelectorAll("button[data-gives]") ?? []) {
    const on = one === button && answer !== "undo";
    one.value = on ? "undo" : one.dataset.gives;
    one.classList.toggle("on", on);
    one.firstChild.data = LABELS[one.dataset.gives][Number(on)];
  }
}

// Make another segment of the same transcript the current one, as a page that was fetched ahead has it; everything else
// stays as it is. Returns whether that could be done.
export function turnTo(page, fresh) {
  const coming = fresh.querySelector(".current");
  const here = coming && document.getElementById(coming.id);
  const panel = page.querySelector(".panel");
  if (!here || !panel) return false;
  const was = page.querySelector(".current");
  was.classList.remove("current");
  for (const name of ["tabindex", "role", "aria-current", "aria-label"]) was.removeAttribute(name);
  for (const marked of was.querySelectorAll(".text mark")) marked.replaceWith(...[...marked.childNodes].filter((node) => node.nodeName !== "SUP"));
  panel.remove();
  here.replaceWith(document.adoptNode(coming));
  coming.after(document.adoptNode(fresh.querySelector(".panel")));
  page.querySelector(".bar").replaceWith(document.adoptNode(fresh.querySelector(".bar")));
  page.dataset.ahead = fresh.querySelector("#page").dataset.ahead;
  return true;
}
