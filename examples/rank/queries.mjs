// The hundred requests of the burst: what a morning of dashboards asks at once. The same ones every time.
const REGIONS = ['seoul', 'busan', 'incheon', 'daegu', 'daejeon', 'gwangju', 'ulsan', 'jeju', 'tokyo', 'new york'];
const day = (n) => `2026-10-${String(n).padStart(2, '0')}`;
const make = (count, build) => Array.from({ length: count }, (_, i) => build(i));

const top = make(48, (i) => ({
  function: 'top_keywords',
  parameters: { region: REGIONS[i % REGIONS.length], day: day(1 + ((i * 5) % 28)), n: 10 + (i % 4) * 10 },
}));
// Two weeks against the two before: over a second each, alone on two cores.
const movement = make(12, (i) => ({
  function: 'rank_movement', parameters: { since: day(1), days: 14, n: 20 + i * 10 },
}));
const shortMovement = make(10, (i) => ({
  function: 'rank_movement', parameters: { since: day(1 + i * 2), days: 3 + (i % 3), n: 30 },
}));
const dwell = make(20, (i) => ({
  function: 'dwell_percentiles', parameters: { since: day(1 + (i % 10)), until: day(12 + (i % 16)), clicks: i % 3 },
}));
// Four weeks and every event against three tables: the heavy ones.
const wide = make(10, (i) => ({
  function: 'wide_join', parameters: { since: day(1), until: day(28 - (i % 4)), region: REGIONS[i % REGIONS.length] },
}));

/** Heavy and light ones mixed as they would come, by a fixed stride that meets every index once. */
export function burst() {
  const all = [...top, ...movement, ...shortMovement, ...dwell, ...wide];
  return all.map((_, i) => ({ number: i, ...all[(i * 37) % all.length] }));
}
