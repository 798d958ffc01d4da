// Small things of the page: elements, toasts, what is remembered, and words.

export const $ = (name) => document.getElementById(name);

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

// What `stays` is not pushed away by those that come after it.
export function toast(line, { bad = false, stays = false, action, onAction, seconds = bad ? 10 : 5 } = {}) {
  const box = make("div", { class: bad ? "toast bad" : "toast", "data-stays": stays }, make("span", {}, line));
  if (action) {
    box.append(make("button", { onclick: () => { box.remove(); onAction(); } }, action));
  }
  box.append(make("button", { "aria-label": "Close", onclick: () => box.remove() }, "×"));
  const toasts = $("toasts");
  const others = [...toasts.children].filter((each) => !("stays" in each.dataset));
  others.slice(0, -3).forEach((each) => each.remove());
  toasts.append(box);
  setTimeout(() => box.remove(), seconds * 1000);
}

export const complain = (error) => toast(error.message ?? String(error), { bad: true });

// What the page remembers between visits; a browser that forbids it forgets.
export const memory = {
  get(name, otherwise) {
    try {
      return JSON.parse(localStorage.getItem(`kapelle-${name}`)) ?? otherwise;
    } catch {
      return otherwise;
    }
  },
  set(name, value) {
    try {
      if (value === undefined) localStorage.removeItem(`kapelle-${name}`);
      else localStorage.setItem(`kapelle-${name}`, JSON.stringify(value));
    } catch { /* A full or forbidden memory loses a draft, nothing that was saved. */ }
  },
};

export const count = (number, word) => `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;

export const showIcon = (button, name) => button.querySelector("use").setAttribute("href", `#i-${name}`);

export function icon(name) {
  const [svg, use] = ["svg", "use"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  svg.setAttribute("class", "i");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}
