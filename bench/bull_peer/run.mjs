// scripts/bench redis-bull: Bull 4 and Gaur beside each other on one redis-server of their own, one scenario after the
// other, each on an empty server, in turns for some rounds. Prints one JSON document: versions, settings, and for each
// scenario both sides' figures of the round in the middle, with the server's CPU time a job, from INFO.
//   node run.mjs GAUR_BENCH [--jobs N] [--rounds N] [--only SCENARIO]
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify, parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { RedisServer } from '../../tests/interop/lib/redis.mjs'

const run = promisify(execFile)
const here = path.dirname(fileURLToPath(import.meta.url))
const { values, positionals } = parseArgs({
  options: { jobs: { type: 'string', default: '50000' }, rounds: { type: 'string', default: '3' }, only: { type: 'string' } }, allowPositionals: true,
})
const jobs = Number(values.jobs)
const rounds = Number(values.rounds)
// About 200 bytes, like the parameters of a query.
const data = JSON.stringify({
  func: 'top_keywords',
  params: { region: '서울', from: '2026-11-01', to: '2026-11-22', limit: 100, categories: ['food', 'travel', 'shopping'], user: 'u-1048576' },
})

const server = await RedisServer.start()
const redis = server.client
const sides = new AbortController()  // a side without its server would try to connect for ever

async function serverCpu() {
  const info = await redis.info('cpu')
  const of = (name) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)[1])
  return of('used_cpu_sys') + of('used_cpu_user')
}

async function side(name, scenario, count, concurrency) {
  const options = ['--port', String(server.port), '--scenario', scenario, '--jobs', String(count),
    '--concurrency', String(concurrency), '--data', data]
  const [program, first] = name === 'gaur' ? [positionals[0], []] : [process.execPath, [path.join(here, 'side.mjs')]]
  const { stdout } = await run(program, [...first, ...options], { signal: sides.signal })
  return JSON.parse(stdout)
}

async function measure(name, scenario, count, concurrency) {
  await redis.flushall()
  if (scenario === 'process') await side(name, 'fill', count, concurrency)
  const before = await serverCpu()
  const result = await side(name, scenario, count, concurrency)
  const cpu = (await serverCpu()) - before
  if (scenario === 'process') {
    const done = await redis.zcard('bull:bench:completed')
    if (done < count - concurrency) throw new Error(`${name}: ${done} of ${count} jobs are completed`)
  }
  return { ...result, redis_cpu_us_per_job: Number((cpu * 1e6 / count).toFixed(2)) }
}

/** The round in the middle: a machine that others share has slow moments. */
function middle(results) {
  const by = (one) => one.p50_ms ?? one.seconds
  return results.sort((a, b) => by(a) - by(b))[Math.floor(results.length / 2)]
}

async function compare(scenario, count, concurrency) {
  const all = { bull: [], gaur: [] }
  for (let round = 0; round < rounds; round += 1) {
    for (const name of ['bull', 'gaur']) all[name].push(await measure(name, scenario, count, concurrency))
  }
  return { bull: middle(all.bull), gaur: middle(all.gaur) }
}

const scenarios = [
  ['process', 1, jobs / 5], ['process', 10, jobs], ['process', 100, jobs],
  ['add-bulk', 1, jobs], ['add-single', 1, jobs / 5], ['latency', 1, 1000],
]
async function compareAll() {
  const results = []
  for (const [scenario, concurrency, count] of scenarios) {
    const name = scenario === 'process' ? `process at concurrency ${concurrency}` : scenario
    if (values.only && values.only !== name && values.only !== scenario) continue
    const { bull, gaur } = await compare(scenario, count, concurrency)
    const times = scenario === 'latency' ? bull.p50_ms / gaur.p50_ms : gaur.jobs_per_second / bull.jobs_per_second
    results.push({ scenario: name, jobs: count, bull, gaur, times: Number(times.toFixed(2)) })
    process.stderr.write(`${name}: ${times.toFixed(2)} times Bull\n`)
  }
  const info = await redis.info('server')
  const bull = JSON.parse(await readFile(path.join(here, 'node_modules/bull/package.json'), 'utf8'))
  return {
    versions: { bull: bull.version, node: process.version, redis: /redis_version:(\S+)/.exec(info)[1] },
    settings: { cores: os.cpus().length, load: os.loadavg()[0], bytes: Buffer.byteLength(data), array: 100, rounds, persistence: 'none', completed: 'kept' },
    results,
  }
}

const serverEnd = server.ended.then(() => { throw new Error(`redis-server ended before the benchmark: ${server.said}`) })
try {
  console.log(JSON.stringify(await Promise.race([compareAll(), serverEnd]), null, 1))
} finally {
  sides.abort()
  await server.stop()
}
