import { Injectable } from '@nestjs/common';
import { DuckDbService } from '../duckdb.service';
import type { UseCase } from './use_case';

/** How much of the machine this process's DuckDB believes to own. */
@Injectable()
export class DuckdbLimits implements UseCase {
  constructor(private readonly db: DuckDbService) {}

  async execute(): Promise<unknown> {
    const [limits] = await this.db.rows(
      "SELECT current_setting('threads')::INTEGER AS threads, current_setting('memory_limit') AS memory_limit",
    );
    return { ...limits, pid: process.pid };
  }
}
