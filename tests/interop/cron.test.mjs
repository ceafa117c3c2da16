// Schedules: Gaur's instants beside those of cron-parser 4.9, luxon and Date, and of Bull's own repeatable.js.
// GAUR_LONG=1 compares 12 000 schedules instead of 3 000; GAUR_SEED=n repeats a run.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { Random, ask, seeds } from './lib/forms.mjs';

const require = createRequire(import.meta.url);
const cronDate = require('cron-parser/lib/date.js');
const parser = require('cron-parser');
const long = process.env.GAUR_LONG === '1';

const zones = ['', 'UTC', 'Africa/Cairo', 'America/Santiago', 'Australia/Lord_Howe', 'Europe/Athens', 'america/new_york', 'UTC+9', 'utc-3:30',
  'Asia/Kolkata', 'Asia/Kathmandu', 'Asia/Beirut', 'America/Havana', 'America/Sao_Paulo', 'Atlantic/Azores', 'US/Eastern', 'Etc/GMT+9', 'Europe/London',
  'Asia/Seoul', 'Pacific/Chatham', 'America/Asuncion', 'Asia/Gaza', 'Antarctica/Troll', 'Africa/Casablanca', 'GMT', 'EST5EDT', 'Asia/Tehran',
  'Europe/Dublin', 'America/St_Johns', 'Pacific/Apia', 'America/Scoresbysund', '+09:00', 'UTC+9:5', 'Mars/Olympus', 'local'];
const whole = [[0, 59], [0, 59], [0, 23], [1, 31], [1, 12], [0, 7]];
const names = { 4: ['jan', 'FEB', 'Mar', 'dec', 'nov'], 5: ['sun', 'MON', 'Fri', 'sat'] };
const odd = ['', ',', '1,', '-5', '5-', '1-2-3', '1/2/3', '*/0', '*/', '/5', '**', '1*', '99', '007', 'L-1', 'l', 'W', '15W', 'foo', '5-1', '1#2', '0x1', '1.5',
  '*-5', '?', 'L/2', '8', '60', '1/99', '#', '4#5', '4L#2'];

function atom(random, i) {
  const [low, high] = whole[i];
  const value = () => low + random.below(high - low + 1);
  if (random.chance(0.01)) return random.of(odd);
  switch (random.below(10)) {
    case 0: case 1: case 2: return '*';
    case 3: return `*/${1 + random.below(random.chance(0.5) ? 7 : high)}`;
    case 4: { const [a, b] = [value(), value()].sort((x, y) => x - y); return `${a}-${b}`; }
    case 5: { const [a, b] = [value(), value()].sort((x, y) => x - y); return `${a}-${b}/${1 + random.below(6)}`; }
    case 6: return `${value()}/${1 + random.below(high)}`;
    case 7: return names[i] ? random.of(names[i]) : String(value());
    default: return String(value());
  }
}
function field(random, i) {
  if (i === 3 && random.chance(0.06)) return random.of(['L', '15,L', '?', 'L,L', '5L']);
  if (i === 5 && random.chance(0.08)) return random.of(['5L', '1,5L', '?', '1#1', '5#3', 'fri#5', '0#2', '7L', '1L,L', 'L', '0-7', '5-7', '1,1,1,1,1,1,1,1']);
  const one = atom(random, i);
  return random.chance(0.15) ? `${one},${atom(random, i)}` : one;
}
function pattern(random) {
  if (random.chance(0.02)) return random.of(['@daily', '@hourly', '@weekly', '@monthly', '@yearly', '@midnight', '* *', '5', '0 12 * *', '', ' ']);
  const count = random.chance(0.4) ? 6 : 5;
  const fields = Array.from({ length: count }, (_, n) => field(random, n + 6 - count));
  // Days, months and weekdays that are seldom all restricted: else most patterns find nothing.
  for (let n = 3; n < 6; n++) if (random.chance(0.5)) fields[n - 6 + count] = '*';
  const space = random.chance(0.1) ? random.of(['\t', '  ', ' \t ', '\u00a0', '\n']) : ' ';
  return (random.chance(0.03) ? ' ' : '') + fields.join(space);
}

/** A time near a change of the zone's clock, or any within 2020 to 2035. */
function instant(random, zone) {
  const from = Date.UTC(2020, 0, 1), to = Date.UTC(2035, 0, 1);
  let at = from + random.below((to - from) / 1000) * 1000 + (random.chance(0.3) ? random.below(1000) : 0);
  if (random.chance(0.6)) at = nearChange(zone, at) + (random.below(5) - 3) * 86_400_000 / 2 - random.below(7200) * 1000;
  return at;
}
const changes = new Map();
function nearChange(zone, at) {
  if (!changes.has(zone)) {
    const found = [];
    try {
      const offset = (ms) => new cronDate(new Date(ms), zone || undefined)._date.offset;
      let last = offset(Date.UTC(2020, 0, 1));
      for (let ms = Date.UTC(2020, 0, 1); ms < Date.UTC(2035, 0, 1); ms += 86_400_000) {
        const now = offset(ms);
        if (now !== last) found.push(ms);
        last = now;
      }
    } catch { /* not a zone */ }
    changes.set(zone, found);
  }
  const all = changes.get(zone);
  return all.length ? all[at / 1000 % all.length | 0] : at;
}

function peersTimes(text, zone, ms) {
  const times = [];
  try {
    for (let i = 0, at = ms; i < 3; i++) {
      const interval = parser.parseExpression(text, { currentDate: new Date(at), ...(zone && { tz: zone }) });
      try {
        at = interval.next().getTime();
      } catch {
        return [...times, '-'].join(' ');
      }
      times.push(at);
    }
  } catch (error) {
    return 'no';
  }
  return times.join(' ');
}

test('cron patterns give the instants of cron-parser', () => {
  for (const seed of seeds()) {
    const random = new Random(seed);
    const questions = Array.from({ length: (long ? 6000 : 1500) }, () => {
      const zone = random.of(zones);
      return ['cron', pattern(random), zone, instant(random, zone)];
    });
    const answers = ask(questions);
    const counts = { times: 0, none: 0, refused: 0 };
    questions.forEach(([, text, zone, ms], i) => {
      const peers = peersTimes(text, zone, ms);
      const ours = answers[i].startsWith('no ') ? 'no' : answers[i];
      assert.equal(ours, peers, `seed ${seed}: ${JSON.stringify(text)} in "${zone}" after ${ms}: ${answers[i]}`);
      counts[peers === 'no' ? 'refused' : peers.endsWith('-') ? 'none' : 'times']++;
    });
    console.log(`cron: seed ${seed}, ${JSON.stringify(counts)}`);
    assert.ok(counts.times > questions.length / 2, JSON.stringify(counts));
  }
});

const dateTexts = ['2026-12-01', '2026-12', '2026', '2026-12-01T10:00', '2026-12-01T10:00:00', '2026-12-01T10:00:00.5', '2026-12-01T10:00:00.123456', '2026-12-01T10:00:00Z',
  '2026-12-01T10:00:00+09:00', '2026-12-01T10:00:00+0900', '2026-12-01T10:00:00-03:30', '2026-12-01T24:00:00', '2026-12-01T24:00:01', '2026-12-01 10:00:00', '2026-12-01 10:00',
  '2026-12-01 10:00:00Z', '2026-12-01 10:00:00 +09:00', '2026-12-01 10:00:00 +0900', '2026-12-01 10:00:00.5', '2026/12/01', '2026/12/01 10:00', '12/01/2026', '12/1/26', '1/2/3',
  'Dec 1, 2026', 'December 1 2026 10:00', '1 Dec 2026', '1 December 2026 10:00 PM', 'Tue, 01 Dec 2026 10:00:00 GMT', 'Tue Dec 01 2026 10:00:00 GMT+0900 (Korean Standard Time)',
  'Tue, 01 Dec 2026 10:00:00 +0900', 'Tue, 1 Dec 2026 10:00 EST', '2026-W49-2', '2026-335', '20261201', '20261201T100000Z', '2026-1-5', '2026-13-01', '2026-02-30', 'tomorrow', '', ' ', 'now',
  '1795366800000', '5000', '1e3', '+002026-12-01T00:00:00Z', '-000001-01-01T00:00:00Z', '2026-12-01T10:00:00 Z', '10:00', 'T10:00', '2026-12-01T10', '2026-12-01T1000', '2026-12-01t10:00:00z',
  'Dec 2026', 'Dec 1', '2026 Dec 1', '1.12.2026', '2026.12.01', 'Sat Nov 28 2026', '2026-12-01T10:00:00+9', '2026-12-01T10:00:00[Asia/Seoul]', '2026-12-01 10:00:00 Asia/Seoul', '12:30 AM 1/2/2026',
  '2026-12-01T10:00:00,5Z', '2026-03-29T02:30:00', '2026-04-24T00:00:00', '2026-10-25T02:30:00', '2026-12-01 10:00 UTC', '2026-12-01 10:00 GMT+9', '2026-12-01 10:00 PST', 'foo 2026', '2026 05:10:30:1512:Z', '2026 05:10:30:999:Z'];

test('dates are read as Date and luxon read them', () => {
  for (const tz of ['Asia/Seoul', 'Europe/Athens', 'America/New_York']) {
    // The environment's zone of this process cannot change, so the local forms are compared in a process of its own.
    const wanted = JSON.parse(require('node:child_process').execFileSync(process.execPath, ['-e',
      `console.log(JSON.stringify(${JSON.stringify(dateTexts)}.map((text) => String(new Date(text).getTime()))))`], { env: { ...process.env, TZ: tz } }));
    const ours = ask(dateTexts.map((text) => ['date', JSON.stringify(text), tz]));
    dateTexts.forEach((text, i) => assert.equal(ours[i], wanted[i], `new Date(${JSON.stringify(text)}) in ${tz}`));
  }
});

test('random dates are read as Date reads them', () => {
  const pieces = ['2026', '26', '12', '1', '31', '05', 'Dec', 'january', 'T', 't', 'Z', 'GMT', 'UTC', '+09:00', '+0900', '-3', '10:30', '10:30:15', '.5', '.123', 'AM', 'pm', '-', '/', ' ', ' ', ',', '(x)', 'EST', 'Mon', ':'];
  for (const seed of seeds()) {
    const random = new Random(seed);
    const texts = Array.from({ length: 4000 }, () => Array.from({ length: 1 + random.below(8) }, () => random.of(pieces)).join(random.chance(0.5) ? ' ' : ''));
    const wanted = JSON.parse(require('node:child_process').execFileSync(process.execPath, ['-e',
      'process.stdin.on("data", (d) => (all += d)).on("end", () => console.log(JSON.stringify(JSON.parse(all).map((t) => String(new Date(t).getTime()))))); let all = "";'],
    { input: JSON.stringify(texts), env: { ...process.env, TZ: 'Asia/Seoul' }, maxBuffer: 1 << 28 }));
    const ours = ask(texts.map((text) => ['date', JSON.stringify(text), 'Asia/Seoul']));
    texts.forEach((text, i) => assert.equal(ours[i], wanted[i], `seed ${seed}: new Date(${JSON.stringify(text)})`));
  }
});

test('dates of cron schedules are read as cron-parser reads them', () => {
  const cases = [];
  for (const text of [...dateTexts, 1795366800000, 0.5]) for (const zone of ['Asia/Seoul', 'America/New_York', 'UTC']) cases.push([text, zone]);
  const ours = ask(cases.map(([value, zone]) => ['luxon', JSON.stringify(value), zone, Date.now()]));
  const unread = [];
  cases.forEach(([value, zone], i) => {
    let wanted = 'NaN';
    try {
      if (value) wanted = String(new cronDate(value, zone).getTime());
    } catch { /* no date */ }
    // A form that Gaur does not read is reported, never read otherwise.
    if (ours[i] === 'NaN' && wanted !== 'NaN') return void unread.push(value);
    assert.equal(ours[i], wanted, `${JSON.stringify(value)} in ${zone}`);
  });
  // PST: a name of ICU's own.
  assert.deepEqual([...new Set(unread)], ['2026-12-01 10:00 PST']);
});

/** What Bull's own code answers: the slot and key that it would write. */
function bullsNext(name, options, now) {
  class Queue {}
  require('bull/lib/repeatable')(Queue);
  const queue = new Queue();
  queue.keys = { repeat: 'repeat' };
  let written = '-';
  queue.client = { zadd: (_, slot, key) => { written = `${slot} ${Buffer.from(key).toString('hex')}`; return new Promise(() => {}); } };
  const real = Date.now;
  Date.now = () => now;
  try {
    queue.nextRepeatableJob(name, {}, structuredClone(options), true);
  } catch {
    return 'no';
  } finally {
    Date.now = real;
  }
  return written;
}

test('repeat options in every form give the slots and keys of Bull', () => {
  const now = Date.UTC(2026, 10, 28, 10, 0, 0, 123);
  const repeats = [];
  for (const every of [5000, '5000', '1e3', 1500.5, 0.25, 1e21, '0x10', ' 7000 ', true]) repeats.push({ every });
  for (const tz of [undefined, null, 'Asia/Seoul', 'asia/seoul', 'UTC+9', 540, 0, '+09:00', 'US/Eastern', 'Etc/GMT+9', 'Mars/Olympus']) repeats.push({ cron: '0 5 * * *', tz });
  for (const text of dateTexts) repeats.push({ every: 5000, endDate: text }, { every: 5000, startDate: text }, { cron: '0 5 * * *', tz: 'Asia/Seoul', startDate: text }, { cron: '30 5 * * *', tz: 'America/New_York', endDate: text });
  for (const date of [0, 1, 1795366800000, 1795866800000, null, false]) repeats.push({ every: 5000, endDate: date }, { cron: '0 5 * * *', tz: 'UTC', startDate: date }, { cron: '0 5 * * *', tz: 'UTC', endDate: date });
  for (const limit of [0, 1, 3, '3', '2', null, 2.5, 'many', '']) for (const count of [undefined, 1, 2, 3]) repeats.push({ every: 1000, limit, count });
  for (const more of [{ utc: true }, { utc: true, tz: 'Asia/Seoul' }, { nthDayOfWeek: 2 }, { jobId: 7 }, { jobId: '' }, { jobId: 'a b' }, { every: 5000 }, { every: 0 }]) repeats.push({ cron: '0 5 * * 1', tz: 'UTC', ...more });
  repeats.push({}, { cron: '' }, { every: 0 }, { cron: 5, tz: 'UTC' }, { cron: '\t0\t5\t*\t*\t* ', tz: 'UTC' });
  const cases = repeats.flatMap((repeat) => [undefined, now - 90_000, now + 3_600_000, now + 0.5].map((prevMillis) => ({ repeat, ...(prevMillis && { prevMillis }) })));
  const ours = ask(cases.map((options) => ['next', 'nm', JSON.stringify(options), now]));
  const unread = new Set();
  cases.forEach((options, i) => {
    const stored = JSON.parse(JSON.stringify(options));
    const wanted = bullsNext('nm', stored, now);
    const got = ours[i].startsWith('no ') ? 'no' : ours[i];
    if (got === 'no' && wanted !== 'no') return void unread.add(JSON.stringify(stored.repeat));
    assert.equal(got, wanted, `${JSON.stringify(stored)}: ${ours[i]}`);
  });
  // "0x10" and " 7000 " lead Bull to slots that are no numbers, which Redis refuses; an empty
  // pattern is every minute for cron-parser, under the key "nm:::undefined"; PST is a name of ICU's own. Gaur reports them.
  for (const repeat of unread) assert.match(repeat, /10:00 PST|"0x10"|" 7000 "|"cron":""/, `not read: ${repeat}`);
});
