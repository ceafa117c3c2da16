// JSON of peers: what Gaur accepts and passes on beside what JSON.parse makes of the same bytes.
// GAUR_LONG=1 compares 60 000 texts instead of 20 000; GAUR_SEED=n repeats a run.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random, ask, seeds } from './lib/forms.mjs';

const long = process.env.GAUR_LONG === '1';
const strings = ['""', '"a"', '"\\ud83d"', '"\\ude00"', '"\\ud83d\\ude00"', '"\\ude00\\ud83d"', '"\\ud83dx\\ude00"', '"\\\\ud83d"', '"\\\\\\ud83d"', '"\\u0000"', '"\\u00e9é😀"', '"\\/\\b\\f\\n\\r\\t\\""',
  '"\\uD83D\\uD83D\\uDE00"', '"__proto__"', '"\\x41"', '"\\u12"', '"\\ud8"', '"', '"\t"', '"\u2028"', "'a'", '"\\"'];
const numbers = ['0', '-0', '1', '-1', '1.5', '1e3', '1E+3', '1e-3', '123456789012345678901234567890', '18446744073709551616', '1e400', '-1e400', '1e-400', '1e99999999999', '0.1e-99999999999',
  '01', '1.', '.5', '+1', '-', '1e', 'NaN', 'Infinity', '0x10', '95.82093798396099', '-0.0'];
const raw = [Buffer.from([0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]), Buffer.from([0xed, 0xa0, 0xbd]), Buffer.from([0xf0, 0x9f, 0x98]), Buffer.from([0xff]), Buffer.from([0xc0, 0x80]), Buffer.from([0xe2, 0x82]), Buffer.from([0xf4, 0x90, 0x80, 0x80]), Buffer.from([0x00])];
const spaces = ['', '', '', ' ', '\n', '\r\n', '\t', '\v', '\u00a0', '\ufeff'];

function text(random, depth = 0) {
  const space = () => (random.chance(0.02) ? random.of(spaces) : random.of(['', '', ' ', '\n']));
  const inner = () => {
    const kind = random.below(depth > 5 ? 6 : 9);
    if (kind < 2) return random.chance(0.9) ? random.of(strings.slice(0, 14)) : random.of(strings);
    if (kind < 4) return random.chance(0.9) ? random.of(numbers.slice(0, 15)) : random.of(numbers);
    if (kind === 4) return random.of(['true', 'false', 'null']);
    if (kind === 5) return random.chance(0.03) ? random.of(['True', 'undefined', '', '/*c*/1', '[1,]', '{"a":1,}', '{a:1}', '{"a"}']) : '"x"';
    const count = random.below(4);
    if (kind === 6) return `[${Array.from({ length: count }, () => text(random, depth + 1)).join(',')}]`;
    return `{${Array.from({ length: count }, () => `${space()}${random.of(['"a"', '"a"', '"b"', '"__proto__"', '"\\ud83d"', '""'])}${space()}:${text(random, depth + 1)}`).join(',')}}`;
  };
  return space() + inner() + space();
}
function bytes(random) {
  let made = Buffer.from(text(random));
  if (random.chance(0.1)) {
    const at = random.below(made.length + 1);
    made = Buffer.concat([made.subarray(0, at), random.of(raw), made.subarray(at)]);
  }
  if (random.chance(0.02)) made = made.subarray(0, random.below(made.length + 1));
  return made;
}

test('what JSON.parse accepts is accepted, with the same value', () => {
  for (const seed of seeds()) {
    const random = new Random(seed);
    const all = Array.from({ length: long ? 30_000 : 10_000 }, () => bytes(random));
    const answers = ask(all.map((one) => ['json', one]));
    let accepted = 0;
    all.forEach((one, i) => {
      const shown = `seed ${seed}: ${JSON.stringify(one.toString('latin1'))}: ${answers[i]}`;
      let value, fine = true;
      try { value = JSON.parse(one.toString('utf8')); } catch { fine = false; }
      assert.equal(answers[i].startsWith('ok'), fine, shown);
      if (!fine) return;
      accepted++;
      const fragment = Buffer.from(answers[i].slice(3), 'hex');
      assert.deepEqual(JSON.parse(fragment.toString('utf8')), value, shown);
      assert.ok(fragment.equals(Buffer.from(fragment.toString('utf8'))), `UTF-8: ${shown}`);
      assert.ok(!/[\r\n]/.test(fragment.toString('utf8')), `one line: ${shown}`);
      // Beside others it stays what it is: no member is added, none changed.
      const frame = JSON.parse(`{"function":"f","data":${fragment.toString('utf8')},"last":1}`);
      assert.deepEqual(Object.keys(frame), ['function', 'data', 'last'], shown);
      assert.equal(frame.function, 'f', shown);
    });
    console.log(`json: seed ${seed}, ${accepted} of ${all.length} are JSON`);
    assert.ok(accepted > all.length / 2 && accepted < all.length);
  }
});

test('nesting is accepted up to 512 levels', () => {
  const nested = (depth) => '['.repeat(depth) + ']'.repeat(depth);
  const [fits, deep] = ask([['json', nested(512)], ['json', nested(513)]]);
  assert.match(fits, /^ok/);
  assert.match(deep, /^no /);
});
