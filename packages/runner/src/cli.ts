#!/usr/bin/env node
// gaur-runner FILE: runs the functions that a module exports.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Handler } from './context.js';
import { run, type Handlers } from './run.js';

const HELP = `usage: gaur-runner FILE

Runs the functions of a module (ES module or CommonJS) as a Gaur runner. It exports them one by one, or all as
\`functions\` or as its default: { name: (data, context) => result }. \`close\`, if exported, is called at the stop.
A module that calls run() or runNest() itself is started with node alone. To try one: gaur runner-check -- gaur-runner FILE`;

function isTable(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object';
}

function functionsOf(module: Record<string, unknown>): Handlers {
  const inner = isTable(module['default']) ? module['default'] : {};
  for (const given of [module['functions'], inner['functions'], module['default']]) {
    if (isTable(given) && Object.keys(given).length > 0) {
      return Object.fromEntries(Object.entries(given).filter(([, value]) => typeof value === 'function')) as Handlers;
    }
  }
  const single = Object.entries(module).filter(([name, value]) => typeof value === 'function' && name !== 'close');
  return Object.fromEntries(single) as Record<string, Handler>;
}

async function main(args: readonly string[]): Promise<void> {
  const [file, ...more] = args;
  if (file === undefined || more.length > 0 || file.startsWith('-')) {
    const asked = file === '--help' || file === '-h';
    (asked ? process.stdout : process.stderr).write(`${HELP}\n`);
    process.exit(asked ? 0 : 2);
  }
  let close: (() => unknown) | undefined;
  const functions = async (): Promise<Handlers> => {
    const module = (await import(pathToFileURL(resolve(file)).href)) as Record<string, unknown>;
    if (typeof module['close'] === 'function') close = module['close'] as () => unknown;
    return functionsOf(module);
  };
  await run({ functions, close: () => close?.() });
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`gaur-runner: cannot start: ${(error as Error)?.stack ?? String(error)}\n`);
  process.exit(1);
});
