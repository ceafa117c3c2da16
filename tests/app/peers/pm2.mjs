// What pm2 7.0.4 itself makes of one setting. pm2 is not among the packages that scripts/setup installs; record with
//   npm install --no-save pm2@7.0.4 && node pm2.mjs > pm2.json
import { createRequire } from 'node:module';

const Common = createRequire(import.meta.url)('pm2/lib/Common.js');
const values = {
  max_memory_restart: ['1GB', '1G', '300M', '64K', 1000000, '1000000', '1.5G', '1g', '', '0', '10B', true, 99999999999, '99999999999G'],
  instances: ['four', '4', 'max', 'MAX', 0, -1, '-1', '0', 4.7, '4x', '', '1e3', true, null, 99999999999],
  listen_timeout: ['2 min', '3000', 3000, '3s', '', true, ' 5 ', '1e5', -5, 0],
  kill_timeout: ['10s', 10000, '10000'],
  min_uptime: ['1m', '50', 50, 5000, '1h', '1d'],
  max_restarts: [-1, '5', 16],
  exec_mode: ['cluster', 'forked', 'fork_mode', 'CLUSTER'],
  wait_ready: ['true', true, 1],
  args: ['a \'b c\' "d e" x="y z"', ['a', 1], 5, 'a=\'b c\'d "" e'],
  node_args: ['--max-old-space-size=4096 --x', "--require 'a b.js'"],
  interpreterArgs: ['--y'],
  interpreter: ['python3', 5],
  cwd: ['/srv', 5],
  name: ['n', 5],
  cmd: ['x.js'],
  command: ['y.js'],
  execMode: ['cluster'],
  maxMemoryRestart: ['1G'],
  env: [{ A: 1, B: true }, 'A=1'],
};
const shown = ['script', 'name', 'cwd', 'exec_interpreter', 'args', 'node_args', 'instances', 'exec_mode', 'max_memory_restart', 'listen_timeout', 'kill_timeout', 'min_uptime',
  'max_restarts', 'wait_ready'];
const record = [];
const print = console.log;
console.log = () => {};
for (const [setting, list] of Object.entries(values)) {
  for (const value of list) {
    const app = { ...(setting === 'cmd' || setting === 'command' ? {} : { script: 'w.js' }), [setting]: value };
    const verified = Common.verifyConfs([structuredClone(app)]);
    if (verified instanceof Error) record.push({ app, setting, error: verified.message });
    else record.push({ app, setting, read: Object.fromEntries(shown.filter((key) => verified[0][key] != null).map((key) => [key, verified[0][key]])) });
  }
}
print(JSON.stringify(record, null, 1));
