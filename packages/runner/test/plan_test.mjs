// What plan() makes of JavaScript's values.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plan } from '../dist/index.js';

const bound = (value) => plan('SELECT $x', { x: value }).params.x;

test('binds a bigint with all its digits as the narrowest type', () => {
  assert.deepEqual(bound(2n ** 63n - 1n), { type: 'bigint', value: '9223372036854775807' });
  assert.deepEqual(bound(2n ** 64n - 1n), { type: 'hugeint', value: '18446744073709551615' });
  assert.deepEqual(bound(2n ** 128n - 1n), { type: 'uhugeint', value: '340282366920938463463374607431768211455' });
  assert.deepEqual(bound([1n, 2n ** 63n]), { type: 'hugeint[]', value: ['1', '9223372036854775808'] });
  assert.throws(() => bound(2n ** 128n), /needs more than 128 bits/);
  assert.throws(() => bound([-1n, 2n ** 127n]), /needs more than 128 bits/);
});

test('keeps other values as JSON.stringify writes them', () => {
  assert.equal(bound(95.82093798396099), 95.82093798396099);
  assert.deepEqual(bound(new Date(0)), { type: 'timestamptz', value: '1970-01-01T00:00:00.000Z' });
});
