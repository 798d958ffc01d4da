// The views of the page, and which of them is shown; each is fetched when it is first opened.
import { $, complain } from "./parts.js";

const MODULES = { train: () => import("./train.js"), quiz: () => import("./quiz.js"), radio: () => import("./radio.js") };

export class Views {
  constructor({ hush }) {
    this.hush = hush;
    this.now = "compose";
    this.opened = {};
    this.names = [...document.querySelectorAll("#views a")].map((link) => link.dataset.view);
  }

  // `shared` is what every view may use.
  begin(shared) {
    this.shared = shared;
    addEventListener("hashchange", () => this.follow());
    this.follow();
  }

  follow() {
    const name = location.hash.slice(1);
    if (this.names.includes(name)) this.show(name);
    else if (!name) this.show("compose");
  }

  show(name) {
    if (name === this.now) return;
    this.opened[this.now]?.leave?.();
    this.hush();
    this.now = name;
    $("import").hidden = name !== "compose";
    for (const each of this.names) $(`view-${each}`).hidden = each !== name;
    for (const link of document.querySelectorAll("#views a")) {
      if (link.dataset.view === name) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    const hash = name === "compose" ? "" : `#${name}`;
    if (location.hash !== hash) window.history.replaceState(undefined, "", hash || "/");
    this.load(name).catch(complain);
  }

  async load(name) {
    if (!MODULES[name]) return;
    if (!this.opened[name]) {
      const { View } = await MODULES[name]();
      this.opened[name] ??= new View(this.shared);
    }
    await this.opened[name].enter?.();
  }

  hear(event) {
    for (const view of Object.values(this.opened)) view.hear?.(event);
  }

  // Whether the view that is shown has taken what was dropped.
  dropped(data) {
    return this.opened[this.now]?.drop?.(data) ?? false;
  }
}
