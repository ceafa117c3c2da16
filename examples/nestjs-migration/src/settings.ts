// What the processes of this application read from the environment and from .env (the environment wins).
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const file = resolve(process.env.ENV_FILE ?? '.env');
if (existsSync(file)) process.loadEnvFile(file);

const number = (name: string, fallback: number): number => Number(process.env[name] || fallback);
const text = (name: string, fallback: string): string => process.env[name] || fallback;

export const settings = {
  redis: {
    host: text('REDIS_HOST', '127.0.0.1'),
    port: number('REDIS_PORT', 6379),
    password: process.env.REDIS_PASSWORD || undefined,
  },
  prefix: text('BULL_QUEUE_NAME', 'ncs_resource::'),
  consumers: number('BULL_COUNT', 0),
  api: { host: text('API_HOST', '127.0.0.1'), port: number('API_PORT', 3008) },
  query: { host: text('QUERY_HOST', '127.0.0.1'), port: number('QUERY_PORT', 3009) },
  queryUrl: text('QUERY_URL', 'http://127.0.0.1:3009'),
  sample: resolve(text('SAMPLE', './sample')),
  worker: {
    jobsALife: number('JOBS_A_LIFE', 10),
    /** The careful form passes notFetch=true; the other ignores the job that moveToCompleted() brings along. */
    notFetch: process.env.NOT_FETCH === 'true',
    /** Bull's 30 s unless a test shortens it. */
    lockDuration: number('LOCK_DURATION_MS', 30_000),
  },
};
