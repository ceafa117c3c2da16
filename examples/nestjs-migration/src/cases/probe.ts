import { appendFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { JobData, UseCase } from './use_case';

/** For the tests: occupies its worker for `ms`, records its start, its end and the program, and fails on request. */
@Injectable()
export class Probe implements UseCase {
  async execute(data: JobData): Promise<unknown> {
    const note = (what: string) =>
      data.journal === undefined
        ? Promise.resolve()
        : appendFile(String(data.journal), `${JSON.stringify({ what, tag: data.tag, by: basename(require.main?.filename ?? ''), machine: process.env.MACHINE, pid: process.pid, at: Date.now() })}\n`);
    await note('begin');
    await pause(Number(data.ms ?? 0));
    if (data.fail !== undefined) throw new Error(String(data.fail));
    await note('end');
    return { tag: data.tag ?? null };
  }
}
