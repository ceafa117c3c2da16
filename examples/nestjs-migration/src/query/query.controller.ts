import { InjectQueue } from '@nestjs/bull';
import { BadGatewayException, Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import type { Queue } from 'bull';
import type { JobData } from '../cases/use_case';

interface Request {
  params?: Record<string, unknown>;
  userId?: string;
  /** Bull's own options, for what callers may set: priority, delay, attempts. */
  options?: { priority?: number; delay?: number; attempts?: number; backoff?: number };
}

@Controller('query')
export class QueryController {
  constructor(@InjectQueue('query') private readonly queue: Queue<JobData>) {}

  /** Adds a job and answers when it is done, however long that takes. */
  @Post(':func')
  @HttpCode(200)
  async run(@Param('func') func: string, @Body() request: Request): Promise<unknown> {
    const job = await this.queue.add({ func, ...request.params, userId: request.userId }, { removeOnComplete: 1000, ...request.options });
    try {
      return { id: job.id, result: await job.finished() };
    } catch (error) {
      throw new BadGatewayException({ id: job.id, message: (error as Error).message });
    }
  }

  @Get('counts')
  counts(): Promise<unknown> {
    return this.queue.getJobCounts();
  }
}
