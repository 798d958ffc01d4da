// Sheet music of a take, with the notes marked that sound.
import { ask } from "./api.js";

export class Sheet {
  constructor(box) {
    this.box = box;
    this.on = new Set();
  }

  async show(take) {
    if (this.take === take) return;
    this.take = take;
    this.moments = [];
    this.on.clear();
    this.say("Engraving…");
    try {
      const sheet = await ask(`/api/takes/${take}/sheet`);
      if (this.take !== take) return;
      const reader = new DOMParser();
      this.box.replaceChildren(...sheet.pages.map((page) => document.importNode(reader.parseFromString(page, "image/svg+xml").documentElement, true)));
      this.moments = sheet.moments;
      this.box.scrollTop = 0;
    } catch (error) {
      this.take = undefined;
      this.say(error.message);
    }
  }

  say(line) {
    const told = document.createElement("p");
    told.textContent = line;
    this.box.replaceChildren(told);
  }

  // Marks what sounds at a time in quarters; none if nothing is played.
  mark(quarter, playing) {
    if (!this.moments?.length || this.box.hidden) return;
    const now = new Set();
    if (playing) {
      for (const moment of this.moments) {
        if (moment.quarter > quarter + 1e-3) break;
        moment.off.forEach((id) => now.delete(id));
        moment.on.forEach((id) => now.add(id));
      }
    }
    for (const id of this.on) if (!now.has(id)) document.getElementById(id)?.classList.remove("sounding");
    let fresh;
    for (const id of now) {
      if (this.on.has(id)) continue;
      fresh = document.getElementById(id) ?? fresh;
      document.getElementById(id)?.classList.add("sounding");
    }
    this.on = now;
    if (fresh) this.follow(fresh);
  }

  follow(note) {
    const box = this.box.getBoundingClientRect();
    const place = note.getBoundingClientRect();
    if (place.top < box.top + 30 || place.bottom > box.bottom - 60) this.box.scrollTop += place.top - box.top - 80;
  }
}
