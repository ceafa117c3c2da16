// A Gaur runner in Node, no packages needed. Frames come on descriptor 3, go out on 4; stdout is yours.
const fs = require('node:fs');
const readline = require('node:readline');

const send = (frame) => fs.writeSync(4, JSON.stringify(frame) + '\n');

const functions = {
  echo: async (data) => data,
  async sleep(data, { progress, signal }) {
    const end = Date.now() + data.ms;
    for (let left = data.ms; left > 0; left = end - Date.now()) {
      await new Promise((done) => setTimeout(done, Math.min(left, 100)));
      signal.throwIfAborted();
      progress(Math.min(1, 1 - (end - Date.now()) / data.ms));
    }
    return null;
  },
};

let current = null; // { run, abort }: one job at a time
async function start({ run, function: name, data }) {
  const abort = new AbortController();
  current = { run, abort };
  const progress = (value) => send({ type: 'progress', run, value });
  try {
    if (!functions[name]) throw Object.assign(new Error(`no function ${name}`), { final: true });
    send({ type: 'completed', run, result: await functions[name](data, { progress, signal: abort.signal }) });
  } catch (error) {
    const code = abort.signal.aborted ? 'interrupted' : 'error';
    send({ type: 'failed', run, message: error.message, stack: error.stack, code, final: !!error.final });
  }
}

readline.createInterface({ input: fs.createReadStream(null, { fd: 3 }) }).on('line', (line) => {
  const frame = JSON.parse(line); // a broken line ends the process, and Gaur starts another
  if (frame.type === 'run') start(frame);
  if (frame.type === 'cancel' && current?.run === frame.run) current.abort.abort(new Error(frame.message));
  if (frame.type === 'stop') process.exit(0);
}).on('close', () => process.exit(0));
send({ type: 'ready', protocol: 1, name: 'example in Node' });
