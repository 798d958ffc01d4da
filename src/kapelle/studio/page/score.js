// Scores as the server tells them: times in ticks, notes as [onset, duration, pitch, velocity].

const NAMES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];

export const isBlack = (pitch) => [1, 3, 6, 8, 10].includes(pitch % 12);
export const pitchName = (pitch) => NAMES[pitch % 12] + (Math.floor(pitch / 12) - 1);

export const clock = (seconds) =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

// Ticks and seconds, by the tempos of a score.
export class Time {
  constructor(score) {
    const unit = score.ticks_per_quarter;
    this.parts = [];
    let seconds = 0;
    score.tempos.forEach(([tick, rate], index) => {
      const last = this.parts[index - 1];
      if (last) seconds += (tick - last.tick) * last.each;
      this.parts.push({ tick, seconds, each: 60 / (rate * unit) });
    });
  }

  seconds(tick) {
    const part = this.parts.findLast((part) => part.tick <= tick) ?? this.parts[0];
    return part.seconds + (tick - part.tick) * part.each;
  }

  tick(seconds) {
    const part = this.parts.findLast((part) => part.seconds <= seconds) ?? this.parts[0];
    return part.tick + (seconds - part.seconds) / part.each;
  }
}

// One list of all notes, for drawing, hearing and editing.
export const notesOf = (score) =>
  score.tracks.flatMap((track, index) =>
    track.notes.map(([onset, duration, pitch, velocity]) => ({ track: index, onset, duration, pitch, velocity })),
  );

// The score with other notes in its tracks.
export function withNotes(score, notes) {
  const tracks = score.tracks.map((track) => ({ ...track, notes: [] }));
  for (const note of notes) {
    tracks[note.track].notes.push([note.onset, note.duration, note.pitch, note.velocity]);
  }
  return { ...score, tracks };
}

export const endOf = (score, notes) =>
  notes.reduce((end, note) => Math.max(end, note.onset + note.duration), score.bars.at(-1));

// Bar lines from the start to the end, going on in the last metre where notes lie beyond the last known bar.
export function barsUntil(score, end) {
  const bars = [...score.bars];
  const [, above, below] = score.meters.at(-1);
  const length = Math.max(1, (4 * score.ticks_per_quarter * above) / below);
  while (bars.at(-1) < end) bars.push(bars.at(-1) + length);
  return bars;
}

export function meterAt(score, tick) {
  return score.meters.findLast(([onset]) => onset <= tick) ?? score.meters[0];
}

export function placeOf(score, tick) {
  const bar = Math.max(0, score.bars.findLastIndex((start) => start <= tick));
  const [, above, below] = meterAt(score, tick);
  const compound = below >= 8 && above % 3 === 0 && above > 3;
  const beat = ((compound ? 12 : 4) / below) * score.ticks_per_quarter;
  return `bar ${bar + (score.pickup ? 0 : 1)}, beat ${Math.floor((tick - score.bars[bar]) / beat) + 1}`;
}
