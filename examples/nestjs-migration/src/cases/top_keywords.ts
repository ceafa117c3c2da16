import { Injectable } from '@nestjs/common';
import { DuckDbService } from '../duckdb.service';
import { settings } from '../settings';
import type { JobData, UseCase } from './use_case';

/** What was searched most in one region on one day. One statement: it becomes a function in SQL. */
@Injectable()
export class TopKeywords implements UseCase {
  constructor(private readonly db: DuckDbService) {}

  execute(data: JobData): Promise<unknown> {
    return this.db.rows(
      `SELECT keyword, any_value(category) AS category, count(*) AS searches, sum(clicks) AS clicks,
              count(DISTINCT "user") AS users, round(avg(dwell), 3) AS dwell
       FROM '${settings.sample}/*.parquet'
       WHERE region = $region AND time >= $day::DATE AND time < $day::DATE + 1
       GROUP BY keyword
       ORDER BY searches DESC, keyword
       LIMIT $n::INTEGER`,
      { region: String(data.region), day: String(data.day), n: Number(data.n ?? 20) },
    );
  }
}
