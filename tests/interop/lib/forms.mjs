// Questions to gaur_peer_forms (driver/forms.cpp) in bulk, and random choices that a seed repeats.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const built = fileURLToPath(new URL('../../../build/dev/bin/gaur_peer_forms', import.meta.url));
const program = process.env.GAUR_PEER_FORMS ?? built;

const hex = (value) => (Buffer.isBuffer(value) ? value : Buffer.from(String(value))).toString('hex') || '-';

/** @param questions  lists of a word and its arguments (texts, numbers or buffers). One answer each, in order. */
export function ask(questions, env = {}) {
  const input = questions.map(([word, ...rest]) => [word, ...rest.map(hex)].join(' ')).join('\n') + '\n';
  const out = execFileSync(program, { input, maxBuffer: 1 << 30, env: { ...process.env, ...env } }).toString().split('\n');
  return questions.map((_, i) => out[i].trim());
}

/** mulberry32: the same numbers for the same seed. */
export class Random {
  constructor(seed) { this.state = seed >>> 0; }
  next() {
    let t = (this.state += 0x6d2b79f5);
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
  below(n) { return Math.floor(this.next() * n); }
  of(list) { return list[this.below(list.length)]; }
  chance(p) { return this.next() < p; }
}

/** A fixed seed, so that a change of ours shows, and a fresh one, printed, so that new cases are tried. */
export function seeds() {
  if (process.env.GAUR_SEED) return [Number(process.env.GAUR_SEED)];
  return [20261128, Math.floor(Math.random() * 2 ** 32)];
}
