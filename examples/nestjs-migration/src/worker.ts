// The old worker, as many teams have it: a bare script under pm2. Takes ten jobs in a row with getNextJob(), runs each by
// its `func`, and exits, so that pm2 starts it anew and its memory comes back. Everything that test/hazards.test.mjs shows
// going wrong here is what Gaur is for; nothing in this file was made worse than such workers are.
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import Bull from 'bull';
import { UseCases } from './cases/cases';
import { CasesModule } from './cases/cases.module';
import type { JobData } from './cases/use_case';
import { settings } from './settings';

async function runOne(job: Bull.Job<JobData>, cases: UseCases): Promise<void> {
  try {
    const value = await cases.run(job.data);
    // Arguments: result, ignoreLock, notFetch. Without notFetch Bull also takes the next job, and returns it here.
    await job.moveToCompleted(value as string, false, settings.worker.notFetch);
  } catch (error) {
    await job.moveToFailed({ message: (error as Error).message });
  }
}

async function main(): Promise<void> {
  if (settings.consumers === 0) return; // BULL_COUNT=0: this machine only produces
  const app = await NestFactory.createApplicationContext(CasesModule, { logger: ['error', 'warn'] });
  const cases = app.get(UseCases);
  const queue = new Bull<JobData>('query', {
    prefix: settings.prefix,
    redis: settings.redis,
    settings: { lockDuration: settings.worker.lockDuration },
  });
  let busy = false;
  let stopping = false;
  process.on('SIGINT', () => { // pm2's way to stop: finish the job in hand first
    stopping = true;
    if (!busy) process.exit(0);
  });
  for (let done = 0; done < settings.worker.jobsALife && !stopping; ) {
    const job = await queue.getNextJob();
    if (!job) continue; // nothing within five seconds
    busy = true;
    await runOne(job as Bull.Job<JobData>, cases);
    busy = false;
    done += 1;
  }
  process.exit(0);
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
