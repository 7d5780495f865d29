// Memos: their boxes are opened by a key, and what is typed is kept in this browser until the program says that it is
// written, whatever ends or breaks between. These drafts are the one thing kept here that people have worded.

const TYPED = "textarea[name=memo]";

function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name));
  } catch {
    return null;
  }
}

// The name of this tab: two of them may have drafts of the same memo.
function tab() {
  try {
    return (sessionStorage["themescout-tab"] ??= `${Date.now()}-${String(Math.random()).slice(2)}`);
  } catch {
    return "tab";
  }
}

export class Memos {
  // `who` tells studies and coders apart; `tell` says something so that everybody hears it.
  constructor(who, tell) {
    this.prefix = `themescout-draft ${who} `;
    this.tell = tell;
    this.tab = tab();
    this.unkept = false; // whether something is typed that the browser does not keep
    document.addEventListener("input", (event) => event.target.matches(TYPED) && this.typed(event.target));
    document.addEventListener("keydown", (event) => event.target.matches(TYPED) && this.pressed(event));
    document.addEventListener("click", (event) => this.clicked(event));
  }

  name(about) {
    return `${this.prefix}${about.split(" ")[0]} ${this.tab}`;
  }

  // The drafts of a memo by name: this tab's first, then what others have left, the latest first.
  drafts(about) {
    const starts = about.split(" ").map((one) => `${this.prefix}${one} `);
    const own = this.name(about);
    try {
      const names = Object.keys(localStorage).filter((name) => starts.some((start) => name.startsWith(start)));
      return names.map((name) => ({ ...read(name), name })).sort((a, b) => (b.name === own) - (a.name === own) || b.at - a.at);
    } catch {
      return [];
    }
  }

  // Put the drafts into the boxes of a page that is shown.
  prepare(page) {
    for (const field of page.querySelectorAll(TYPED)) {
      const form = field.form;
      const written = field.defaultValue;
      const about = form.dataset.about;
      for (const draft of this.drafts(about)) {
        const within = draft.base !== written && draft.text && written.includes(draft.text.trim());
        if (draft.text?.trim() === written || within) this.remove(draft.name);
      }
      const draft = this.drafts(about)[0];
      if (!draft) continue;
      if (field.value !== draft.text) field.value = draft.text;
      form.elements.base.value = draft.base;
      this.label(form, draft.sent ? "Memo: not sent" : "Memo: not saved");
    }
  }

  label(form, text) {
    const told = form.closest("details").querySelector("[data-label]");
    told.dataset.usual ??= told.textContent;
    told.textContent = text || told.dataset.usual;
  }

  typed(field) {
    const form = field.form;
    if (field.value === field.defaultValue) {
      this.remove(this.name(form.dataset.about));
      return this.label(form, "");
    }
    this.keep(form, { text: field.value, base: form.elements.base.value });
    this.label(form, "Memo: not saved");
  }

  keep(form, draft) {
    try {
      localStorage.setItem(this.name(form.dataset.about), JSON.stringify({ ...draft, at: Date.now() }));
      this.unkept = false;
    } catch {
      if (!this.unkept) this.tell("This browser keeps no drafts: save the memo before you leave.");
      this.unkept = true;
    }
  }

  remove(name) {
    try {
      localStorage.removeItem(name);
    } catch {
      // It was not kept there.
    }
  }

  pressed(event) {
    if (event.isComposing) return;
    const form = event.target.form;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
    } else if (event.key === "Escape") {
      event.preventDefault();
      const draft = event.target.value !== event.target.defaultValue;
      this.leave(form);
      if (draft) this.tell("Your memo is not saved. What you typed is kept in this browser.");
    }
  }

  // The key opens a box or goes on in it; the pointer and Enter open and close it.
  clicked(event) {
    const summary = event.target.closest(".memo > details > summary");
    if (!summary) return;
    event.preventDefault();
    const fold = summary.parentElement;
    fold.open = !(fold.open && event.isTrusted);
    if (fold.open) this.go(fold.querySelector(TYPED));
  }

  go(field) {
    field.focus({ preventScroll: true });
    field.setSelectionRange(field.value.length, field.value.length);
    field.form.scrollIntoView({ block: "nearest" });
  }

  // Close a box; keys belong to the segment again.
  leave(form) {
    const fold = form.closest("details");
    fold.open = false;
    const current = form.closest(".panel") && document.querySelector("#page .current");
    (current || fold.querySelector("summary")).focus({ preventScroll: true });
  }

  // A memo waits to be sent: what is typed from now on builds on it.
  waits(body) {
    for (const form of document.querySelectorAll(".memo form")) {
      if (form.dataset.about !== body.get("about")) continue;
      form.elements.base.value = body.get("memo");
      this.keep(form, { text: body.get("memo"), base: body.get("memo"), sent: true });
      this.label(form, "Memo: not sent");
    }
  }

  // A memo is written: its drafts are not needed any more.
  written({ about, memo }) {
    for (const draft of this.drafts(about)) if (draft.text === memo) this.remove(draft.name);
  }
}
