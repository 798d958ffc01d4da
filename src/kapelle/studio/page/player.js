// Plays notes through the synthesiser, with the packaged bank of sounds. Nothing is loaded from elsewhere.
import { Time, notesOf } from "./score.js";

const AHEAD = 0.2;
const DRUMS = 9;

const eventsOf = (notes, time, start = 0) => notes
  .map((note) => ({
    track: note.track,
    pitch: note.pitch,
    velocity: note.velocity,
    start: start + time.seconds(note.onset),
    stop: start + time.seconds(note.onset + note.duration),
  }))
  .sort((a, b) => a.start - b.start);

export class Player {
  constructor() {
    this.playing = false;
    this.volume = 0.8;
    this.looping = false;
    this.growing = false;
    this.muted = new Set();
    this.onStop = () => {};
    this.position = 0;
  }

  // Fetched before it is needed; the sound itself may begin only after a click.
  fetchBank() {
    this.bank ??= fetch("/page/sounds/bank.sf2").then((answer) => answer.arrayBuffer());
    return this.bank;
  }

  ready() {
    this.isReady ??= this.begin().catch((error) => {
      this.isReady = undefined;
      throw new Error(`this browser cannot play: ${error.message}; take the sound away as WAV instead`);
    });
    return this.isReady;
  }

  async begin() {
    const [{ WorkletSynthesizer }, bank] = await Promise.all([import("./synth.js"), this.fetchBank()]);
    this.context = new AudioContext();
    await this.context.audioWorklet.addModule("/page/synth-processor.js");
    this.synth = new WorkletSynthesizer(this.context);
    this.gain = new GainNode(this.context, { gain: this.volume });
    this.analyser = new AnalyserNode(this.context, { fftSize: 1024 });
    this.synth.connect(this.gain);
    this.gain.connect(this.analyser).connect(this.context.destination);
    await this.synth.soundBankManager.addSoundBank(bank.slice(0), "kapelle");
    await this.synth.isReady;
  }

  setVolume(volume) {
    this.volume = volume;
    if (this.gain) this.gain.gain.value = volume;
  }

  // What is to be heard: a score and its notes, which may have been edited.
  load(score, notes) {
    this.score = score;
    this.time = new Time(score);
    this.setNotes(notes);
    this.sent = false;
  }

  setNotes(notes) {
    this.events = eventsOf(notes, this.time);
    this.length = this.events.reduce((end, event) => Math.max(end, event.stop), 0);
    if (this.playing) this.restart(this.now());
  }

  // A piece of which more comes: what has been sent to the synthesiser stays, what is new follows.
  grow(score, notes) {
    const tracks = this.score.tracks.length;
    this.score = score;
    this.time = new Time(score);
    this.events = eventsOf(notes, this.time);
    this.next = this.events.findIndex((event) => event.start >= this.sentUntil);
    if (this.next < 0) this.next = this.events.length;
    this.length = this.events.reduce((end, event) => Math.max(end, event.stop), 0);
    if (score.tracks.length === tracks) return;
    this.sent = false;
    this.sendPrograms();
  }

  // What comes after all that is there, from a time in seconds on; what was played is forgotten.
  extend(score, start) {
    const { tracks } = this.score;
    const same = (one, other) => one.program === other.program && one.is_drum === other.is_drum && one.name === other.name;
    const places = score.tracks.map((track) => {
      const at = tracks.findIndex((each) => same(each, track));
      return at >= 0 ? at : tracks.push(track) - 1;
    });
    this.events.splice(0, this.next);
    this.next = 0;
    this.events.push(...eventsOf(notesOf(score), new Time(score), start).map((event) => ({ ...event, track: places[event.track] })));
    this.length = start + score.seconds + 3600;
    this.sent = false;
    this.sendPrograms();
  }

  fade(level, seconds = 0.05) {
    if (!this.gain) return;
    const { gain } = this.gain;
    gain.cancelScheduledValues(this.context.currentTime);
    gain.setValueAtTime(gain.value, this.context.currentTime);
    gain.linearRampToValueAtTime(level * this.volume, this.context.currentTime + seconds);
  }

  now() {
    if (!this.playing) return this.position;
    return Math.max(0, this.context.currentTime - this.zero);
  }

  get tick() {
    return this.time ? this.time.tick(this.now()) : 0;
  }

  async play(from = this.position >= this.length - 0.05 ? 0 : this.position) {
    await this.ready();
    await this.context.resume();
    this.sendPrograms();
    this.playing = true;
    this.restart(from);
    clearInterval(this.timer);
    this.timer = setInterval(() => this.pump(), 40);
    this.pump();
  }

  restart(from) {
    this.silence();
    this.zero = this.context.currentTime + 0.06 - from;
    this.sentUntil = from;
    this.next = this.events.findIndex((event) => event.start >= from - 0.001);
    if (this.next < 0) this.next = this.events.length;
  }

  pump() {
    // What is still being made is waited for.
    if (this.growing) this.zero = Math.max(this.zero, this.context.currentTime - Math.max(0, this.length - 2 * AHEAD));
    const now = this.context.currentTime - this.zero;
    this.sentUntil = Math.max(this.sentUntil, now + AHEAD);
    while (this.next < this.events.length && this.events[this.next].start < now + AHEAD) {
      const event = this.events[this.next++];
      if (this.muted.has(event.track)) continue;
      const channel = this.channels[event.track];
      const start = Math.max(this.context.currentTime, this.zero + event.start);
      this.sound(channel, event, start, Math.max(start + 0.02, this.zero + event.stop - 0.005));
    }
    if (!this.growing && now > this.length + 0.05) {
      if (this.looping) this.restart(0);
      else if (now > this.length + 0.6) {
        this.pause();
        this.position = 0;
        this.onStop();
      }
    }
  }

  pause() {
    if (!this.playing) return;
    this.position = Math.min(this.now(), this.length);
    this.playing = this.growing = false;
    clearInterval(this.timer);
    this.silence();
    // What was sent ahead begins after this.
    setTimeout(() => this.playing || this.silence(), AHEAD * 1000 + 60);
  }

  seek(seconds) {
    this.position = Math.max(0, Math.min(seconds, this.length));
    if (this.playing) this.restart(this.position);
  }

  // A short sound of one note, as it is drawn or moved.
  async touch(note) {
    if (!this.context || this.playing) return;
    this.sendPrograms();
    const channel = this.channels[note.track];
    const now = this.context.currentTime;
    this.sound(channel, note, now, now + 0.3);
  }

  // A note, here or out of a MIDI port.
  sound(channel, { pitch, velocity }, start, stop) {
    if (!this.port) {
      this.synth.noteOn(channel, pitch, velocity, { time: start });
      this.synth.noteOff(channel, pitch, { time: stop });
      return;
    }
    const at = (time) => performance.now() + 1000 * (time - this.context.currentTime);
    this.port.send([0x90 | channel, pitch, velocity], at(start));
    this.port.send([0x80 | channel, pitch, 0], at(stop));
  }

  // Plays through a MIDI port from now on; undefined is the page's own sounds.
  setPort(port) {
    this.silence();
    this.port = port;
    this.sent = false;
    if (this.score && this.synth) this.sendPrograms();
  }

  silence() {
    this.synth?.stopAll(true);
    if (!this.port) return;
    this.port.clear?.();
    for (let channel = 0; channel < 16; channel++) this.port.send([0xb0 | channel, 123, 0]);
  }

  sendPrograms() {
    if (this.sent) return;
    let free = 0;
    this.channels = this.score.tracks.map((track) => {
      if (track.is_drum) return DRUMS;
      if (free === DRUMS) free += 1;
      const channel = free % 16;
      free = free + 1 > 15 ? 0 : free + 1;
      if (this.port) this.port.send([0xc0 | channel, track.program]);
      else this.synth.programChange(channel, track.program);
      return channel;
    });
    this.sent = true;
  }

  // How loud it is just now, 0 to 1.
  level() {
    if (!this.analyser) return 0;
    this.samples ??= new Float32Array(this.analyser.fftSize);
    this.analyser.getFloatTimeDomainData(this.samples);
    const power = this.samples.reduce((sum, value) => sum + value * value, 0) / this.samples.length;
    return Math.min(1, 3 * Math.sqrt(power));
  }
}
