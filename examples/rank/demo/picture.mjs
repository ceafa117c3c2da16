// The live picture: one line that is drawn again and again, or plain lines where the output is no terminal.
import { gigabytes } from './memory.mjs';

const BAR = 40;

export class Picture {
  #last = '';
  #lastPlain = 0;

  say(text) {
    console.log(`== ${text}`);
  }

  show({ waiting, running, done, all, memory }) {
    const counts = `waiting ${String(waiting).padStart(3)}  running ${String(running).padStart(2)}  done ${String(done).padStart(3)}/${all}`;
    if (process.stdout.isTTY) {
      const full = Math.round((BAR * done) / all);
      process.stdout.write(`\r\x1b[K[${'#'.repeat(full)}${'.'.repeat(BAR - full)}] ${counts}  peak ${gigabytes(memory)} `);
      return;
    }
    const now = Date.now();
    if (counts === this.#last || (now - this.#lastPlain < 2_000 && done !== all)) return;
    this.#last = counts;
    this.#lastPlain = now;
    console.log(`${counts}  peak ${gigabytes(memory)}`);
  }

  step(what, done, all) {
    if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${what}: ${done}/${all} `);
    else if (done === all) console.log(`${what}: ${done}/${all}`);
  }

  end() {
    if (process.stdout.isTTY) process.stdout.write('\n');
  }
}
