// Files that are dropped on the page or chosen: where they go depends on the view.
import { ask, session } from "./api.js";
import { $, complain, toast } from "./parts.js";

const MOST_FILES = 50;

// As many files as are taken at once; that the others are left out is told.
export function first(files, most, why) {
  if (files.length > most) toast(`${why}; the other ${(files.length - most).toLocaleString("en")} files were left out.`, { bad: true, stays: true, seconds: 20 });
  return [...files].slice(0, most);
}

// Sends a file to be read as a take; the job that reads it.
export async function send(file) {
  if (file.size > session.max_bytes) throw new Error(`${file.name}: expected at most ${session.max_bytes >> 20} MB, got ${Math.ceil(file.size / 2 ** 20)}`);
  return ask(`/api/imports?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file });
}

export async function bringIn(files, own) {
  for (const file of first(files, MOST_FILES, `${MOST_FILES} files at once are what the studio takes; to learn from many, open Train`)) {
    try {
      own(await send(file));
    } catch (error) {
      complain(error);
    }
  }
}

// Calls `onDrop` with what was dropped, its files and what can read folders, and where.
export function dropping(onDrop) {
  let depth = 0;
  const files = (event) => event.dataTransfer?.types.includes("Files");
  const hide = () => { depth = 0; $("drop").hidden = true; };
  addEventListener("dragenter", (event) => { if (files(event)) { depth += 1; $("drop").hidden = false; } });
  addEventListener("dragleave", (event) => { if (files(event) && --depth <= 0) hide(); });
  addEventListener("dragover", (event) => files(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!files(event)) return;
    event.preventDefault();
    hide();
    onDrop(event.dataTransfer, event);
  });
}
