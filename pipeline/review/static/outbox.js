// Answers on their way to the review program. Each is kept in the browser until the program says that it is written,
// and sent again until then, under one name: so none is lost and none counts twice, whatever ends or breaks between.
// What is kept are ids, answers, names of themes, and memos, but no words of a transcript.

const PATIENCE = 10000; // ms for one try; the program itself may wait longer, and knows an answer that comes again
const PAUSE = 2000; // ms between two tries
const AGAIN = new Set([429, 502, 503, 504]); // the program, or its store, cannot do it just now
const UNWRITTEN = new Set(["changed", "stale"]); // notes of pages that say that nothing was written

// A name that no other answer has. (crypto.randomUUID is missing on a plain http page of another machine.)
function fresh() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Outbox {
  // `name` tells studies and coders apart. `told` hears "waiting", "lost" (with an answer that was not written) and
  // "sent" (with the last answer, once everything that waited was sent); and "written" of every single one.
  constructor(name, root, told) {
    this.prefix = `themescout-outbox ${name} `;
    this.root = root;
    this.told = told;
    this.lasting = true; // whether the browser keeps what is in here when the page is closed
    this.entries = this.left();
    this.why = this.waiting ? "Answers from before are on their way." : ""; // why answers wait, if they do
    this.made = 0;
  }

  get waiting() {
    return this.entries.length;
  }

  // What pages that were closed have left. Each answer has a place of its own: several tabs do not disturb each other.
  left() {
    try {
      const names = Object.keys(localStorage).filter((name) => name.startsWith(this.prefix));
      return names.sort().map((name) => ({ ...JSON.parse(localStorage.getItem(name)), name, old: true }));
    } catch {
      return [];
    }
  }

  // Keep an answer, then send it after those before it. Returns the page that the program answers with, or nothing if
  // it cannot be reached; "sent" is told then, later.
  send(address, body) {
    const path = address.replace(location.origin, "").slice(this.root.length);
    const form = { ...Object.fromEntries(body), request: fresh() };
    if (path.startsWith("/undo")) form.after = this.entries.map((entry) => entry.form.request).join(" ");
    const place = `${Date.now()}-${String((this.made += 1)).padStart(6, "0")}-${form.request}`;
    const entry = { path, form, at: Date.now(), name: this.prefix + place };
    this.entries.push(entry);
    try {
      localStorage.setItem(entry.name, JSON.stringify({ path, form, at: entry.at }));
    } catch {
      this.lasting = false; // the browser has no room, or keeps nothing
    }
    return this.work();
  }

  // Send everything that waits, in order, one at a time.
  work() {
    this.working ??= this.run().finally(() => (this.working = null));
    return this.working;
  }

  async run() {
    let last = null;
    while (this.waiting) {
      const entry = this.entries[0];
      if (entry.old && !localStorage.getItem(entry.name)) {
        this.entries.shift(); // another tab has sent it
        continue;
      }
      last = await this.deliver(entry);
      if (!last) {
        this.again ??= setTimeout(() => ((this.again = null), this.work()), PAUSE);
        return null;
      }
      if (last.out) return last; // to log in again; what waits is sent after that
      this.entries.shift();
      this.forget(entry.name);
      if (!last.unwritten) this.told("written", entry);
      if (last.unwritten && this.why) this.told("lost", last);
    }
    if (!this.why) return last;
    this.why = "";
    this.lasting = true;
    this.told("sent", last);
    return null;
  }

  forget(name) {
    try {
      localStorage.removeItem(name);
    } catch {
      // It was not kept there.
    }
  }

  // Try once. Returns what came back, or nothing if it is to be tried again.
  async deliver(entry) {
    const ended = new AbortController();
    const clock = setTimeout(() => ended.abort(), PATIENCE);
    const form = { ...entry.form, waited: String(Math.max(0, Date.now() - entry.at) * 1000) };
    try {
      const answer = await fetch(this.root + entry.path, { method: "POST", body: new URLSearchParams(form), signal: ended.signal });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (AGAIN.has(answer.status)) return this.wait(words(page));
      const url = new URL(answer.url);
      const unwritten = !answer.ok || UNWRITTEN.has(url.searchParams.get("note"));
      return { ok: answer.ok, url: answer.url, page, unwritten, out: url.pathname === `${this.root}/login` };
    } catch {
      return this.wait("The review program cannot be reached.");
    } finally {
      clearTimeout(clock);
    }
  }

  wait(why) {
    this.why = why;
    this.told("waiting");
    return null;
  }
}

// What a page of a few words says.
export function words(page) {
  const parts = page.querySelectorAll("main > :not(:has(a))");
  return [...(parts.length ? parts : [page.body])].map((part) => part.textContent.trim().replace(/[^.]$/, "$&.")).join(" ");
}
