// Machines of the production topology: network namespaces on one bridge, or addresses 127.0.1.x where they are not permitted.
import { execFileSync } from 'node:child_process';

const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();

function permitted() {
  if (process.env.GAUR_NO_NETNS === '1') return false;
  const name = `gaur-try-${process.pid}`;
  try {
    ip('netns', 'add', name);
    ip('netns', 'del', name);
    return true;
  } catch {
    return false;
  }
}

/** { name: { host, wrap } }: the address of each machine, and what goes before a command that is to run on it. */
export function makeMachines(lab, names) {
  if (!permitted()) {
    console.log('      network namespaces are not permitted here: the machines are addresses 127.0.1.x of the loopback');
    return { kind: 'loopback', machines: Object.fromEntries(names.map((name, i) => [name, { host: `127.0.1.${10 + i}`, wrap: [] }])) };
  }
  const space = (name) => `gaur${process.pid}-${name}`;
  const made = [];
  lab.atEnd(async () => { for (const name of made) ip('netns', 'del', name); });
  const add = (name) => {
    ip('netns', 'add', name);
    made.push(name);
    ip('-n', name, 'link', 'set', 'lo', 'up');
  };
  const hub = space('hub');
  add(hub);
  ip('-n', hub, 'link', 'add', 'br0', 'type', 'bridge');
  ip('-n', hub, 'link', 'set', 'br0', 'up');
  const machines = {};
  names.forEach((name, i) => {
    const host = `10.77.0.${10 + i}`;
    add(space(name));
    ip('-n', hub, 'link', 'add', `to${i}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space(name));
    ip('-n', hub, 'link', 'set', `to${i}`, 'master', 'br0', 'up');
    ip('-n', space(name), 'addr', 'add', `${host}/24`, 'dev', 'eth0');
    ip('-n', space(name), 'link', 'set', 'eth0', 'up');
    // A host name of its own as well: `gaur leave` asks which hosts run on its machine.
    const named = ['unshare', '--uts', 'sh', '-c', 'echo "$0" >/proc/sys/kernel/hostname; exec "$@"', name];
    machines[name] = { host, wrap: ['ip', 'netns', 'exec', space(name), ...named] };
  });
  return { kind: 'namespaces', machines };
}
