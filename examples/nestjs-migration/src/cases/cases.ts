import { Injectable } from '@nestjs/common';
import { DuckdbLimits } from './duckdb_limits';
import { DwellReport } from './dwell_report';
import { Probe } from './probe';
import { RankMovement } from './rank_movement';
import { SimilarKeywords } from './similar_keywords';
import { TopKeywords } from './top_keywords';
import type { JobData, UseCase } from './use_case';

/** Which use case a job's `func` means. */
@Injectable()
export class UseCases {
  readonly #byFunc: ReadonlyMap<string, UseCase>;

  constructor(
    top: TopKeywords, movement: RankMovement, dwell: DwellReport, similar: SimilarKeywords, limits: DuckdbLimits, probe: Probe,
  ) {
    this.#byFunc = new Map<string, UseCase>([
      ['top_keywords', top],
      ['rank_movement', movement],
      ['dwell_report', dwell],
      ['similar_keywords', similar],
      ['duckdb_limits', limits],
      ['probe', probe],
    ]);
  }

  async run(data: JobData): Promise<unknown> {
    const useCase = this.#byFunc.get(data.func);
    if (useCase === undefined) throw new Error(`no use case for func ${JSON.stringify(data.func)}`);
    return useCase.execute(data);
  }
}
