// Files of a folder that was dropped or chosen, and which of them are music.
import { session } from "./api.js";

const MOST = 20_000;

// The files in what was dropped, folders opened; what is dropped must be looked at before the event is over.
export function filesOf(data) {
  const entries = [...(data.items ?? [])].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return Promise.resolve([...data.files].map((file) => ({ file, name: file.name })));
  return walk(entries);
}

async function walk(entries) {
  const found = [];
  const waiting = [...entries];
  while (waiting.length && found.length < MOST) {
    const entry = waiting.shift();
    if (entry.name.startsWith(".")) continue;
    if (entry.isFile) found.push({ file: await new Promise((done, fail) => entry.file(done, fail)), name: entry.fullPath.replace(/^\//, "") });
    else waiting.push(...await inside(entry));
  }
  return found;
}

async function inside(folder) {
  const reader = folder.createReader();
  const all = [];
  // A reader tells a hundred at a time, and none at the end.
  for (;;) {
    const some = await new Promise((done, fail) => reader.readEntries(done, fail));
    if (!some.length) return all.sort((a, b) => (a.name < b.name ? -1 : 1));
    all.push(...some);
  }
}

export const chosen = (files) => [...files].map((file) => ({ file, name: file.webkitRelativePath || file.name }));

// Why a file is not sent at all; nothing if it is.
export function unfit({ file, name }) {
  const suffix = name.toLowerCase().match(/\.[a-z0-9]+$/)?.[0] ?? "";
  if (!session.learns_from.includes(suffix)) return "no music that is learnt from here";
  return file.size > session.max_bytes ? `larger than ${session.max_bytes >> 20} MB` : "";
}
