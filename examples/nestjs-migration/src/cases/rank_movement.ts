import { Injectable } from '@nestjs/common';
import { DuckDbService } from '../duckdb.service';
import { settings } from '../settings';
import type { JobData, UseCase } from './use_case';

export interface Plan {
  sql: string;
  params: Record<string, string | number>;
}

/** How keywords rose and fell over the last periods, as many as the caller asks for: the statement is built by code,
    so it cannot become one SQL text. It becomes a plan: this builds it, Gaur runs it. */
@Injectable()
export class RankMovement implements UseCase {
  constructor(private readonly db: DuckDbService) {}

  plan(data: JobData): Plan {
    const periods = Math.min(Math.max(Number(data.periods ?? 2), 1), 6);
    const days = Math.min(Math.max(Number(data.days ?? 7), 1), 14);
    const filters = ['time >= $since::DATE', `time < $since::DATE + ${periods * days}`];
    const params: Plan['params'] = { since: String(data.since), n: Number(data.n ?? 50) };
    if (data.region !== undefined) {
      filters.push('region = $region');
      params.region = String(data.region);
    }
    const places = Array.from({ length: periods }, (_, i) => `max(place) FILTER (period = ${i}) AS place_${i + 1}`);
    const sql = `
      WITH counted AS (
        SELECT keyword, date_diff('day', $since::DATE, time::DATE) // ${days} AS period, count(DISTINCT "user") AS users
        FROM '${settings.sample}/*.parquet' WHERE ${filters.join(' AND ')} GROUP BY ALL
      ), ranked AS (
        SELECT *, rank() OVER (PARTITION BY period ORDER BY users DESC) AS place FROM counted
      )
      SELECT keyword, ${places.join(', ')}, sum(users) AS users
      FROM ranked GROUP BY keyword ORDER BY place_${periods} NULLS LAST, keyword LIMIT $n::INTEGER`;
    return { sql, params };
  }

  execute(data: JobData): Promise<unknown> {
    const { sql, params } = this.plan(data);
    return this.db.rows(sql, params);
  }
}
