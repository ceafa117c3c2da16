// What the use case `probe` wrote down: when each run began and ended.
import { existsSync, readFileSync } from 'node:fs';

export class Journal {
  constructor(lab, name = 'journal') {
    this.file = lab.file(name);
  }

  rows() {
    if (!existsSync(this.file)) return [];
    const lines = readFileSync(this.file, 'utf8').split('\n');
    return lines.slice(0, -1).map((line) => JSON.parse(line)); // a line without its end is still being written
  }

  begun(tag) {
    return this.rows().filter((row) => row.what === 'begin' && (tag === undefined || row.tag === tag));
  }

  ended(tag) {
    return this.rows().filter((row) => row.what === 'end' && (tag === undefined || row.tag === tag));
  }

  /** The data of a job that notes itself here. */
  probe(tag, more = {}) {
    return { func: 'probe', journal: this.file, tag, userId: 'test', ...more };
  }
}
