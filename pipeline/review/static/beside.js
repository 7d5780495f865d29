// The codebook beside the text: opened and closed without leaving the segment. It stays open from segment to segment.

export class Beside {
  constructor(root) {
    this.root = root;
    this.there = document.getElementById("beside"); // only where segments are read
    this.find = document.getElementById("beside-find");
    this.find?.addEventListener("input", () => this.sift());
    this.find?.addEventListener("keydown", (event) => event.key === "Escape" && this.there.querySelector(".codebook").focus());
  }

  async toggle(page) {
    if (!this.there.hidden) return this.show(false);
    const list = this.there.querySelector(".codebook");
    await this.load(list);
    if (!list.childElementCount) return;
    this.show(true);
    this.find.value = "";
    this.sift();
    const first = page.querySelector(".panel .offer h3")?.textContent;
    const meant = [...list.children].find((section) => section.querySelector("h2, h3")?.textContent === first);
    list.scrollTop = meant ? meant.offsetTop - list.offsetTop : 0;
    list.focus({ preventScroll: true }); // there arrows scroll, and every other key does what it always does
  }

  show(open) {
    const within = this.there.contains(document.activeElement);
    this.there.hidden = !open;
    document.documentElement.classList.toggle("with-codebook", open);
    if (!open && within) document.querySelector("#page .current")?.focus({ preventScroll: true });
  }

  // The codebook's own page says it all. Fetched when it is opened: somebody may have changed it.
  async load(list) {
    try {
      const answer = await fetch(`${this.root}/codebook`);
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      list.replaceChildren(...[...fresh.querySelectorAll("main.codebook > section")].map((section) => document.adoptNode(section)));
    } catch {
      // What was fetched before has to do.
    }
  }

  sift() {
    const wanted = this.find.value.trim().toLowerCase();
    for (const section of this.there.querySelectorAll(".codebook > section")) section.hidden = !section.textContent.toLowerCase().includes(wanted);
  }
}
