// A NestJS application as a runner: its application context is created once, jobs call its providers.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Handler, RunContext } from './context.js';
import { startSession, type Booted, type SessionOptions } from './session.js';

/** The key of a provider: its class, a symbol or a string. */
export type Token<T = any> = (abstract new (...args: any[]) => T) | symbol | string;
/** Maps the job's data and the run to the arguments of the use case. Default: (data, context). */
export type Arguments = (data: any, context: RunContext) => readonly unknown[];
/** Provider, method, and the mapping of its arguments. */
export type UseCase<T = any> = readonly [token: Token<T>, method: string, args?: Arguments];
export type UseCases = Readonly<Record<string, UseCase>>;

/** A module class, a dynamic module, or a function that returns one (or a promise of one). */
export type ModuleSource = object | (() => unknown);

export interface NestRunOptions extends SessionOptions {
  /** Function name to use case; or a function that returns them, called after the module was loaded. */
  functions: UseCases | (() => UseCases | Promise<UseCases>);
  /** Passed to NestFactory.createApplicationContext; `abortOnError` is false, so that an error is reported. */
  nest?: object;
  /** Called with the application context before the runner is ready. */
  onBoot?: (app: any) => unknown;
}

interface Found {
  get(token: unknown, options?: object): unknown;
  resolve(token: unknown, contextId?: unknown, options?: object): Promise<unknown>;
  close(): Promise<void>;
}
interface NestCore {
  NestFactory: { createApplicationContext(module: unknown, options: object): Promise<Found> };
  ContextIdFactory: { create(): unknown };
}

/** Loads the application's NestJS. The program's folder comes first, because this package may be a symbolic link. */
async function loadNest(): Promise<NestCore> {
  const places = [process.argv[1], join(process.cwd(), 'package.json'), __filename];
  for (const place of places) {
    if (place === undefined) continue;
    let path: string;
    try {
      path = createRequire(place).resolve('@nestjs/core');
    } catch {
      continue;
    }
    const loaded = (await import(pathToFileURL(path).href)) as NestCore & { default?: NestCore };
    return loaded.NestFactory ? loaded : (loaded.default as NestCore);
  }
  throw new Error('runNest() needs @nestjs/core, which is not installed in the folder of this program');
}

/** A class is a module; any other function returns one. */
async function loadModule(source: ModuleSource): Promise<unknown> {
  const isClass = typeof source === 'function' && /^class\b/.test(Function.prototype.toString.call(source));
  // Decorated classes compiled to ES5 are functions; NestJS marks modules with metadata.
  const keys = (Reflect as { getMetadataKeys?: (of: object) => string[] }).getMetadataKeys?.(source) ?? [];
  if (typeof source !== 'function' || isClass || keys.length > 0) return source;
  const answered = (await (source as () => unknown)()) as Record<string, unknown> | undefined;
  // It may return an ES module: () => import('./app.module.js')
  if (answered !== null && typeof answered === 'object' && !('module' in answered)) {
    const only = answered['default'] ?? answered['AppModule'];
    if (only !== undefined) return only;
  }
  return answered;
}

function shown(token: Token): string {
  return typeof token === 'function' ? token.name : String(token);
}

interface Problem {
  problem: string;
}

/** Returns a handler that calls the provider, or a problem. Providers of request scope are created for each job. */
async function bind(app: Found, core: NestCore, name: string, useCase: UseCase): Promise<Handler | Problem> {
  if (!Array.isArray(useCase)) return { problem: `functions.${name} must be [Provider, 'method']` };
  const [token, method, args] = useCase as UseCase;
  let fixed: unknown;
  let scoped = false;
  try {
    fixed = app.get(token, { strict: false });
  } catch (error) {
    scoped = (error as Error)?.constructor?.name === 'InvalidClassScopeException';
    if (!scoped) return { problem: `functions.${name}: ${(error as Error).message}` };
  }
  const make = async (): Promise<any> => (scoped ? app.resolve(token, core.ContextIdFactory.create(), { strict: false }) : fixed);
  if (!scoped && typeof (fixed as Record<string, unknown>)?.[method] !== 'function') {
    return { problem: `functions.${name}: ${shown(token)} has no method ${method}` };
  }
  return async (data: unknown, context: RunContext) => {
    const provider = await make();
    return provider[method](...(args === undefined ? [data, context] : args(data, context)));
  };
}

async function bindAll(app: Found, core: NestCore, useCases: UseCases): Promise<Map<string, Handler>> {
  const map = new Map<string, Handler>();
  const problems: string[] = [];
  for (const [name, useCase] of Object.entries(useCases)) {
    const bound = await bind(app, core, name, useCase);
    if ('problem' in bound) problems.push(bound.problem);
    else map.set(name, bound);
  }
  if (map.size === 0 && problems.length === 0) problems.push('there are no functions to run');
  if (problems.length > 0) throw new Error(problems.join('\n  '));
  return map;
}

/**
 * Boots the module's application context once (no HTTP server), runs jobs with its providers, and closes it when Gaur
 * stops this process: onModuleDestroy and onApplicationShutdown are called.
 */
export function runNest(module: ModuleSource, options: NestRunOptions): Promise<void> {
  const boot = async (): Promise<Booted> => {
    const root = await loadModule(module); // first: it brings reflect-metadata with it
    const core = await loadNest();
    const app = await core.NestFactory.createApplicationContext(root, { ...options.nest, abortOnError: false });
    await options.onBoot?.(app);
    const useCases = typeof options.functions === 'function' ? await options.functions() : options.functions;
    return { functions: await bindAll(app, core, useCases), close: () => app.close() };
  };
  return startSession(boot, options);
}
