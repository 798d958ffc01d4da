// The views of the page, and which of them is shown. What is shown can be used: none is fetched later than the page.
import { $, complain } from "./parts.js";
import { View as Band } from "./band.js";
import { View as Quiz } from "./quiz.js";
import { View as Radio } from "./radio.js";
import { View as Train } from "./train.js";

export class Views {
  constructor({ hush }) {
    this.hush = hush;
    this.now = "compose";
    this.opened = {};
    this.names = [...document.querySelectorAll("#views a")].map((link) => link.dataset.view);
  }

  // `shared` is what every view may use.
  begin(shared) {
    this.opened = { band: new Band(shared), radio: new Radio(shared), train: new Train(shared), quiz: new Quiz(shared) };
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
    Promise.resolve(this.opened[name]?.enter()).catch(complain);
  }

  hear(event) {
    for (const view of Object.values(this.opened)) view.hear?.(event);
  }

  // Whether the view that is shown has taken what was dropped.
  dropped(data, event) {
    return this.opened[this.now]?.drop?.(data, event) ?? false;
  }
}
