// How much of each manner, such as a composer, in a style of several.
import { $, make, memory } from "./parts.js";

const FULL = 10;

export const called = (manner) => manner.charAt(0).toUpperCase() + manner.slice(1);

export class Mix {
  show(style) {
    this.style = style;
    this.parts = {};
    for (const [manner, share] of Object.entries(memory.get("mix", {})[style?.name] ?? {})) {
      if (style.manners.includes(manner)) this.parts[manner] = share;
    }
    $("mix").hidden = !style?.manners.length;
    $("manners").replaceChildren(...(style?.manners ?? []).map((manner) => {
      const chip = make("button", { type: "button", class: "chip", "aria-pressed": String(manner in this.parts) }, called(manner));
      chip.addEventListener("click", () => {
        if (manner in this.parts) delete this.parts[manner];
        else this.parts[manner] = FULL;
        chip.setAttribute("aria-pressed", String(manner in this.parts));
        this.slide();
        this.told();
      });
      return chip;
    }));
    this.slide();
    this.told();
  }

  // One alone is all there is; of several each has a share.
  slide() {
    const several = Object.entries(this.parts).length > 1 ? Object.entries(this.parts) : [];
    $("shares").replaceChildren(...several.map(([manner, share]) => {
      const slider = make("input", { type: "range", min: "0", max: String(FULL), step: "0.5", value: String(share) });
      slider.addEventListener("input", () => {
        this.parts[manner] = Number(slider.value);
        this.told();
      });
      return make("label", {}, make("span", {}, called(manner)), slider);
    }));
  }

  told() {
    const { shares } = this;
    $("mix-out").value = !shares ? "one of them, by chance" : Object.entries(shares)
      .map(([manner, share]) => `${called(manner)} ${Math.round(100 * share)} %`).join(", ");
    if (this.style?.manners.length) memory.set("mix", { ...memory.get("mix", {}), [this.style.name]: this.parts });
  }

  /** Name and share of each, together 1; null for what chance takes. */
  get shares() {
    const sum = Object.values(this.parts).reduce((whole, part) => whole + part, 0);
    if (!sum) return null;
    return Object.fromEntries(Object.entries(this.parts).filter(([, part]) => part).map(([manner, part]) => [manner, Math.round(1000 * part / sum) / 1000]));
  }
}
