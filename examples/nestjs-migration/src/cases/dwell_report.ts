import { Injectable } from '@nestjs/common';
import { DuckDbService } from '../duckdb.service';
import { settings } from '../settings';
import type { JobData, UseCase } from './use_case';

/** How long people stay, by category, with what each differs from the whole: two statements and arithmetic in between.
    It stays a Node use case, unchanged, for as long as the team likes. */
@Injectable()
export class DwellReport implements UseCase {
  constructor(private readonly db: DuckDbService) {}

  async execute(data: JobData): Promise<unknown> {
    const range = { since: String(data.since), until: String(data.until) };
    const from = `FROM '${settings.sample}/*.parquet' WHERE time >= $since::DATE AND time < $until::DATE`;
    const [all] = await this.db.rows(`SELECT count(*)::DOUBLE AS searches, quantile_cont(dwell::DOUBLE, 0.5) AS median ${from}`, range);
    const rows = await this.db.rows(
      `SELECT category, count(*)::DOUBLE AS searches, quantile_cont(dwell::DOUBLE, [0.5, 0.9, 0.99]) AS percentiles
       ${from} GROUP BY category ORDER BY category`,
      range,
    );
    return {
      searches: all.searches,
      median: all.median,
      categories: rows.map((row) => ({
        ...row,
        share: Math.round((Number(row.searches) / Number(all.searches)) * 1e6) / 1e6,
        longer: Number((row.percentiles as number[])[0]) > Number(all.median),
      })),
    };
  }
}
