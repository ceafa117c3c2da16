// What dotenv, @nestjs/config (with and without expandVariables), ioredis and Bull make of environment files
// and Redis URLs. `node environment.mjs > environment.json` records it; `node environment.mjs --check` fails
// where the installed packages say something else. tests/app/peers_test.cpp holds Gaur against the record.
import 'reflect-metadata';
import { readFileSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import dotenv from 'dotenv';
import { ConfigModule } from '@nestjs/config';

const require = createRequire(import.meta.url);
const Queue = require('bull');
const Redis = require('ioredis');
const cases = JSON.parse(readFileSync(new URL('cases.json', import.meta.url)));
const scratch = mkdtempSync(join(tmpdir(), 'gaur-peers-'));

/** The variables that `read` put into process.env, which is as it was afterwards. */
async function variables(read) {
  const before = { ...process.env };
  await read();
  const found = Object.fromEntries(Object.entries(process.env).filter(([name]) => !(name in before)));
  for (const name of Object.keys(found)) delete process.env[name];
  return found;
}

async function file(text) {
  const path = join(scratch, '.env');
  writeFileSync(path, text);
  const nest = async (expandVariables) =>
    variables(async () => {
      await ConfigModule.forRoot({ envFilePath: path, expandVariables });
      await ConfigModule.envVariablesLoaded;
    });
  return { text, dotenv: dotenv.parse(readFileSync(path)), nest: await nest(false), nest_expanded: await nest(true) };
}

const kept = ['host', 'port', 'path', 'db', 'username', 'password', 'tls', 'family', 'keyPrefix', 'role'];
/** Of ioredis's options those that say where the server is and who we are there. */
const place = (options) => Object.fromEntries(kept.filter((key) => options[key] != null).map((key) => [key, options[key]]));

function ioredis(url) {
  try {
    const client = new Redis(url, { lazyConnect: true });
    client.on('error', () => {});
    return place(client.options);
  } catch (error) {
    return { error: error.message };
  }
}

/** The options with which Bull makes its client from a URL alone, as ioredis then reads them; and Bull's key prefix. */
async function bull(url) {
  let made;
  try {
    const queue = new Queue('q', url, {
      skipVersionCheck: true,
      createClient: (type, options) => {
        made ??= place(new Redis({ ...options, lazyConnect: true }).options);
        const client = new Redis({ lazyConnect: true });
        client.connect = () => new Promise(() => {});
        client.on('error', () => {});
        return client;
      },
    });
    queue.client;
    return { ...made, prefix: queue.keyPrefix };
  } catch (error) {
    return { error: error.message };
  }
}

const record = { files: [], urls: [] };
for (const text of cases.files) record.files.push(await file(text));
for (const url of cases.urls) record.urls.push({ url, ioredis: ioredis(url), bull: await bull(url) });
rmSync(scratch, { recursive: true });
const text = JSON.stringify(record, null, 1) + '\n';
if (process.argv[2] === '--check') {
  const known = readFileSync(new URL('environment.json', import.meta.url), 'utf8');
  if (known !== text) {
    console.error('environment.json differs from what the packages say now; node environment.mjs > environment.json');
    process.exit(1);
  }
} else {
  process.stdout.write(text);
}
process.exit(0);
