// What the API server's clients send: a burst at once, or a steady stream while workers are exchanged behind it.
import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

// A connection a request: a kept one may be closed by the server in the moment in which it is used again.
const agent = new http.Agent({ keepAlive: false, maxSockets: 512 });
const REGIONS = ['seoul', 'busan', 'incheon', 'daegu', 'daejeon', 'gwangju', 'ulsan', 'jeju', 'tokyo', 'new york'];
const WORDS = ['laptop', '노트북 추천', 'winter coat', '커피', 'camera black', '김치 냉장고'];
const day = (n) => `2026-10-${String(n).padStart(2, '0')}`;

/** A request to the API server; answers { status, body, ms }. Waits as long as the queue takes. */
export function ask(api, func, params, { user = 'u1', timeout = 170_000 } = {}) {
  const begun = performance.now();
  return new Promise((done, failed) => {
    const call = http.request(`${api}/api/query/${func}`, {
      method: 'POST', agent, headers: { 'content-type': 'application/json', 'x-user-id': user },
    }, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => done({ status: answer.statusCode, body: JSON.parse(Buffer.concat(chunks)), ms: performance.now() - begun }));
      answer.on('error', failed);
    });
    call.setTimeout(timeout, () => call.destroy(new Error(`no answer to ${func} within ${timeout / 1000} s`)));
    call.on('error', failed);
    call.end(JSON.stringify(params));
  });
}

/** The k-th request of a burst: light and heavy ones mixed as dashboards ask, the same ones every time. */
export function request(k) {
  const region = REGIONS[k % REGIONS.length];
  switch (k % 4) {
    case 0: return ['top_keywords', { region, day: day(1 + ((k * 5) % 28)), n: 20 }];
    case 1: return ['rank_movement', { since: day(1 + (k % 3)), periods: 2 + (k % 3), days: 7, n: 50, ...(k % 8 === 1 ? { region } : {}) }];
    case 2: return ['dwell_report', { since: day(1 + (k % 8)), until: day(14 + (k % 14)) }];
    default: return ['similar_keywords', { word: WORDS[k % WORDS.length], n: 10 }];
  }
}

/** `count` requests at once, and all their answers. */
export async function burst(api, count, onAnswer = () => {}) {
  const begun = performance.now();
  const answers = await Promise.all(Array.from({ length: count }, async (_, k) => {
    const [func, params] = request(k);
    const answer = await ask(api, func, params, { user: `u${k % 7}` });
    onAnswer(answer);
    return { func, ...answer };
  }));
  return { answers, ms: performance.now() - begun };
}

/** Sends probes one after the other, `rate` a second, until it is stopped; `stop()` answers what every one of them got. */
export function stream(lab, api, journal, { rate = 20, ms = 50 } = {}) {
  const open = [];
  let on = true;
  lab.atEnd(async () => { on = false; });
  const sending = (async () => {
    for (let n = 0; on; n += 1) {
      const tag = `s${n}`;
      open.push(ask(api, 'probe', journal.probe(tag, { ms })).then((answer) => ({ tag, ...answer }), (error) => ({ tag, error })));
      await pause(1000 / rate);
    }
  })();
  return {
    get sent() {
      return open.length;
    },
    async stop() {
      on = false;
      await sending;
      return Promise.all(open);
    },
  };
}

export const closeConnections = () => agent.destroy();

export function percentile(values, p) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))];
}
