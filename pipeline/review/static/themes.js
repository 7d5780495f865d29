// Finding a theme by typing some of its letters: those given lately come first. Without scripts the field is a plain one
// with the browser's own list.

const RECENT = 20; // themes that are remembered as given lately
const SHOWN = 8; // themes that are listed at once

// How well letters fit a name: 0 the whole name, 1 its beginning, 2 the beginning of its words, 3 anywhere, 4 with gaps;
// nothing if they do not.
export function fit(name, typed) {
  const within = name.toLowerCase();
  const wanted = typed.trim().toLowerCase();
  if (within === wanted) return 0;
  if (within.startsWith(wanted)) return 1;
  const words = within.split(/[^\p{L}\p{N}]+/u);
  if (wanted.split(/\s+/).every((part) => words.some((word) => word.startsWith(part)))) return 2;
  if (within.includes(wanted)) return 3;
  let at = -1;
  for (const letter of wanted.replace(/\s+/g, "")) if ((at = within.indexOf(letter, at + 1)) < 0) return null;
  return 4;
}

export class Themes {
  constructor(who) {
    this.place = `themescout-recent ${who}`;
    this.at = -1; // the option that Enter takes
    document.addEventListener("focusin", (event) => event.target.id === "add" && this.list(event.target));
    document.addEventListener("input", (event) => event.target.id === "add" && this.list(event.target));
    document.addEventListener("focusout", (event) => event.target.id === "add" && this.close());
    document.addEventListener("keydown", (event) => event.target.id === "add" && this.pressed(event), true);
    document.addEventListener("mousedown", (event) => this.clicked(event));
  }

  get field() {
    return document.getElementById("add");
  }

  get options() {
    return [...(document.getElementById("fitting")?.children ?? [])];
  }

  recent() {
    try {
      return JSON.parse(localStorage.getItem(this.place)) ?? [];
    } catch {
      return [];
    }
  }

  given(name) {
    try {
      localStorage.setItem(this.place, JSON.stringify([name, ...this.recent().filter((one) => one !== name)].slice(0, RECENT)));
    } catch {
      // Then the codebook's order has to do.
    }
  }

  // Make the field one with a list of our own.
  prepare() {
    const field = this.field;
    if (!field || field.getAttribute("role")) return;
    field.removeAttribute("list");
    for (const [name, value] of Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": "fitting", "aria-autocomplete": "list" })) field.setAttribute(name, value);
    const list = Object.assign(document.createElement("ul"), { id: "fitting", hidden: true });
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Themes");
    field.form.append(list);
  }

  // Return the themes that letters fit, the best first and those given lately before others.
  fitting(typed) {
    const recent = this.recent();
    const late = (name) => (recent.includes(name) ? recent.indexOf(name) : RECENT);
    return [...document.getElementById("themes").options]
      .map((option) => ({ name: option.value, parent: option.textContent, how: fit(option.value, typed) }))
      .filter((one) => one.how !== null)
      .sort((a, b) => (typed.trim() ? a.how - b.how : 0) || late(a.name) - late(b.name));
  }

  list(field) {
    const list = document.getElementById("fitting");
    if (!list) return;
    const recent = this.recent();
    const found = this.fitting(field.value).slice(0, SHOWN);
    list.replaceChildren(
      ...found.map((one, at) => {
        const option = Object.assign(document.createElement("li"), { id: `fitting-${at}`, dir: "auto" });
        option.setAttribute("role", "option");
        option.dataset.name = one.name;
        option.append(Object.assign(document.createElement("span"), { textContent: one.name }));
        const beside = [one.parent, recent.includes(one.name) ? "recent" : ""].filter(Boolean).join(" · ");
        if (beside) option.append(Object.assign(document.createElement("span"), { className: "quiet", textContent: beside }));
        return option;
      }),
    );
    list.hidden = !found.length;
    field.setAttribute("aria-expanded", String(Boolean(found.length)));
    this.choose(field.value.trim() && found.length ? 0 : -1);
  }

  choose(at) {
    this.at = at;
    for (const [place, option] of this.options.entries()) option.setAttribute("aria-selected", String(place === at));
    if (at >= 0) this.field.setAttribute("aria-activedescendant", `fitting-${at}`);
    else this.field?.removeAttribute("aria-activedescendant");
  }

  close() {
    const list = document.getElementById("fitting");
    if (list) list.hidden = true;
    this.field?.setAttribute("aria-expanded", "false");
    this.choose(-1);
  }

  pressed(event) {
    const many = this.options.length;
    if (!many || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
    event.preventDefault();
    this.choose(event.key === "ArrowDown" ? (this.at + 1) % many : (Math.max(this.at, 0) - 1 + many) % many);
  }

  clicked(event) {
    const option = event.target.closest("#fitting [role=option]");
    if (!option) return;
    event.preventDefault(); // the field keeps the focus
    this.field.value = option.dataset.name;
    this.field.form.requestSubmit(this.field.form.querySelector("button"));
  }

  // Make what was typed the name of the theme that is meant. Returns whether it is clear which.
  completed(field) {
    const chosen = document.getElementById("fitting")?.hidden === false ? this.options[this.at]?.dataset.name : "";
    const found = this.fitting(field.value);
    const best = found.filter((one) => one.how === found[0].how);
    const name = chosen || (field.value.trim() && best.length === 1 ? best[0].name : "");
    if (name) {
      field.value = name;
      this.given(name);
      return true;
    }
    field.setCustomValidity(best.length ? `${best.length} themes are called like that.` : "The codebook has no such theme.");
    field.reportValidity();
    return false;
  }
}
