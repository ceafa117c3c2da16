// Bull's side of scripts/bench redis-bull: one scenario, as redis_bull_bench has it. Prints one line of JSON.
import Queue from 'bull'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    port: { type: 'string' }, scenario: { type: 'string' }, jobs: { type: 'string', default: '10000' },
    concurrency: { type: 'string', default: '100' }, array: { type: 'string', default: '100' }, data: { type: 'string' },
  },
})
const jobs = Number(values.jobs)
const data = JSON.parse(values.data)
const queue = new Queue('bench', { redis: { host: '127.0.0.1', port: Number(values.port) } })
await queue.isReady()

async function add(array) {
  for (let done = 0; done < jobs; done += array) {
    if (array === 1) await queue.add(data)
    else await queue.addBulk(Array.from({ length: array }, () => ({ data })))
  }
}

function processAll() {
  return new Promise((resolve) => {
    let left = jobs
    queue.on('completed', () => { if (--left === 0) resolve() })
    queue.process(Number(values.concurrency), async () => null)
  })
}

async function latency() {
  let started
  queue.process(Number(values.concurrency), async () => { started(process.hrtime.bigint()) })
  await new Promise((resolve) => setTimeout(resolve, 200))
  const times = []
  for (let i = 0; i < jobs; i++) {
    const at = new Promise((resolve) => { started = resolve })
    const before = process.hrtime.bigint()
    await queue.add(data)
    times.push(Number((await at) - before) / 1e6)
  }
  times.sort((a, b) => a - b)
  const at = (share) => Number(times[Math.floor(share * (times.length - 1))].toFixed(3))
  return { p50_ms: at(0.5), p95_ms: at(0.95), p99_ms: at(0.99) }
}

const cpu = process.cpuUsage()
const begin = process.hrtime.bigint()
let more = {}
if (values.scenario === 'add-single') await add(1)
else if (values.scenario === 'fill' || values.scenario === 'add-bulk') await add(Number(values.array))
else if (values.scenario === 'process') await processAll()
else more = await latency()
const seconds = Number(process.hrtime.bigint() - begin) / 1e9
const used = process.cpuUsage(cpu)
console.log(JSON.stringify({
  jobs, seconds, jobs_per_second: Math.round(jobs / seconds),
  client_cpu_us_per_job: Number(((used.user + used.system) / jobs).toFixed(2)), ...more,
}))
await queue.close(true)
process.exit(0)
