// Two columns: the old deployment on the left, Gaur on the right. Live lines on a terminal, plain ones elsewhere.
const LEFT = 34;
const COLUMN = 27;

/** Cut and filled to a width; Hangul counts two. */
function cell(text, width) {
  const wide = (c) => (/[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60]/.test(c) ? 2 : 1);
  let used = 0;
  let out = '';
  for (const c of text) {
    if (used + wide(c) > width) break;
    out += c;
    used += wide(c);
  }
  return out + ' '.repeat(width - used);
}

export const gigabytes = (bytes) => `${(bytes / 1e9).toFixed(2)} GB`;
export const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

export class Screen {
  #live = { old: '', new: '' };
  #shown = '';
  #lastPlain = 0;
  #terminal = process.stdout.isTTY;

  say(text) {
    this.#clear();
    console.log(`== ${text}`);
  }

  row(what, old, fresh) {
    this.#clear();
    console.log(`${cell(what, LEFT)} ${cell(old, COLUMN)} ${fresh}`);
  }

  rule() {
    this.row('-'.repeat(LEFT), '-'.repeat(COLUMN), '-'.repeat(COLUMN));
  }

  /** The burst of one side as it goes. */
  tick(side, all, { waiting, running, done, bytes }) {
    this.#live[side] = `${done}/${all}, ${running} run, ${waiting} wait, ${gigabytes(bytes)}`;
    const line = `${cell('   burst', LEFT)} ${cell(this.#live.old, COLUMN + 8)} ${this.#live.new}`;
    if (this.#terminal) {
      process.stdout.write(`\r\x1b[2K${line}`);
      this.#shown = line;
    } else if (Date.now() - this.#lastPlain > 5000) {
      this.#lastPlain = Date.now();
      console.log(line);
    }
  }

  #clear() {
    if (this.#shown) process.stdout.write('\r\x1b[2K');
    this.#shown = '';
  }
}
