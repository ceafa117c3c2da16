// A run's grant set on a DuckDB connection, for use cases that bring their own DuckDB.

export interface Grant {
  readonly threads: number;
  /** 0: not limited. */
  readonly memoryBytes: number;
}

export interface GrantOptions {
  /** Part of the memory that DuckDB's memory_limit gets. The rest is for what it does not count, and for Node itself. Default 0.6. */
  memoryShare?: number;
}

type Callback = (error: unknown) => void;

/** Runs one statement on a connection of @duckdb/node-api, of duckdb, or of duckdb-async. */
function execute(connection: object, sql: string): Promise<void> {
  const any = connection as {
    runAndReadAll?: unknown;
    run?: (sql: string) => PromiseLike<unknown>;
    exec?: (sql: string, callback: Callback) => unknown;
  };
  if (typeof any.runAndReadAll === 'function' && typeof any.run === 'function') {
    return Promise.resolve(any.run(sql)).then(() => undefined);
  }
  if (typeof any.exec === 'function') {
    return new Promise((done, failed) => {
      const callback: Callback = (error) => (error ? failed(error) : done());
      const answer = any.exec!(sql, callback) as PromiseLike<unknown> | undefined;
      if (typeof answer?.then === 'function') answer.then(() => done(), failed); // duckdb-async
    });
  }
  return Promise.reject(new TypeError('applyGrant takes a connection of @duckdb/node-api or duckdb (or a Database of duckdb)'));
}

/**
 * Sets `threads` and `memory_limit` of the connection's database. They are settings of the whole database, so they hold
 * until the next call: call it at the start of every run. Fails where the database's configuration is locked.
 */
export async function applyGrant(connection: object, grant: Grant, options: GrantOptions = {}): Promise<void> {
  const threads = Math.max(1, Math.floor(grant.threads));
  await execute(connection, `SET threads = ${threads}`);
  if (grant.memoryBytes <= 0) return;
  const bytes = Math.floor(grant.memoryBytes * (options.memoryShare ?? 0.6));
  await execute(connection, `SET memory_limit = '${Math.max(1, Math.floor(bytes / 1024))}KiB'`);
}

const INTERRUPT_EVERY_MS = 50;

/**
 * Runs queries on a connection under the grant: sets it, calls `call(connection)`, and interrupts the connection when the
 * signal is aborted, again and again until the call has ended, since DuckDB forgets an interrupt that comes before its
 * query. One call at a time on a connection.
 */
export async function withGrant<C extends object, T>(
  connection: C,
  grant: Grant & { readonly signal: AbortSignal },
  call: (connection: C) => PromiseLike<T> | T,
  options: GrantOptions = {},
): Promise<T> {
  const { signal } = grant;
  await applyGrant(connection, grant, options);
  signal.throwIfAborted();
  let again: NodeJS.Timeout | undefined;
  const interrupt = (): void => (connection as { interrupt?: () => void }).interrupt?.();
  const begin = (): void => {
    interrupt();
    again = setInterval(interrupt, INTERRUPT_EVERY_MS);
  };
  signal.addEventListener('abort', begin, { once: true });
  try {
    return await call(connection);
  } finally {
    signal.removeEventListener('abort', begin);
    clearInterval(again);
  }
}
