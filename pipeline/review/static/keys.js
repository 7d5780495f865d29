// Which key does what. Everything on the page that a key reaches names its usual key (data-key, data-focus); a coder may
// choose others, which this browser keeps for the coder.

const ALIAS = { ArrowRight: "j", ArrowLeft: "k" };
const SIGNS = { " ": "space", Backspace: "⌫", Delete: "⌦" };
const ALLOWED = /^(.|Backspace|Delete)$/u; // one character, or one of these
const TAKEN = /^[1-9]$/;

export function sign(key) {
  return SIGNS[key] ?? (key.startsWith("shift ") ? `⇧${key.slice(6)}` : key);
}

export class Keys {
  constructor(name, dialog) {
    this.name = `themescout-keys ${name}`;
    this.dialog = dialog;
    this.chosen = this.read(); // usual key -> the coder's own
    this.rows = [...(dialog?.querySelectorAll("[data-usual]") ?? [])];
    this.asking = null; // the row whose new key is waited for
    dialog?.addEventListener("click", (event) => this.clicked(event.target));
    dialog?.addEventListener("close", () => this.ask(null));
    dialog?.addEventListener("keydown", (event) => this.pressed(event));
    this.show();
  }

  read() {
    try {
      return JSON.parse(localStorage.getItem(this.name)) ?? {};
    } catch {
      return {};
    }
  }

  keep() {
    try {
      localStorage.setItem(this.name, JSON.stringify(this.chosen));
    } catch {
      this.tell("This browser keeps nothing: the change is forgotten with the page.");
    }
  }

  // Return the usual key for what was pressed; nothing if that does nothing any more.
  usual(event) {
    if (event.shiftKey && /^Digit[1-9]$/.test(event.code)) return `shift ${event.code.slice(5)}`;
    const key = event.key;
    const meant = Object.keys(this.chosen).find((usual) => this.chosen[usual] === key);
    if (meant) return meant;
    return key in this.chosen ? null : (ALIAS[key] ?? key);
  }

  // Write the present keys on the page.
  show() {
    for (const told of document.querySelectorAll("kbd[data-usual]")) told.textContent = sign(this.chosen[told.dataset.usual] ?? told.dataset.usual);
    for (const reached of document.querySelectorAll("#page [data-key]")) {
      const key = this.chosen[reached.dataset.key] ?? reached.dataset.key;
      reached.setAttribute("aria-keyshortcuts", key === " " ? "Space" : key.replace("shift ", "Shift+"));
    }
  }

  clicked(target) {
    if (target.matches("button[data-change]")) this.ask(target.closest("[data-usual]"));
    if (target.matches("button[data-reset]")) {
      this.chosen = {};
      this.keep();
      this.show();
      this.ask(null, "Every key is as usual again.");
    }
  }

  ask(row, told = "") {
    this.asking?.classList.remove("asking");
    this.asking = row;
    row?.classList.add("asking");
    this.tell(row ? `Press the new key for: ${row.querySelector("dd span").textContent}. Escape leaves it as it is.` : told);
  }

  tell(text) {
    const line = this.dialog?.querySelector("[role=status]");
    if (line) line.textContent = text;
  }

  pressed(event) {
    if (!this.asking || event.ctrlKey || event.metaKey || event.altKey || ["Shift", "Tab"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") return this.ask(null);
    const usual = this.asking.dataset.usual;
    const other = this.rows.find((row) => row !== this.asking && (this.chosen[row.dataset.usual] ?? row.dataset.usual) === event.key);
    if (!ALLOWED.test(event.key) || TAKEN.test(event.key)) return this.tell(`${sign(event.key)} cannot be used here. Press another key.`);
    if (other) return this.tell(`${sign(event.key)} is for: ${other.querySelector("dd span").textContent}. Press another key, or change that one first.`);
    if (event.key === usual) delete this.chosen[usual];
    else this.chosen[usual] = event.key;
    this.keep();
    this.show();
    this.ask(null, `${sign(event.key)} is now for: ${this.rows.find((row) => row.dataset.usual === usual).querySelector("dd span").textContent}.`);
  }
}
