// Plain modules: functions by name.
import type { Handler } from './context.js';
import { startSession, type Booted, type SessionOptions } from './session.js';

export type Handlers = Readonly<Record<string, Handler>>;

export interface RunOptions extends SessionOptions {
  /** Name to handler; or a function that returns them, called once before the runner is ready. */
  functions: Handlers | (() => Handlers | Promise<Handlers>);
  /** Called once when the runner stops. */
  close?: () => unknown;
}

/** Every entry must be a function. */
export function toMap(handlers: Handlers): Map<string, Handler> {
  const map = new Map<string, Handler>();
  for (const [name, handler] of Object.entries(handlers)) {
    if (typeof handler !== 'function') throw new TypeError(`functions.${name} is not a function`);
    map.set(name, handler);
  }
  if (map.size === 0) throw new TypeError('there are no functions to run');
  return map;
}

/** Runs jobs with these functions until Gaur stops this process. */
export function run(options: RunOptions): Promise<void> {
  const boot = async (): Promise<Booted> => {
    const { functions } = options;
    const made = typeof functions === 'function' ? await functions() : functions;
    return { functions: toMap(made), close: options.close };
  };
  return startSession(boot, options);
}
